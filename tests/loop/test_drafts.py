"""At a pause of the user the language model begins its reply: kept if the turn ends so, else nobody hears of it."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from companion.call.virtual_time import run
from companion.config import Talk
from companion.dialogue.personas import personas
from companion.dialogue.personas.feelings import Feeling
from companion.dialogue.personas.manners import Answer, Manners
from companion.dialogue.personas.personas import Prompts
from companion.engine import Engine
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Abilities, Message
from tests.loop.conversation import PERSONA, Conversation, asked, engine, said

TOKEN = 0.1  # s


class Own(fakes.ScriptedLLM):
    """A model of this process, which does one thing at a time: ``begun`` and ``ended`` are when it did so."""

    abilities = Abilities(prepares=True, continues=True)

    def __init__(self, replies: Sequence[str] = ("It is late. I am sure of that.",)) -> None:
        super().__init__(replies, TOKEN)
        self.begun: list[float] = []
        self.ended: list[float] = []
        self.said = 0  # words

    async def prepare(self, messages: Sequence[Message]) -> None:
        """It reads in no time."""

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        assert len(self.begun) == len(self.ended), "two replies at a time"
        self.begun.append(loop.time())
        try:
            async for delta in super().reply(messages):
                self.said += 1
                yield delta
        finally:
            self.ended.append(loop.time())


class Endpoint(fakes.ScriptedLLM):
    """A model that somebody pays for."""


def _engine(model: fakes.ScriptedLLM, texts: Sequence[str] = ("Why is that?",), **changes: Any) -> Engine:
    return engine(llm=model, asr=fakes.ScriptedASR(texts), **changes)


def _hesitating(made: Engine) -> Conversation:
    """The user pauses for 0.3 s in the middle of a turn, which is not over then."""

    async def script() -> Conversation:
        async with Conversation(made) as talk:
            await talk.hear(0.7)
            await talk.silence(0.3)
            talk.marks.append(talk.now())
            await talk.hear(0.7)
            talk.marks.append(talk.now())
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            return talk

    return run(script())


def test_the_reply_is_begun_before_the_turn_is_over():
    model = Own()
    talk = asked(_engine(model), 1)
    assert model.begun[0] < talk.at(events.SpeechStopped) - 0.1
    assert len(model.begun) == 1, "what was drafted was asked for again"
    assert said(talk) == ["It is late. I am sure of that."]


def test_a_draft_makes_the_reply_come_sooner():
    def first_sound(model: fakes.ScriptedLLM) -> float:
        talk = asked(_engine(model), 1)
        return talk.at(events.AudioDelta) - talk.marks[0]

    class Plain(Own):
        abilities = Abilities(prepares=True)

    assert first_sound(Own()) < first_sound(Plain()) - 2 * TOKEN


@pytest.mark.parametrize("delay_ms", range(350, 460, 10))
def test_words_that_are_known_just_when_the_turn_ends_are_asked_about_once(delay_ms: int):
    class Feelings:
        async def tell(self, text: str) -> Feeling:
            await asyncio.sleep(0.03)
            return Feeling()

    model = Own()
    asked(engine(llm=model, asr=fakes.ScriptedASR(["Why is that?"], delay_ms / 1000), feelings=Feelings()), 1)
    assert [[m.content for m in messages[-2:]] for messages in model.asked] == [["Hello.", "Why is that?"]]


def test_what_was_drafted_is_dropped_at_once_when_the_user_goes_on():
    model = Own()
    talk = _hesitating(_engine(model, ["Why is", "Why is that?"]))
    assert model.ended[0] - talk.marks[0] < 0.15
    assert [asked[-1].content for asked in model.asked] == ["Why is", "Why is that?"]
    assert said(talk) == ["It is late. I am sure of that."]


def test_a_draft_that_was_dropped_leaves_no_trace():
    model = Own(["Never to be said at all.", "It is late.", "It is later."])

    async def script() -> Conversation:
        async with Conversation(_engine(model, ["Why is", "Why is that?", "And now?"])) as talk:
            await talk.hear(0.7)
            await talk.silence(0.3)
            await talk.hear(0.7)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone)
            await talk.hear(0.7)
            await talk.silence(1.0)
            await talk.until(events.ResponseDone, 2)
            return talk

    talk = run(script())
    assert said(talk) == ["It is late.", "It is later."]
    assert "Never" not in str(talk.log)
    asked = [(message.role, message.content) for message in model.asked[-1]]
    assert asked[-3:] == [("user", "Why is that?"), ("assistant", "It is late."), ("user", "And now?")]


def test_the_opener_that_a_draft_goes_on_from_is_the_one_that_is_said():
    model = Own(["it depends."])
    made = _engine(model, ["Why is that?", "I sold my bicycle today.", "What do you like?"])
    made = replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", openers=personas.load().openers))
    talk = asked(made, 7)
    assert len(model.begun) == 7, "an opener was drafted with and another one said"
    assert all(text.lower().endswith("it depends.") for text in said(talk))


def test_who_interrupts_the_reply_ends_its_draft():
    model = Own(["Once upon a time, there was a very long story. " * 5])

    async def script() -> Conversation:
        async with Conversation(_engine(model)) as talk:
            await talk.hear(0.6)
            await talk.silence(1.5)
            talk.marks.append(talk.now())
            await talk.hear(2.0)
            await talk.until(events.ResponseDone)
            return talk

    talk = run(script())
    assert model.ended[0] < talk.at(events.ResponseDone) + TOKEN
    assert model.said < 45


def test_an_endpoint_is_not_asked_in_vain():
    model = Endpoint(["It is late."], TOKEN)
    _hesitating(_engine(model, ["Why is", "Why is that?"]))
    assert [asked[-1].content for asked in model.asked] == ["Why is that?"]


def test_an_endpoint_drafts_where_the_config_says_so():
    model = Endpoint(["It is late."], TOKEN)
    talk = _hesitating(_engine(model, ["Why is", "Why is that?"], talk=Talk(persona="anna", drafts_of_endpoints=True)))
    assert [asked[-1].content for asked in model.asked] == ["Why is", "Why is that?"]
    assert said(talk) == ["It is late."]


@pytest.mark.parametrize("text", ["I want to kill myself.", "Are you a real person?"])
def test_what_care_answers_is_not_the_draft(text: str):
    model = Own(["Never to be said at all." * 20])
    talk = asked(_engine(model, [text]), 1)
    assert "Never" not in said(talk)[0]
    assert model.ended[0] < talk.at(events.AudioDelta), "the model went on although nobody wanted to know"


def test_a_lesson_is_not_drafted():
    model = Own()
    made = engine(llm=model, asr=fakes.ScriptedASR(["Hi.", "Yes.", "Two."]), talk=Talk(persona="carl"))
    talk = asked(made, 3)
    assert "Right." in said(talk)[2]
    assert len(model.begun) == 1


def test_a_failing_draft_is_told_of_once():
    class Failing(Own):
        async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
            raise OSError("no words")
            yield ""

    talk = asked(_engine(Failing()), 1)
    assert [error.error.code for error in talk.all(events.Error)] == ["llm_failed"]


def test_an_answer_whose_beginning_is_fixed_is_drafted_from_it():
    model = Own(["a program."])
    made = _engine(model, ["Where is that?"])
    manners = Manners(answers=(Answer(re.compile("Where"), "It is in"),))
    made = replace(made, prompts=replace(made.prompts, openers=personas.load().openers, manners=manners))
    assert said(asked(made, 1)) == ["It is in a program."]
    assert [messages[-1].content for messages in model.asked] == ["It is in"]
