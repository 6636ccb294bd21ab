"""Measures barge-in with echo: the face's own voice from loudspeakers must never interrupt it, a user always.

The real `Hearing` with the real VAD processes a simulated microphone by the rules of configs/default.toml.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from animator.units import pcm16
from companion import config
from companion.bench.rooms import Scene, echo, levelled, pink
from companion.conversation.items import Conversation
from companion.hearing.audio.resampling import Resampler
from companion.hearing.hearing import Hearing
from companion.hearing.recognisers import Recognisers
from companion.hearing.transcription.transcripts import Transcripts
from companion.protocol.events import ServerEvent
from companion.protocol.settings import AudioInput, SoundFormat, detection
from companion.stages.fakes import ScriptedTurnEnd
from companion.stages.protocols import ASR, HEAR_RATE, SPEAK_RATE, Samples, Transcript
from companion.stages.vad import Silero

T = TypeVar("T")

PACKET = HEAR_RATE // 50  # samples of one packet of the microphone, 20 ms
CHUNK = SPEAK_RATE // 25  # samples of one chunk of the face's audio, 40 ms
MEAN_DELAY, MOST_DELAY = 0.004, 0.06  # s by which a chunk is sent late, on average and at most
PAUSE = 1.0  # s of silence between the two replies, and after the second
PROMPT_S = 3.0  # s within which the face must give way to a user
SERS = {  # dB, groups of scenes by the signal-to-echo ratio, [low, high)
    "user -6 dB or less": (-np.inf, -6.0),
    "user -6 to 0 dB": (-6.0, 0.0),
    "user 0 to 6 dB": (0.0, 6.0),
    "user 6 dB or more": (6.0, np.inf),
}


@dataclass(slots=True)
class Reactions:
    """When the face paused (``held``) and when it was ``interrupted``, in s from the start, and the lengths in s of the
    ``pauses`` after which it went on."""

    held: list[float] = field(default_factory=list[float])
    interrupted: list[float] = field(default_factory=list[float])
    pauses: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one scene. ``ser``: signal-to-echo ratio in dB. ``false_hold``, ``false_interruption``: the face
    paused or was interrupted without a user. ``held`` and ``taken``: s from the start of the user's speech until the
    face paused and until it was interrupted, None if not within `PROMPT_S`; ``alone``: ``taken`` without echo."""

    scene: Scene
    ser: float
    false_hold: bool
    false_interruption: bool
    held: float | None
    taken: float | None
    alone: float | None


async def over(
    replies: Sequence[Samples], users: Sequence[Samples], scene: Scene, asr: ASR, rng: np.random.Generator
) -> Outcome:
    """Simulate one scene: the face says two of ``replies``, each (n,) float32 at `SPEAK_RATE`, and one of ``users``,
    each (m,) float32 at `HEAR_RATE`, speaks over them at a random time."""
    pause = np.zeros(round(PAUSE * SPEAK_RATE), np.float32)
    first, second = (replies[i] for i in rng.permutation(len(replies))[:2])
    reply = np.concatenate([first, pause, second])
    room = echo(hear_rate(np.concatenate([reply, pause])), scene, rng)
    at = rng.uniform(PAUSE, len(first) / SPEAK_RATE - PAUSE) + rng.integers(2) * (len(first) / SPEAK_RATE + PAUSE)
    user, (start, end) = _placed(
        users[int(rng.integers(len(users)))], scene, min(at, len(reply) / SPEAK_RATE - 2), len(room)
    )
    quiet = (10 ** (scene.noise / 20) * pink(len(room), rng)).astype(np.float32)
    nobody, both, alone = [await listen(reply, sound, asr) for sound in (room, room + user, quiet + user)]
    return Outcome(
        scene,
        10 * float(np.log10(np.mean(user[start:end] ** 2) / np.mean(room[start:end] ** 2))),
        bool(nobody.held),
        bool(nobody.interrupted),
        _after(both.held, start / HEAR_RATE),
        _after(both.interrupted, start / HEAR_RATE),
        _after(alone.interrupted, start / HEAR_RATE),
    )


def summary(found: Sequence[Outcome]) -> dict[str, float | None]:
    """Number of scenes, shares of them in [0, 1], and the delay until the face paused in s (None if it never did)."""
    holds = [one.held for one in found if one.held is not None]
    return {
        "scenes": len(found),
        "false_holds": share([one.false_hold for one in found]),
        "false_interruptions": share([one.false_interruption for one in found]),
        "missed": share([one.taken is None for one in found]),
        "missed_without_echo": share([one.alone is None for one in found]),
        "hold_s": float(np.median(holds)) if holds else None,
        "hold_p95_s": float(np.percentile(holds, 95)) if holds else None,
    }


