"""What the face hears of the user, and what it makes of it, on a clock that jumps."""

import asyncio
from typing import Any

import numpy as np
import pytest

from animator.control import Control
from animator.face import Shown
from animator.live import LiveFace
from animator.motion.generator import Generator
from animator.motion.rows.space import HEAD_PITCH
from animator.units import SAMPLES_PER_FRAME
from companion.call.virtual_time import run
from companion.hearing.audio.user_voice import UserVoice
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE
from tests.loop.conversation import BRISK, RATE, Conversation, Watching, engine


class Blank:
    """Draws nothing."""

    def draw_many(self, motions: Any, out: Any = None) -> Any:
        return np.zeros((len(motions), 16, 16, 3), np.uint8)


class Moving:
    """Faces that really move, and what they did: (frames, 64)."""

    size = 16

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self.chunks: list[Any] = []

    @property
    def rows(self) -> Any:
        return np.concatenate(self.chunks)

    def open(self, portrait: Any) -> LiveFace:
        face = LiveFace(Generator(self._seed), Blank(), 16)
        step = face.step

        def watch(audio: Any, control: Control, other: Any, every: int) -> Shown:
            shown = step(audio, control, other, every)
            self.chunks.append(shown.motion)
            return shown

        face.step = watch  # type: ignore[method-assign]
        return face


def heard(script: Any, **changes: Any) -> Any:
    """What the face heard of the user in ``script``, frame by frame: how loud."""
    animator = Watching()

    async def talk() -> None:
        async with Conversation(engine(animator=animator, **changes), avatar=True) as talk:
            await script(talk)

    run(talk())
    return np.array([np.abs(sound).max() for sound in animator.heard])


def test_the_face_hears_the_user_while_they_speak():
    async def script(talk: Conversation) -> None:
        await talk.silence(1.0)
        await talk.hear(2.0)
        await talk.silence(1.0)

    loud = heard(script) > 0.05
    assert loud.sum() / 25 == pytest.approx(2.0, abs=0.15)
    assert loud[np.argmax(loud) :][:45].mean() > 0.95, "without holes"


@pytest.mark.parametrize("rate", [24_000, 16_000])
def test_it_hears_them_at_either_rate_and_without_turn_detection(rate: int):
    async def script(talk: Conversation) -> None:
        settings = {"format": {"type": "audio/pcm", "rate": rate}, "turn_detection": None}
        talk.send(events.SessionUpdate({"audio": {"input": settings}}))
        sound = np.tile(0.3 * (2 * (200 * np.arange(rate // 50) / rate % 1) - 1), 50)
        for packet in (sound * 32767).astype("<i2").reshape(50, -1):
            talk.send(events.InputAudioBufferAppend(packet.tobytes()))
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)

    loud = heard(script) > 0.05
    assert loud.sum() / 25 == pytest.approx(1.0, abs=0.15)


def test_packets_that_come_in_heaps_leave_no_holes_and_a_closed_microphone_is_silence():
    async def script(talk: Conversation) -> None:
        pcm = (np.tile(0.3 * (2 * (200 * np.arange(RATE // 50) / RATE % 1) - 1), 100) * 32767).astype("<i2")
        for packet in pcm.reshape(10, -1):
            talk.send(events.InputAudioBufferAppend(packet.tobytes()))
            await asyncio.sleep(0.2)
        await asyncio.sleep(3.0)

    loud = heard(script) > 0.05
    first = int(np.argmax(loud))
    assert loud[first : first + 45].mean() > 0.95
    assert loud[first + 60 :].sum() <= 1


def test_a_quiet_microphone_is_heard_as_loud_as_another_one():
    def level(gain: float) -> float:
        voice, rng = UserVoice(), np.random.default_rng(0)
        for _ in range(30):
            voice.put((gain * rng.standard_normal(512)).astype(np.float32), 1.0)
            sound = voice.take(512 * SPEAK_RATE // HEAR_RATE)
        return float(np.sqrt(np.mean(sound**2)))

    assert level(0.03) == pytest.approx(level(0.3), rel=0.1)


def test_of_a_voice_that_comes_too_fast_the_newest_is_heard_and_little_is_kept():
    voice = UserVoice()
    for number in range(1, 101):
        voice.put(np.full(512, number / 100, np.float32), 1.0)
    first = voice.take(2 * SAMPLES_PER_FRAME)
    later = [voice.take(2 * SAMPLES_PER_FRAME) for _ in range(6)]
    assert first.max() > 0
    assert sum(bool(np.abs(sound).max() > 0.01) for sound in later) <= 4
    assert not later[-1].any()


def nods(rows: Any, first: float, last: float) -> bool:
    """Whether the head sinks by 2 degrees within 0.24 s in between, in seconds."""
    fall = rows[:-6, HEAD_PITCH] - rows[6:, HEAD_PITCH]
    return bool((fall[int(25 * first) : int(25 * last)] > 2.0).any())


def test_a_face_nods_when_a_phrase_of_the_user_ends_and_not_before():
    """Of five seeds."""
    found = {"before": 0, "after": 0}
    for seed in range(5):
        animator = Moving(seed)
        rows, end = run(_phrase(animator))
        found["before"] += nods(rows, 1.5, end - 0.1)
        found["after"] += nods(rows, end + 0.3, end + 1.3)
    assert found["after"] >= 3
    assert found["before"] <= 1


async def _phrase(animator: Moving) -> tuple[Any, float]:
    """-> rows, and the second at which a phrase of the user was over."""
    async with Conversation(engine(animator=animator), avatar=True) as talk:
        await talk.silence(1.5)
        await talk.hear(1.5)
        end = len(animator.rows) / 25
        await talk.silence(1.5)
        return animator.rows, end


def test_a_face_does_not_listen_to_its_own_voice_from_the_loudspeakers():
    async def script(talk: Conversation) -> None:
        await talk.silence(1.0)
        talk.ask("Hello")
        while not talk.all(events.ResponseDone):
            await talk.play(0.3 * talk.session.show.recent()[-RATE // 50 :])
        await talk.silence(1.0)

    llm = fakes.ScriptedLLM(["One two three four five six seven eight nine ten eleven twelve."])
    assert (heard(script, llm=llm) > 0.05).sum() < 5, "the last of it at most, when it has fallen silent"


def test_but_it_listens_to_who_interrupts_it():
    async def script(talk: Conversation) -> None:
        talk.ask("Hello")
        await talk.silence(1.0)
        await talk.hear(2.0)
        await talk.silence(0.5)

    llm = fakes.ScriptedLLM(["One two three four five six seven eight nine ten eleven twelve."])
    loud = heard(script, llm=llm, turns=BRISK) > 0.05
    assert 1.2 < loud.sum() / 25 < 2.1
