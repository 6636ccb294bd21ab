"""A model that can prepare reads the persona before the first question, and only what still holds."""

import asyncio

from companion.call.virtual_time import run
from companion.protocol import events
from companion.protocol.events import SessionUpdate
from companion.stages import fakes
from companion.stages.protocols import Abilities
from tests.loop.conversation import Conversation, engine


class Reader(fakes.ScriptedLLM):
    abilities = Abilities(prepares=True)

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.read, self.error = [], error

    async def prepare(self, messages):
        self.read.append(messages[0].content)
        if self.error:
            raise self.error


def test_the_persona_is_read_before_the_first_question():
    async def script():
        llm = Reader()
        async with Conversation(engine(llm=llm)):
            await asyncio.sleep(1)
        return llm.read

    assert run(script()) == ["You are Anna.\n\nBe short."]


def test_of_what_a_client_asks_for_at_once_only_the_last_is_read():
    async def script():
        llm = Reader()
        async with Conversation(engine(llm=llm)) as talk:
            for animal in ("parrot", "fox"):
                talk.session.receive(SessionUpdate({"type": "realtime", "instructions": f"You are a {animal}."}))
            await asyncio.sleep(1)
        return llm.read

    assert run(script()) == ["You are a fox.\n\nBe short."]


def test_a_model_that_fails_to_prepare_does_not_end_the_session():
    async def script():
        async with Conversation(engine(llm=Reader(ValueError("broken")))) as talk:
            await asyncio.sleep(1)
            await talk.hear(1.0)
            await talk.silence(1.5)
            await talk.until(events.ResponseDone)
            return talk.all(events.ResponseDone)[0].response["status"]

    assert run(script()) == "completed"
