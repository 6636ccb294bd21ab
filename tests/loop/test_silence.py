"""A user who says nothing for too long is spoken to."""

from dataclasses import replace
from typing import Any

import pytest

from companion.call.virtual_time import run
from companion.config import Talk
from companion.dialogue.personas.personas import Prompts, Silence
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import PERSONA, Conversation, engine

SILENCE = Silence(("Still there?", "Take your time."), "(They say nothing.)")


def _made(**changes: Any):
    made = engine(**{"llm": fakes.ScriptedLLM(["I heard you."])} | changes)
    return replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", silence=SILENCE))


def _limit(milliseconds: int | None, kind: str = "server_vad") -> events.SessionUpdate:
    detection = {"type": kind, "idle_timeout_ms": milliseconds}
    return events.SessionUpdate({"audio": {"input": {"turn_detection": detection}}})


def _silent(limit: int | None, seconds: float, **changes: Any) -> Conversation:
    """The user asks something, hears the answer, and is silent for so many seconds more."""

    async def script() -> Conversation:
        async with Conversation(_made(**changes)) as talk:
            talk.send(_limit(limit))
            await talk.silence(8.0)
            await talk.hear(0.6)
            await talk.silence(0.8)
            await talk.until(events.ResponseDone)
            await talk.silence(seconds)
            return talk

    return run(script())


def test_silence_after_a_reply_is_answered_and_then_answered_again():
    talk = _silent(6000, 15.0)
    triggered = talk.all(events.InputAudioBufferTimeoutTriggered)
    assert len(triggered) == 2
    first_reply_over = talk.at(events.ResponseDone)
    assert talk.at(events.InputAudioBufferTimeoutTriggered) - first_reply_over == pytest.approx(6.0, abs=0.2)
    assert triggered[0].audio_end_ms - triggered[0].audio_start_ms == pytest.approx(6000, abs=100)
    said = [done.response["output"][0]["content"][0]["transcript"] for done in talk.all(events.ResponseDone)]
    assert set(said[1:]) == {"Still there?", "Take your time."}


def test_the_silence_is_an_item_that_says_nothing():
    talk = _silent(6000, 8.0)
    triggered = talk.all(events.InputAudioBufferTimeoutTriggered)[0]
    kinds = talk.kinds()
    assert kinds[kinds.index(triggered.type) + 1] == "input_audio_buffer.committed"
    assert triggered.item_id in [event.item_id for event in talk.all(events.InputAudioBufferCommitted)]
    assert all(content != "" for _, content in talk.history())


def test_nobody_is_prompted_who_was_not_answered_yet_or_has_no_limit():
    assert not _silent(None, 40.0).all(events.InputAudioBufferTimeoutTriggered)
    assert len(_silent(30_000, 20.0).all(events.ResponseDone)) == 1


def test_speech_begins_the_wait_anew():
    async def script() -> Conversation:
        async with Conversation(_made()) as talk:
            talk.send(_limit(5000))
            for _ in range(4):
                await talk.hear(0.6)
                await talk.silence(4.0)
            return talk

    assert not run(script()).all(events.InputAudioBufferTimeoutTriggered)


def test_a_model_that_can_finds_words_of_its_own():
    model = fakes.ScriptedLLM(["I heard you.", "Shall we go on?"])
    talk = _silent(5000, 8.0, llm=model, talk=Talk(persona="anna", feeling_tags=True))
    assert model.asked[-1][-1].content == "(They say nothing.)"
    assert talk.all(events.ResponseDone)[1].response["output"][0]["content"][0]["transcript"] == "Shall we go on?"


def test_a_limit_out_of_range_is_refused():
    async def script() -> Conversation:
        async with Conversation(_made()) as talk:
            talk.send(_limit(100))
            return talk

    error = run(script()).all(events.Error)[0].error
    assert error.param is not None and error.param.endswith("idle_timeout_ms")
