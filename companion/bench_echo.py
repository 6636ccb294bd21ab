"""Who is let interrupt: the face's own voice from loudspeakers, short noises and "mm-hm" (nobody), a user (always).

The real `Hearing` with the real voice activity hears what a microphone would: synthesized replies through loudspeakers
and rooms (a direct path and an exponential tail), room noise, and people over it.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter

from companion.chat import Conversation
from companion.config import Turns
from companion.ears import Resampler
from companion.engine import Engine
from companion.fakes import ScriptedASR, ScriptedTurnEnd
from companion.hearing import Hearing
from companion.settings import Audio, AudioInput, InputFormat, Settings
from companion.stages import ASR, HEAR_RATE, SPEAK_RATE, Samples
from companion.vad import Silero

DELAYS = (0.01, 0.05, 0.12, 0.25)  # s from what is sent to what is heard
GAINS = (-6, -12, -20, -30)  # dB, what is heard of it
ROOMS = (0.15, 0.4, 0.8)  # s until a room is silent (RT60)
DIRECT = (3, -3)  # dB, the direct path over the room's
NOISES = (-65, -50, -42)  # dBFS
LEVELS = (-30, -26, -22)  # dBFS of a user's speech
PACKET = HEAR_RATE // 50
CHUNK = SPEAK_RATE // 25  # samples that the face sends at a time
PROMPT = 1.5  # s within which a user must be let interrupt


@dataclass(frozen=True, slots=True)
class Scene:
    delay: float
    gain: float
    room: float
    direct: float
    noise: float
    overdriven: bool  # the loudspeaker clips


@dataclass(slots=True)
class Reactions:
    """Seconds at which the face gave way, tentatively and for good."""

    held: list[float]
    interrupted: list[float]


def scenes(count: int, rng: np.random.Generator) -> list[Scene]:
    """Drawn evenly from all combinations."""
    ranges = (DELAYS, GAINS, ROOMS, DIRECT, NOISES)
    return [
        Scene(*(float(rng.choice(values)) for values in ranges), overdriven=bool(rng.integers(2))) for _ in range(count)
    ]


def echo(played: Samples, scene: Scene, rng: np.random.Generator) -> Samples:
    """(n,) at `HEAR_RATE`, what the face says -> (n,) what a microphone hears, without anybody else."""
    sound = played.astype(np.float64)
    if scene.overdriven:
        limit = 0.35 * np.abs(sound).max()
        sound = np.clip(sound, -limit, limit) + 0.15 * sound**2 / limit
    heard = fftconvolve(sound, _room(scene, rng))[: len(sound)] * 10 ** (scene.gain / 20)
    late = np.concatenate([np.zeros(int(scene.delay * HEAR_RATE)), heard])[: len(sound)]
    return (late + 10 ** (scene.noise / 20) * pink(len(sound), rng)).astype(np.float32)


def levelled(sound: Samples, dbfs: float) -> Samples:
    """Where there is sound, at so many dB RMS."""
    loud = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
    return (sound * (10 ** (dbfs / 20) / np.sqrt(np.mean(loud**2)))).astype(np.float32)


def pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count,) noise of 3 dB less an octave, at RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    return noise / np.sqrt(np.mean(noise**2))


class _Floor:
    """A face that says ``reply`` from the start to the end, whatever happens."""

    curious = False

    def __init__(self, reply: Samples) -> None:
        self._reply = reply  # at SPEAK_RATE
        self.clock = 0
        self.heard = 0.0  # s
        self.reactions = Reactions([], [])

    @property
    def speaking(self) -> bool:
        return self.clock < len(self._reply)

    def advance(self, seconds: float) -> None:
        """Chunks are sent when the one before is over."""
        self.heard, self.clock = seconds, (int(seconds * SPEAK_RATE) // CHUNK + 1) * CHUNK

    def played(self) -> Samples:
        sent = self._reply[max(0, self.clock - 3 * SPEAK_RATE) : self.clock]
        return np.concatenate([sent, np.zeros(max(0, self.clock - len(self._reply)), np.float32)])

    def hold(self) -> None:
        self.reactions.held.append(self.heard)

    def user_starts(self) -> None:
        self.reactions.interrupted.append(self.heard)

    def release(self) -> None: ...
    def user_is_saying(self, text: str) -> None: ...
    def user_goes_on(self) -> None: ...
    def user_said(self, item_id: str, ended: float) -> None: ...


async def listen(reply: Samples, microphone: Samples, asr: ASR | None = None) -> Reactions:
    """``reply`` (n,) at `SPEAK_RATE` is said while ``microphone`` (m,) at `HEAR_RATE` is heard.

    Without ``asr`` whatever is taken for speech says "Stop." .
    """
    engine = SimpleNamespace(
        config=SimpleNamespace(turns=Turns(pause_ms=150)),
        vad=Silero,
        asr=asr or ScriptedASR(["Stop."]),
        turn_end=ScriptedTurnEnd(),
    )
    floor, tasks = _Floor(reply), set[asyncio.Task[Any]]()

    def spawn(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=name)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    hearing = Hearing(cast(Engine, engine), Conversation(), floor, lambda event: None, spawn)
    hearing.configure(Settings("", "", audio=Audio(AudioInput(InputFormat(rate=16000)))))
    for first in range(0, len(microphone) - PACKET + 1, PACKET):
        floor.advance((first + PACKET) / HEAR_RATE)
        hearing.append((np.clip(microphone[first : first + PACKET], -1, 1) * 32767).astype("<i2").tobytes())
        await asyncio.sleep(0)
        while asr and tasks:  # the words of a short turn decide
            await asyncio.wait(set(tasks))
    for task in set(tasks):
        task.cancel()
    return floor.reactions


def hear_rate(sound: Samples) -> Samples:
    """`SPEAK_RATE` -> `HEAR_RATE`."""
    return Resampler(SPEAK_RATE)(sound)


def noises(rng: np.random.Generator) -> dict[str, Samples]:
    """Sounds of a room that are nobody's turn, each of a second or two, at `HEAR_RATE`."""
    t = np.arange(2 * HEAR_RATE) / HEAR_RATE
    white = rng.standard_normal(len(t))
    keys = np.zeros(len(t))
    keys[(rng.uniform(0.05, 1.9, 14) * HEAR_RATE).astype(int)] = rng.uniform(0.4, 1.0, 14)
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6, 440.0))
    sounds = {
        "cough": _band(white, 300, 3500) * (_burst(t, 0.1, 0.06) + 0.6 * _burst(t, 0.32, 0.09)),
        "throat": _band(white, 150, 1500) * _burst(t, 0.1, 0.12) * (1 + np.sin(2 * np.pi * 35 * t)),
        "sneeze": _band(white, 800, 6000) * _burst(t, 0.3, 0.1),
        "breath": _band(white, 400, 4000) * np.sin(np.pi * np.clip(t / 1.2, 0, 1)) ** 2 * 0.2,
        "door": _band(white, 30, 300) * _burst(t, 0.1, 0.12) + 0.3 * white * _burst(t, 0.1, 0.01),
        "keyboard": fftconvolve(keys, white[:400] * np.exp(-np.arange(400) / 60))[: len(t)],
        "music": chord * (0.4 + 0.6 * np.abs(np.sin(2 * np.pi * 1.5 * t))),
        "tap water": _band(white, 500, 7000) * 0.3,
        "knock": sum(_band(white, 100, 900) * _burst(t, at, 0.02) for at in (0.2, 0.45, 0.7)),
    }
    return {name: np.asarray(sound / np.abs(sound).max(), np.float32) for name, sound in sounds.items()}


def share(found: Sequence[bool]) -> float:
    """Of those that are true; 0 of none."""
    return float(np.mean(found)) if found else 0.0


def _room(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """An impulse response of energy 1 as a small loudspeaker and a microphone pass it on."""
    t = np.arange(int(max(0.05, scene.room) * HEAR_RATE)) / HEAR_RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / scene.room) * np.sqrt(np.clip(t / 0.01, 0, 1))
    tail[: int(0.002 * HEAR_RATE)] = 0
    response = tail * 10 ** (-scene.direct / 20) / np.sqrt(np.sum(tail**2))
    response[0] = 1.0
    passed = _band(np.concatenate([response, np.zeros(200)]), 120, 7000)
    return passed / np.sqrt(np.sum(passed**2))


def _band(sound: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    b, a = cast(Any, butter(2, [low, high], "band", fs=HEAR_RATE))
    return np.asarray(lfilter(b, a, sound), np.float64)


def _burst(t: NDArray[np.float64], at: float, length: float) -> NDArray[np.float64]:
    """Begins within 10 ms at ``at`` and decays."""
    return np.clip((t - at) / 0.01, 0, 1) * np.exp(-np.maximum(0, t - at) / length)
