"""What a client says about the transcription reaches the recogniser, or is refused."""

import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import Conversation, engine


class Deaf:
    """An ASR that cannot be told anything."""

    async def transcribe(self, audio):
        return fakes.Transcript("Hello.")


def asking(**transcription):
    return events.SessionUpdate({"audio": {"input": {"transcription": transcription}}})


async def spoken(asr, *updates):
    async with Conversation(engine(asr=asr)) as talk:
        for update in updates:
            talk.send(update)
        await talk.hear(1.0)
        await talk.silence(1.5)
        await talk.until(events.ResponseDone)
        return talk


@pytest.mark.parametrize(
    ("updates", "language"),
    [
        ([asking(language="de")], "de"),
        ([asking(language="de-CH")], "de"),
        ([asking(language="DE")], "de"),
        ([asking(model="whisper-1")], ""),
        ([], ""),
        ([asking(language="de"), asking(language=None)], ""),
        ([asking(language="de"), events.SessionUpdate({"audio": {"input": {"transcription": None}}})], ""),
        ([asking(language="de"), events.SessionUpdate({"instructions": "Be brief."})], "de"),
    ],
)
def test_the_language_reaches_the_recogniser(updates, language):
    asr = fakes.ScriptedASR()
    talk = run(spoken(asr, *updates))
    assert asr.told and set(asr.told) == {language}
    assert not talk.all(events.Error)


def test_the_model_that_is_told_is_the_one_that_hears():
    talk = run(spoken(fakes.ScriptedASR(), asking(model="gpt-4o-transcribe", language="en-GB")))
    told = talk.all(events.SessionUpdated)[0].session["audio"]["input"]["transcription"]
    assert told == {"model": "default", "language": "en"}


@pytest.mark.parametrize(("asr", "known"), [(fakes.ScriptedASR(), "de, en"), (Deaf(), "none")])
def test_a_language_that_it_does_not_know_is_refused_by_name(asr, known):
    talk = run(spoken(asr, asking(language="tlh")))
    (problem,) = [event.error for event in talk.all(events.Error)]
    assert (problem.code, problem.param) == ("unsupported", "session.audio.input.transcription.language")
    assert problem.message.endswith(f"it knows {known}.")
    assert not talk.all(events.SessionUpdated)
