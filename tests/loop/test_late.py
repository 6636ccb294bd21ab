"""A machine that is too busy: frames are left out, the clock is the wall's, and no word is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from companion.avatar.cartoon import CartoonAnimator
from companion.call.virtual_time import run
from companion.dialogue.personas import personas
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import RATE, Conversation, Inline, engine

BOOK = personas.load().openers
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


class Slow(Inline):
    """A device that takes so many ``seconds`` for each frame that it draws."""

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        done = work(*args)
        await asyncio.sleep(self.seconds * (len(done) if isinstance(done, list) else 1))
        return done


@pytest.mark.parametrize("chunk_frames", [1, 2])
def test_a_face_that_is_always_too_slow_loses_frames_and_keeps_time(chunk_frames):
    async def script():
        slow = engine(animator=CartoonAnimator(16, chunk_frames), device=Slow(0.1))
        async with Conversation(slow, avatar=True) as talk:
            await asyncio.sleep(60)
            return talk

    talk = run(script())
    late = lag(talk, events.VideoDelta)
    assert max(late) < 1100
    assert late[-1] < late[20] + 300, "it does not fall behind more and more"
    assert 60 / 0.1 * 0.9 < len(late) < 60 / 0.1 * 1.1
    undrawn = talk.engine.metrics.registry.get_sample_value("vasari_frames_undrawn_total")
    assert undrawn == pytest.approx(60 * 25 - len(late), abs=25)
    assert not talk.all(events.AvatarDelayed), "the sound is in time"


def test_a_machine_that_draws_half_of_the_frames_shows_every_second_one_and_does_not_freeze():
    async def script():
        slow = engine(animator=CartoonAnimator(16), device=Slow(0.07))
        async with Conversation(slow, avatar=True) as talk:
            await asyncio.sleep(30)
            return talk

    frames = run(script()).all(events.VideoDelta)[25:]
    steps = [b.pts_ms - a.pts_ms for a, b in zip(frames, frames[1:], strict=False)]
    assert max(steps) <= 120
    assert [frame.duration_ms for frame in frames[:-1]] == pytest.approx(steps)


async def interrupted(at: float, late: float) -> float:
    """A user begins to speak ``at`` s into the sound of a reply of some 5 s, whose opener is followed by nothing for
    half a second, over a device that is ``late`` by so many seconds -> s until the last sound of the face was sent."""
    model, hearing = fakes.ScriptedLLM(["it depends. " + "word " * 16], 0.5), fakes.ScriptedASR(["Why is that?"])
    made = engine(llm=model, asr=hearing, device=Inline(late))
    made = replace(made, prompts=replace(made.prompts, openers=BOOK))
    async with Conversation(made, avatar=True) as talk:
        await talk.hear(0.8)
        open_microphone = asyncio.create_task(talk.silence(20))
        await talk.until(events.AudioDelta)
        await asyncio.sleep(at - (talk.now() - talk.at(events.AudioDelta)))
        open_microphone.cancel()
        assert not talk.all(events.ResponseDone)
        begun = talk.now()
        await talk.hear(1.0)
        sounds = [time for time, event in talk.log if isinstance(event, events.AudioDelta) and any(event.delta)]
        return max((time for time in sounds if time >= begun), default=begun) - begun


@pytest.mark.parametrize("late", [0.0, 0.03])
def test_who_interrupts_is_given_silence_at_once_wherever_the_reply_is(late: float) -> None:
    opener, pause, middle, end = 0.05, 0.4, 1.8, 3.2
    waits = [run(interrupted(at, late)) for at in ((opener, middle) if late else (pause, end))]
    assert max(waits) < 0.2, waits
