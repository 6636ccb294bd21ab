"""Speech comes in pieces of any kind and leaves whole, in time with its pictures, or not at all once it is cleared."""

from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

from animator.control import Control
from animator.live import LiveFace
from animator.streaming import Moment, StreamedFace
from animator.units import RATE, SAMPLES_PER_FRAME, pcm16

TOO_LONG = 100  # frames


@pytest.fixture
def streamed(lamp: LiveFace) -> Iterator[StreamedFace]:
    face = StreamedFace(lamp)
    yield face
    face.close()


def steps(rate: int, levels: tuple[float, ...]) -> np.ndarray:
    """40 ms of a tone at each level, int16."""
    tone = np.sin(2 * np.pi * 400 * np.arange(rate // 25) / rate)
    return (np.concatenate([level * tone for level in levels]) * 32767).astype(np.int16)


async def until_end(moments: AsyncIterator[Moment]) -> list[Moment]:
    seen: list[Moment] = []
    async for moment in moments:
        seen.append(moment)
        if moment.ended:
            return seen
        assert len(seen) < TOO_LONG
    raise AssertionError


def brightness(moment: Moment) -> float:
    return moment.picture.mean() / 250


@pytest.mark.parametrize(("rate", "channels"), [(24_000, 1), (16_000, 1), (44_100, 2), (8_000, 1)])
async def test_every_picture_shows_its_own_sound(streamed: StreamedFace, rate: int, channels: int):
    levels = 0.2, 0.8, 0.4, 0.0, 0.6
    pcm = np.repeat(steps(rate, levels)[:, None], channels, axis=1)
    for piece in np.array_split(pcm, 7):
        streamed.say(piece, rate)
    assert streamed.end()
    said = [moment for moment in await until_end(aiter(streamed)) if moment.sound is not None]
    assert len(said) == len(levels)
    loud = np.array([np.abs(moment.sound).max() for moment in said])
    seen = np.array([brightness(moment) for moment in said])
    inner = [np.abs(moment.sound[100:-100]).max() for moment in said]
    np.testing.assert_allclose(inner, levels, atol=0.05)
    np.testing.assert_allclose(seen, loud * (seen[1] / loud[1]), atol=0.02)  # it moves as a voice of usual loudness
    assert seen[1] > 0.2
    assert not streamed.busy


async def test_what_is_said_is_what_was_sent(streamed: StreamedFace):
    pcm = np.random.default_rng(0).integers(-9000, 9000, 2500).astype(np.int16)
    streamed.say(pcm, RATE)
    streamed.end()
    sound = np.concatenate([m.sound for m in await until_end(aiter(streamed)) if m.sound is not None])
    assert pcm16(sound) == np.pad(pcm, (0, 3 * SAMPLES_PER_FRAME - len(pcm))).tobytes()


async def test_cleared_speech_is_neither_heard_nor_seen_nor_ended(streamed: StreamedFace):
    moments = aiter(streamed)
    streamed.say(steps(RATE, (0.9,) * 50), RATE)
    while (await anext(moments)).sound is None:
        pass
    streamed.clear()
    assert not streamed.end()
    silent = [await anext(moments) for _ in range(12)]
    assert all(moment.sound is None and not moment.ended for moment in silent)
    assert all(brightness(moment) == 0 for moment in silent[2:])  # but for the chunk that was drawn already

    streamed.say(steps(RATE, (0.5, 0.5)), RATE)
    streamed.end()
    assert sum(moment.sound is not None for moment in await until_end(moments)) == 2


async def test_two_utterances_end_in_their_order(streamed: StreamedFace):
    moments = aiter(streamed)
    for level in (0.3, 0.7):
        streamed.say(steps(RATE, (level,)), RATE)
        streamed.end()
    first, second = await until_end(moments), await until_end(moments)
    assert brightness(first[-1]) == pytest.approx(0.3, abs=0.02)
    assert brightness(second[-1]) == pytest.approx(0.7, abs=0.02)


async def test_nothing_said_is_a_face_without_sound_or_end(streamed: StreamedFace):
    assert not streamed.end()
    moments = aiter(streamed)
    assert not any((m.sound is not None) or m.ended for m in [await anext(moments) for _ in range(6)])


class Wishes(LiveFace):
    """Keeps what it was asked for."""

    def __init__(self, face: LiveFace) -> None:
        self.__dict__.update(face.__dict__)
        self.states: list[str] = []
        self.loudest = 0.0

    def step(self, audio, control, other=None):
        self.states.append(control.state)
        self.loudest = max(self.loudest, float(np.abs(audio).max()))
        return super().step(audio, control, other)


async def test_it_speaks_while_something_is_said_and_a_faint_voice_moves_it_as_any_other(lamp: LiveFace):
    face = Wishes(lamp)
    streamed = StreamedFace(face, Control("listening"))
    moments = aiter(streamed)
    await anext(moments)
    rng = np.random.default_rng(1)
    syllables = np.repeat(np.tile([1.0, 0.3, 0.6, 0.1], 10), SAMPLES_PER_FRAME) * rng.uniform(-0.02, 0.02, 40 * 960)
    streamed.say((syllables * 32767).astype(np.int16), RATE)
    streamed.end()
    seen = await until_end(moments)
    for _ in range(4):
        await anext(moments)
    streamed.close()
    assert (face.states[0], face.states[3], face.states[-1]) == ("listening", "speaking", "listening")
    assert max(np.abs(m.sound).max() for m in seen if m.sound is not None) < 0.021
    assert face.loudest > 0.1
