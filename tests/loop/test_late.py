"""A machine that is too busy: frames are left out, the clock is the wall's, and no word is lost."""

import asyncio

import pytest

from companion.avatar.cartoon import CartoonAnimator
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import RATE, Conversation, Inline, engine
from tests.virtual_time import run

WORDS = 20  # of a quarter of a second


def stalled(avatar: bool, seconds: float = 3.0) -> tuple[Conversation, float]:
    """Nobody is served for some time in the middle of a reply -> the conversation, and when that began."""

    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["one " * WORDS])), avatar=avatar) as talk:
            talk.ask("Count")
            await talk.until(events.AudioDelta, 3)
            at = talk.now()
            asyncio.get_running_loop().now += seconds
            await talk.until(events.ResponseDone)
            return talk, at

    return run(script())


def lag(talk: Conversation, kind: type[events.ServerEvent]) -> list[float]:
    """Of each event: ms between its place on the output clock and the moment at which it was sent."""
    return [at * 1000 - event.pts_ms for at, event in talk.log if isinstance(event, kind)]


@pytest.mark.parametrize("avatar", [True, False])
def test_a_stall_is_left_out_and_what_is_said_is_whole(avatar):
    talk, _ = stalled(avatar)
    late = lag(talk, events.AudioDelta)
    assert max(late) - min(late) < 100
    assert len(talk.sound()) == WORDS * 0.25 * RATE
    pts = [event.pts_ms for event in talk.all(events.AudioDelta)]
    (gap,) = [b - a for a, b in zip(pts, pts[1:], strict=False) if b - a > 81]
    assert gap == pytest.approx(3000, abs=120)


def test_a_client_with_a_face_is_told_from_where_on_and_for_how_long():
    talk, at = stalled(True)
    (told,) = talk.all(events.AvatarDelayed)
    assert told.delay_ms == pytest.approx(3000, abs=100)
    assert told.pts_ms == pytest.approx(at * 1000, abs=100)
    frames = [event.pts_ms for event in talk.all(events.VideoDelta)]
    assert not [pts for pts in frames if told.pts_ms + 40 <= pts < told.pts_ms + told.delay_ms - 40]
    assert talk.engine.metrics.registry.get_sample_value("vasari_late_total") == 1


def test_what_was_heard_does_not_count_the_time_that_was_left_out():
    async def script():
        async with Conversation(engine(llm=fakes.ScriptedLLM(["one " * WORDS])), avatar=True) as talk:
            talk.ask("Count")
            await talk.until(events.AudioDelta, 3)
            asyncio.get_running_loop().now += 3.0
            await asyncio.sleep(0.5)
            talk.send(events.ResponseCancel())
            return talk

    (done,) = run(script()).all(events.ResponseDone)
    assert len(done.response["output"][0]["content"][0]["transcript"].split()) <= 3


@pytest.mark.parametrize("chunk_frames", [1, 2])
def test_a_face_that_is_always_too_slow_loses_frames_and_keeps_time(chunk_frames):
    async def script():
        slow = engine(animator=CartoonAnimator(16, chunk_frames), device=Inline(0.2))
        async with Conversation(slow, avatar=True) as talk:
            await asyncio.sleep(60)
            return talk

    talk = run(script())
    late = lag(talk, events.VideoDelta)
    assert max(late) < 1100
    assert late[-1] < late[20] + 300, "it does not fall behind more and more"
    assert 60 / 0.2 * chunk_frames * 0.9 < len(late) < 60 / 0.2 * chunk_frames * 1.1
    undrawn = talk.engine.metrics.registry.get_sample_value("vasari_frames_undrawn_total")
    assert undrawn == pytest.approx(60 * 25 - len(late), abs=25)
    assert not talk.all(events.AvatarDelayed), "the sound is in time"