def groups(found: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes by name of their group: all, by signal-to-echo ratio (`SERS`), and by room; no empty group."""
    named = {"all": list(found)}
    for name, (low, high) in SERS.items():
        named[name] = [one for one in found if low <= one.ser < high]
    for room in sorted({one.scene.room for one in found}):
        named[f"room of {room} s"] = [one for one in found if one.scene.room == room]
    return {name: group for name, group in named.items() if group}


def _placed(sound: Samples, scene: Scene, at: float, count: int) -> tuple[Samples, tuple[int, int]]:
    """(``count``,) float32 with ``sound`` starting at ``at`` s, without its leading silence; and its [start, end)."""
    sound = levelled(sound, scene.user)
    sound = sound[int(np.argmax(np.abs(sound) > 0.05 * np.abs(sound).max())) :]
    start = round(at * HEAR_RATE)
    end = min(start + len(sound), count)
    user = np.zeros(count, np.float32)
    user[start:end] = sound[: end - start]
    return user, (start, end)


def _after(times: Sequence[float], start: float) -> float | None:
    return next((time - start for time in times if 0 < time - start < PROMPT_S), None)


class _Floor:
    """A stand-in for the floor: says ``reply``, (n,) at `SPEAK_RATE`, to its end whatever happens, each chunk a little
    late, and records what would have interrupted it."""

    curious = False

    def __init__(self, reply: Samples) -> None:
        self._reply = reply  # at SPEAK_RATE
        late = np.random.default_rng(0).exponential(MEAN_DELAY, 100 + len(reply) // CHUNK)
        self._due = np.maximum.accumulate(np.arange(len(late)) * CHUNK / SPEAK_RATE + np.minimum(late, MOST_DELAY))
        self.clock = 0
        self.heard = 0.0  # s
        self.reactions = Reactions()
        self._since: float | None = None  # s, the start of the current pause

    @property
    def speaking(self) -> bool:
        return self.clock < len(self._reply)

    def advance(self, seconds: float) -> None:
        """``seconds`` of the microphone's audio have been processed."""
        self.heard, self.clock = seconds, int(np.searchsorted(self._due, seconds, "right")) * CHUNK

    def played(self) -> Samples:
        silence = np.zeros(max(0, self.clock - len(self._reply)), np.float32)
        return np.concatenate([self._reply[: self.clock], silence])[-3 * SPEAK_RATE :]

    def hold(self, since: float) -> None:
        self.reactions.held.append(self.heard)
        self._since = self.heard if self._since is None else self._since

    def user_starts(self, interrupts: bool) -> bool:
        self.reactions.interrupted.append(self.heard)
        self._since = None
        return False

    def release(self) -> None:
        if self._since is not None:
            self.reactions.pauses.append(self.heard - self._since)
        self._since = None

    def user_is_saying(self, said: Transcript, whole: bool) -> None: ...
    def user_resumes(self) -> None: ...
    def user_goes_on(self) -> None: ...
    def user_said(self, item_id: str, ended: float) -> None: ...


async def listen(reply: Samples, microphone: Samples, asr: ASR) -> Reactions:
    """Process ``microphone``, (m,) float32 at `HEAR_RATE`, while the face says ``reply``, (n,) float32 at `SPEAK_RATE`.

    The clock stands still during recognition and endpointing, so their latency does not count.
    """
    turns = config.load().turns
    recognisers = Recognisers(turns=turns, vad=Silero, asr=asr, turn_end=ScriptedTurnEnd())
    floor, tasks = _Floor(reply), set[asyncio.Task[Any]]()

    def spawn(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=name)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    transcripts = Transcripts(asr, Conversation(), _nobody, spawn)
    heard = AudioInput(SoundFormat(rate=HEAR_RATE), detection(turns))
    hearing = Hearing(recognisers, transcripts, floor, _nobody, spawn, heard)
    for first in range(0, len(microphone) - PACKET + 1, PACKET):
        floor.advance((first + PACKET) / HEAR_RATE)
        hearing.append(pcm16(microphone[first : first + PACKET]))
        await asyncio.sleep(0)
        while tasks:  # the transcript of a short turn decides on the barge-in
            await asyncio.wait(set(tasks))
    return floor.reactions


def _nobody(event: ServerEvent) -> None:
    """Ignore the event."""


def hear_rate(sound: Samples) -> Samples:
    """Resample (n,) float32 from `SPEAK_RATE` to `HEAR_RATE`."""
    return Resampler(SPEAK_RATE)(sound)


def share(found: Sequence[bool]) -> float:
    """The share that is true, in [0, 1]; 0 for an empty sequence."""
    return float(np.mean(found)) if found else 0.0
