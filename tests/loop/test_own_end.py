"""Whoever ends a response ends its own: what an interrupted one still does or raises touches nothing any more."""

import asyncio

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Speech
from tests.loop.conversation import Conversation, engine


class Spiteful:
    """A stage that answers its cancellation with an error of its own, or with more of the same."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0

    async def reply(self, messages):
        self.calls += 1
        yield "One two three. "
        if self.calls == 1:
            await self._linger()
            yield "Four five six. "

    async def speak(self, text, emotion="neutral"):
        self.calls += 1
        yield Speech(np.full(24_000, 0.1, np.float32))
        if self.calls == 1:
            await self._linger()
            yield Speech(np.full(24_000, 0.9, np.float32))

    async def _linger(self):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            if self.error:
                raise self.error from None


async def _cancelled_and_asked_again(made, **wishes):
    """The second question comes with the cancellation of the first answer, as a client sends them."""
    async with Conversation(made) as talk:
        talk.ask("First", **wishes)
        await asyncio.sleep(0.5)
        talk.send(events.ResponseCancel())
        talk.ask("Second", **wishes)
        await talk.until(events.ResponseDone, 2)
        await asyncio.sleep(2)
        return talk


@pytest.mark.parametrize("error", [ValueError("late"), None])
@pytest.mark.parametrize("stage", ["llm", "tts"])
@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_stage_that_does_not_take_its_cancellation_leaves_the_next_answer_alone(stage, error, modality):
    talk = run(_cancelled_and_asked_again(engine(**{stage: Spiteful(error)}), output_modalities=[modality]))
    first, second = talk.all(events.ResponseDone)
    if (stage, modality) == ("tts", "text"):
        assert first.response["status"] == "completed"  # nothing was spoken, so nothing lingered
    else:
        assert first.response["status"] == "cancelled"
    assert second.response["status"] == "completed"
    assert len(talk.all(events.ResponseCreated)) == len(talk.all(events.ResponseDone)) == 2
    of_first = [i for i, (_, event) in enumerate(talk.log) if getattr(event, "response_id", "") == first.response["id"]]
    done = next(i for i, (_, event) in enumerate(talk.log) if event is first)
    assert not [i for i in of_first if i > done]  # but its sound may be said to be over
    assert np.abs(talk.sound()).max(initial=0) < 0.5  # nothing of the first is said with the second


@pytest.mark.parametrize("stage", ["llm", "tts"])
@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_stage_that_is_cancelled_by_itself_fails_its_answer(stage, modality):
    class Resigning:
        async def reply(self, messages):
            raise asyncio.CancelledError
            yield ""

        speak = reply

    async def script():
        async with Conversation(engine(**{stage: Resigning()})) as talk:
            talk.ask("First", output_modalities=[modality])
            await talk.until(events.ResponseDone)
            return talk

    spoken = (stage, modality) != ("tts", "text")
    assert run(script()).all(events.ResponseDone)[0].response["status"] == ("failed" if spoken else "completed")


def test_a_failure_is_logged_with_its_code_and_place_and_without_words(caplog):
    class Failing:
        async def reply(self, messages):
            yield "Fine so far. "
            raise ValueError("what the user said")

    async def script():
        async with Conversation(engine(llm=Failing())) as talk:
            talk.ask("First")
            await talk.until(events.ResponseDone)

    run(script())
    assert "llm_failed, ValueError at " in caplog.text
    assert "what the user said" not in caplog.text


def test_a_piece_of_speech_that_is_ready_when_its_answer_is_interrupted_is_dropped():
    class Punctual:
        def __init__(self):
            self.ready = asyncio.Event()

        async def speak(self, text, emotion="neutral"):
            yield Speech(np.full(12_000, 0.1, np.float32))
            await self.ready.wait()
            yield Speech(np.full(12_000, 0.1, np.float32))

    async def script():
        voice = Punctual()
        async with Conversation(engine(tts=voice, llm=fakes.ScriptedLLM(["One two three four."]))) as talk:
            talk.ask("First")
            await talk.until(events.AudioDelta)
            voice.ready.set()  # the next piece arrives in this very turn of the loop
            talk.send(events.ResponseCancel())
            talk.ask("Second")
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert [done.response["status"] for done in talk.all(events.ResponseDone)] == ["cancelled", "completed"]
    assert not talk.all(events.Error)
    assert talk.all(events.ResponseDone)[1].response["output"][0]["content"][0]["transcript"] == "One two three four."
