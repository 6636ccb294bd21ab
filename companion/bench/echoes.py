"""Who interrupts the face: its own voice from loudspeakers should never, a user who speaks over it always.

The real `Hearing` with the real voice activity hears what a microphone would, by the rules of configs/default.toml.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

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

PACKET = HEAR_RATE // 50
CHUNK = SPEAK_RATE // 25  # samples that the face sends at a time
MEAN_DELAY, MOST_DELAY = 0.004, 0.06  # s that a chunk leaves late, on average and at most
PAUSE = 1.0  # s between two things that the face says, and after the last
PROMPT_S = 3.0  # s within which a user must have the floor
SERS = {  # dB, bounds of the groups of scenes by how loud the user is beside the echo
    "user -6 dB or less": (-np.inf, -6.0),
    "user -6 to 0 dB": (-6.0, 0.0),
    "user 0 to 6 dB": (0.0, 6.0),
    "user 6 dB or more": (6.0, np.inf),
}


@dataclass(slots=True)
class Reactions:
    """Seconds at which the face gave way, tentatively and finally; and how long it paused before it went on."""

    held: list[float] = field(default_factory=list[float])
    interrupted: list[float] = field(default_factory=list[float])
    pauses: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scene. ``ser``: dB, the user over the echo. ``false_*``: with nobody there. ``held`` and
    ``taken``: s from the beginning of the user until the face gave way and until the floor was theirs, None when never;
    ``alone``: the second of these without any echo."""

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
    """Two of ``replies`` (n,) at `SPEAK_RATE` in a room; one of ``users`` (m,) at `HEAR_RATE` speaks over them."""
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
    """Shares of scenes, and seconds."""
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
    """All, by how loud the user is beside the echo, and by the room."""
    named = {"all": list(found)}
    for name, (low, high) in SERS.items():
        named[name] = [one for one in found if low <= one.ser < high]
    for room in sorted({one.scene.room for one in found}):
        named[f"room of {room} s"] = [one for one in found if one.scene.room == room]
    return {name: group for name, group in named.items() if group}


def _placed(sound: Samples, scene: Scene, at: float, count: int) -> tuple[Samples, tuple[int, int]]:
    """(``count``,) with ``sound`` beginning to be audible at that second, and between which samples it is."""
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
    """A face that says ``reply`` from the start to the end, whatever happens; each chunk leaves a little late."""

    curious = False

    def __init__(self, reply: Samples) -> None:
        self._reply = reply  # at SPEAK_RATE
        late = np.random.default_rng(0).exponential(MEAN_DELAY, 100 + len(reply) // CHUNK)
        self._due = np.maximum.accumulate(np.arange(len(late)) * CHUNK / SPEAK_RATE + np.minimum(late, MOST_DELAY))
        self.clock = 0
        self.heard = 0.0  # s
        self.reactions = Reactions()
        self._since: float | None = None  # s, of the pause

    @property
    def speaking(self) -> bool:
        return self.clock < len(self._reply)

    def advance(self, seconds: float) -> None:
        """This much of the microphone's sound was heard."""
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
    """``reply`` (n,) at `SPEAK_RATE` is said while ``microphone`` (m,) at `HEAR_RATE` is heard.

    Understanding and judging take none of their time.
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
        hearing.append((np.clip(microphone[first : first + PACKET], -1, 1) * 32767).astype("<i2").tobytes())
        await asyncio.sleep(0)
        while tasks:  # the words of a short turn decide
            await asyncio.wait(set(tasks))
    return floor.reactions


def _nobody(event: ServerEvent) -> None:
    """Hears of it."""


def hear_rate(sound: Samples) -> Samples:
    """`SPEAK_RATE` -> `HEAR_RATE`."""
    return Resampler(SPEAK_RATE)(sound)


def share(found: Sequence[bool]) -> float:
    """The share of those that are true; 0 of none."""
    return float(np.mean(found)) if found else 0.0
