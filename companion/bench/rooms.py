"""Simulated acoustics for the benchmarks: what a microphone picks up of loudspeakers, rooms, noises and people."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter

from companion.stages.protocols import HEAR_RATE, Samples

SOUND_SPEED = 343.0  # m/s
NEAR_DISTANCE = (0.2, 0.8)  # m between the loudspeaker and the microphone
SMALLEST_ROOM, LARGEST_ROOM = (2.5, 2.5, 2.3), (6.0, 5.0, 3.2)  # m, of rooms with simulated walls
LOUDSPEAKER = (120, 7000)  # Hz, its passband


@dataclass(frozen=True, slots=True)
class Scene:
    """One acoustic setting.

    Attributes:
        delay: s from playout to the microphone, more than the delay with which a chunk may be sent.
        gain: dB, of the echo relative to what is played.
        room: s, reverberation time (RT60).
        direct: dB, direct path relative to the reverberation.
        noise, user: dBFS, levels of the background noise and of the user.
        drift: ppm by which the loudspeaker's clock is slower than the microphone's.
    """

    delay: float
    gain: float
    room: float
    direct: float
    noise: float
    user: float = -26.0
    drift: float = 0.0
    overdriven: bool = False  # the loudspeaker clips
    walls: bool = False  # adds early reflections from six walls (image method)


@dataclass(frozen=True, slots=True)
class Ranges:
    """The values that scenes are drawn from, each uniformly; units as in `Scene`."""

    delays: tuple[float, ...]
    gains: tuple[float, ...]
    rooms: tuple[float, ...]
    directs: tuple[float, ...]
    noises: tuple[float, ...]
    users: tuple[float, ...]
    drifts: tuple[float, ...]
    walls: bool

    def draw(self, rng: np.random.Generator) -> Scene:
        """A random scene; in half of them the loudspeaker clips."""
        delay, gain, room, direct = (
            float(rng.choice(some)) for some in (self.delays, self.gains, self.rooms, self.directs)
        )
        noise, user, drift = (float(rng.choice(some)) for some in (self.noises, self.users, self.drifts))
        return Scene(delay, gain, room, direct, noise, user, drift, bool(rng.integers(2)), self.walls)


TUNING_ROOMS = Ranges(
    (0.06, 0.09, 0.13, 0.25),
    (-6, -12, -20, -30),
    (0.15, 0.4, 0.8),
    (3, -3),
    (-65, -50, -42),
    (-30, -26, -22),
    (0,),
    False,
)
HELD_OUT_ROOMS = Ranges(
    (0.07, 0.11, 0.18, 0.4), (-3, -9, -16, -24), (0.25, 0.6, 1.0), (2, -2), (-60, -48, -42), (-28, -24, -20),
    (0, 60, -100), True,
)  # fmt: skip
PARTS = {"tune": TUNING_ROOMS, "held_out": HELD_OUT_ROOMS}


def echo(played: Samples, scene: Scene, rng: np.random.Generator) -> Samples:
    """The face's audio (n,) float32 at `HEAR_RATE` -> its echo with noise at the microphone, (n,) float32, no user."""
    sound = played.astype(np.float64)
    if scene.overdriven:
        limit = 0.35 * np.abs(sound).max()
        sound = np.clip(sound, -limit, limit) + 0.15 * sound**2 / limit
    heard = fftconvolve(sound, _room(scene, rng))[: len(sound)] * 10 ** (scene.gain / 20)
    now = np.arange(len(sound))
    late = np.interp(now * (1 - scene.drift * 1e-6) - scene.delay * HEAR_RATE, now, heard, left=0.0)
    return (late + 10 ** (scene.noise / 20) * pink(len(sound), rng)).astype(np.float32)


def levelled(sound: Samples, dbfs: float) -> Samples:
    """``sound`` (n,) scaled so that the RMS of its non-silent samples is ``dbfs``; (n,) float32."""
    loud = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
    return (sound * (10 ** (dbfs / 20) / np.sqrt(np.mean(loud**2)))).astype(np.float32)


def pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count,) float64 pink noise (-3 dB per octave) with RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count)
    return noise / np.sqrt(np.mean(noise**2))


def noises(rng: np.random.Generator) -> dict[str, Samples]:
    """Noises that are no speech, by name, each 2 s, (n,) float32 at `HEAR_RATE` with a peak of 1."""
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


def _room(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """The impulse response from loudspeaker to microphone at `HEAR_RATE`, with energy 1."""
    t = np.arange(int(max(0.05, scene.room) * HEAR_RATE)) / HEAR_RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / scene.room) * np.sqrt(np.clip(t / 0.01, 0, 1))
    tail[: int(0.002 * HEAR_RATE)] = 0
    response = tail * 10 ** (-scene.direct / 20) / np.sqrt(np.sum(tail**2))
    if scene.walls:
        for delay, strength in _images(scene.room, rng):
            if delay < scene.room:
                response[int(delay * HEAR_RATE)] += strength
    else:
        response[0] = 1.0
    passed = _band(np.concatenate([response, np.zeros(200)]), *LOUDSPEAKER)
    return passed / np.sqrt(np.sum(passed**2))


def _images(silent: float, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Early reflections in a random box-shaped room by the image method (Allen and Berkley 1979): delay after the
    direct path in s, and amplitude relative to it. ``silent``: RT60 in s."""
    size = rng.uniform(SMALLEST_ROOM, LARGEST_ROOM)
    surface = 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    reflected = np.sqrt(np.exp(-0.161 * size.prod() / (surface * silent)))
    microphone = rng.uniform(0.5, size - 0.5)
    away = rng.standard_normal(3)
    apart = rng.uniform(*NEAR_DISTANCE)
    loudspeaker = np.clip(microphone + apart * away / np.sqrt(np.sum(away**2)), 0.1, size - 0.1)
    near = float(np.linalg.norm(loudspeaker - microphone))
    for image in np.ndindex(5, 5, 5, 2, 2, 2):
        beyond, mirrored = np.array(image[:3]) - 2, np.array(image[3:])
        distance = float(np.linalg.norm((1 - 2 * mirrored) * loudspeaker + 2 * beyond * size - microphone))
        hits = int(np.sum(np.abs(beyond - mirrored) + np.abs(beyond)))
        yield max(0.0, distance - near) / SOUND_SPEED, float(reflected**hits) * near / max(distance, near)


def _band(sound: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    b, a = cast(Any, butter(2, [low, high], "band", fs=HEAR_RATE))
    return np.asarray(lfilter(b, a, sound), np.float64)


def _burst(t: NDArray[np.float64], at: float, length: float) -> NDArray[np.float64]:
    """An envelope with a 10 ms attack at ``at`` s and a decay with time constant ``length`` s."""
    return np.clip((t - at) / 0.01, 0, 1) * np.exp(-np.maximum(0, t - at) / length)
