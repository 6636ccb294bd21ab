"""While the user still speaks, what was said so far is transcribed, and the language model reads it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Abilities, Message
from tests.loop.conversation import Conversation, engine


class Reader(fakes.ScriptedLLM):
    """A language model that takes ``reading_s`` to read, and notes when it was asked to."""

    abilities = Abilities(prepares=True)

    def __init__(self, reading_s: float = 0.0) -> None:
        super().__init__()
        self.reading_s = reading_s
        self.read: list[tuple[float, str]] = []
        self.told: list[str] = []  # the system prompts that it read
        self.replied_at: list[float] = []
        self.free = True

    async def prepare(self, messages: Sequence[Message]) -> None:
        self.free = False
        self.read.append((asyncio.get_running_loop().time(), messages[-1].content))
        self.told.append(messages[0].content)
        await asyncio.sleep(self.reading_s)
        self.free = True

    async def reply(self, messages: Sequence[Message]):  # type: ignore[override]
        assert self.free, "a reply began while the model was reading"
        self.replied_at.append(asyncio.get_running_loop().time())
        async for delta in super().reply(messages):
            yield delta


def _turn(model: fakes.ScriptedLLM, asr: fakes.ScriptedASR, speech_s: float) -> Conversation:
    async def script() -> Conversation:
        async with Conversation(engine(llm=model, asr=asr)) as talk:
            await talk.hear(speech_s)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            return talk

    return run(script())


def test_the_model_reads_the_beginning_of_a_long_turn_before_it_ends():
    model = Reader()
    asr = fakes.ScriptedASR(["I went to the par", "I went to the park yesterday."], delay_s=0.3)
    talk = _turn(model, asr, 2.6)
    ended = talk.at(events.SpeechStopped)
    assert "I went to the" in [text for at, text in model.read if at < ended - 0.5], model.read
    assert model.asked[-1][-1].content == "I went to the park yesterday."


def test_a_short_turn_is_transcribed_once():
    asr = fakes.ScriptedASR()
    _turn(Reader(), asr, 0.7)
    assert len(asr.heard) == 1


def test_the_model_reads_what_is_said_after_a_second_of_it():
    model = Reader()
    talk = _turn(model, fakes.ScriptedASR(["I went hom", "I went home."], delay_s=0.2), 1.2)
    assert "I went" in [text for at, text in model.read if at < talk.at(events.SpeechStopped) - 0.1], model.read


def test_what_was_said_before_a_short_pause_is_read_while_the_user_goes_on():
    model, asr = Reader(), fakes.ScriptedASR(["I went to", "I went to the park."], delay_s=0.4)

    async def script() -> Conversation:
        async with Conversation(engine(llm=model, asr=asr)) as talk:
            await talk.hear(0.7)
            await talk.silence(0.2)
            talk.marks.append(talk.now())
            await talk.hear(1.0)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert "I went to" in [text for at, text in model.read if at < talk.marks[0] + 0.5], model.read
    assert len(asr.heard) == 2 and model.asked[-1][-1].content == "I went to the park."


def test_a_model_that_cannot_read_ahead_costs_no_transcription():
    asr = fakes.ScriptedASR()
    _turn(fakes.ScriptedLLM(), asr, 3.0)
    assert len(asr.heard) == 1


def test_a_reply_waits_until_the_model_has_read():
    model = Reader(reading_s=0.5)
    _turn(model, fakes.ScriptedASR(delay_s=0.1), 3.0)
    assert len(model.replied_at) == 1 and any(text == "Hello." for _, text in model.read)


def test_a_failing_reader_costs_nothing():
    class Broken(Reader):
        async def prepare(self, messages: Sequence[Message]) -> None:
            raise OSError("no reading today")

    talk = _turn(Broken(), fakes.ScriptedASR(), 3.0)
    assert [done.response["status"] for done in talk.all(events.ResponseDone)] == ["completed"]


def test_a_session_that_is_over_reads_no_more():
    model, problems = Reader(), list[str]()

    async def script() -> int:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(str(context)))
        async with Conversation(engine(llm=model)) as talk:
            talk.ask("Hello")
            await talk.until(events.ResponseDone)
        read = len(model.read)
        await asyncio.sleep(10.0)
        return len(model.read) - read

    assert run(script()) == 0 and not problems


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"persona": "bert"}, "You are Bert."),
        ({"memory": {"user": "tom", "consent": True}}, "Tom has a dog."),
        ({"instructions": "Talk like a pirate."}, "Talk like a pirate."),
    ],
)
def test_what_changes_is_read_before_the_next_question(change: dict[str, Any], told: str):
    model, memory = Reader(), fakes.DictMemory()
    memory.facts["tom"] = ["Tom has a dog."]

    async def script() -> None:
        async with Conversation(engine(llm=model, memory=memory)) as talk:
            await talk.silence(1.0)
            assert told not in model.told[-1]
            talk.send(events.SessionUpdate(change))
            await talk.silence(1.0)

    run(script())
    assert told in model.told[-1]


@pytest.mark.parametrize(("noise_s", "times"), [(0.06, 1), (0.3, 2)])
def test_a_pause_in_which_nothing_was_said_is_understood_once(noise_s: float, times: int):
    asr = fakes.ScriptedASR(["I am here.", "I am here now."], delay_s=0.1)

    async def script() -> None:
        async with Conversation(engine(asr=asr)) as talk:
            await talk.hear(0.6)
            await talk.silence(0.2)
            await talk.hear(noise_s)
            await talk.silence(1.5)
            await talk.until(events.ResponseDone)

    run(script())
    assert len(asr.heard) == times
