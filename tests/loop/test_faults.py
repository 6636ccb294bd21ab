"""Stages that die, hang or raise while they are cancelled: the session lives on, and the log says so without words."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Message, Speech, Transcript
from tests.loop.conversation import Changing, Conversation, engine

SECRET = "my secret words"


class Dying:
    """Any stage; it works for a moment first, and what it raises repeats what was said."""

    async def transcribe(self, audio: Any) -> Transcript:
        raise ValueError(SECRET)

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        yield "One. "
        raise ValueError(SECRET)

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        yield Speech(np.zeros(2400, np.float32))
        raise ValueError(SECRET)


class Hanging(Dying):
    """Any stage; it never answers, and raises when it is cancelled."""

    async def _hang(self) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            raise ValueError(SECRET)

    async def transcribe(self, audio: Any) -> Transcript:
        await self._hang()
        return Transcript("")

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        await self._hang()
        yield ""

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        await self._hang()
        yield Speech(np.zeros(0, np.float32))


STAGES = {"asr": fakes.ScriptedASR, "llm": fakes.ScriptedLLM, "tts": fakes.ToneTTS}


async def again(talk: Conversation, stage: Changing, name: str) -> str:
    """How the next turn ends, when the stage works again."""
    stage.now = STAGES[name]()
    done = len(talk.all(events.ResponseDone))
    await talk.hear(0.6)
    await talk.silence(1.2)
    return (await talk.until(events.ResponseDone, done + 1)).response["status"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_dies_costs_one_turn_and_is_logged_without_words(name, caplog):
    async def script():
        stage = Changing(Dying())
        async with Conversation(engine(**{name: stage})) as talk:
            await talk.hear(0.6)
            await talk.silence(1.2)
            first = (await talk.until(events.ResponseDone)).response["status"]
            return first, await again(talk, stage, name)

    caplog.set_level(logging.DEBUG)
    assert run(script()) == ("failed", "completed")
    assert [record for record in caplog.records if record.levelno == logging.ERROR]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", ["llm", "tts"])
def test_a_stage_that_hangs_and_raises_while_it_is_cancelled_is_left_behind(name, caplog):
    async def script():
        stage = Changing(Hanging())
        async with Conversation(engine(**{name: stage})) as talk:
            talk.ask("Are you there?")
            await asyncio.sleep(5)
            talk.send(events.ResponseCancel())
            first = (await talk.until(events.ResponseDone)).response["status"]
            return first, await again(talk, stage, name), talk.all(events.Error)

    first, second, problems = run(script())
    assert (first, second, problems) == ("cancelled", "completed", [])
    assert SECRET not in caplog.text


@pytest.mark.parametrize("name", STAGES)
def test_a_session_ends_whatever_hangs(name):
    async def script():
        async with Conversation(engine(**{name: Hanging()})) as talk:
            await talk.hear(0.6)
            await talk.silence(1.2)
            await asyncio.sleep(1)
            return talk

    assert run(asyncio.wait_for(script(), 60))
