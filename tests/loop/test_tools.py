"""Function calling: the client's tools, the server's own, and what they do not disturb."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from langchain_core.tools import tool

from companion.call.virtual_time import run
from companion.config import Stage
from companion.dialogue.lessons.tutor import Tutor
from companion.dialogue.replying.toolbox import RUNNING_NOTE
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import Call, Message
from tests.loop.conversation import PERSONA, SUMS, TUTORING, Conversation, engine

WEATHER = {"type": "function", "name": "weather", "description": "The weather.", "parameters": {"type": "object"}}


def slow(host):
    @tool
    async def wait(seconds: float) -> str:
        """Wait."""
        await asyncio.sleep(seconds)
        return f"waited {seconds:g}"

    return wait


def broken(host):
    @tool
    async def fail() -> str:
        """Fail."""
        raise ValueError("the user's secret")

    return fail


def tooled(llm, **tools):
    """An engine whose persona has the server's ``tools``."""
    made = engine(llm=llm)
    made = replace(made, config=replace(made.config, tools=tools))
    made.prompts.personas["anna"] = replace(PERSONA, tools=tuple(tools))
    return made


def test_a_tool_of_the_client_is_called_by_the_client():
    async def script():
        llm = fakes.ScriptedCaller('{"city": "Oslo"}', replies=["It rains in Oslo."])
        async with Conversation(engine(llm=llm)) as talk:
            talk.send(events.SessionUpdate({"output_modalities": ["text"], "tools": [WEATHER]}))
            talk.ask("How is the weather?")
            done = (await talk.until(events.ResponseDone)).response
            (call,) = done["output"]
            assert (call["type"], call["name"], call["arguments"]) == ("function_call", "weather", '{"city": "Oslo"}')
            result = {"type": "function_call_output", "call_id": call["call_id"], "output": "Rain"}
            talk.send(events.ConversationItemCreate(result))
            talk.send(events.ResponseCreate())
            done = (await talk.until(events.ResponseDone, 2)).response
            assert done["output"][0]["content"][0]["text"].strip() == "It rains in Oslo."
        assert llm.offered[0] == [WEATHER]
        assert llm.asked[-1][-2:] == [
            Message("assistant", "", (Call("call_1", "weather", '{"city": "Oslo"}'),)),
            Message("tool", "Rain", call_id="call_1"),
        ]
        return talk

    talk = run(script())
    assert "".join(e.delta for e in talk.all(events.CallArgumentsDelta)) == '{"city": "Oslo"}'


def test_a_result_that_never_came_does_not_reach_the_model():
    async def script():
        llm = fakes.ScriptedCaller(replies=["Well."])
        async with Conversation(engine(llm=llm)) as talk:
            talk.send(events.SessionUpdate({"output_modalities": ["text"], "tools": [WEATHER]}))
            talk.ask("How is the weather?")
            await talk.until(events.ResponseDone)
            talk.send(events.SessionUpdate({"tool_choice": "none"}))
            talk.ask("Never mind.")
            await talk.until(events.ResponseDone, 2)
        assert not any(message.calls for message in llm.asked[-1])

    run(script())


def test_the_face_goes_on_and_the_user_may_interrupt_while_a_tool_runs():
    async def script():
        llm = fakes.ScriptedCaller('{"seconds": 20}', replies=["Done."])
        made = tooled(llm, wait=Stage("tests.loop.test_tools:slow"))
        async with Conversation(made, avatar=True) as talk:
            talk.ask("Wait a little.")
            await talk.until(events.CallArgumentsDone)
            before = len(talk.all(events.VideoDelta))
            await asyncio.sleep(2.0)
            assert len(talk.all(events.VideoDelta)) - before == pytest.approx(50, abs=3)
            assert talk.all(events.AvatarState)[-1].state == "thinking"
            talk.send(events.ResponseCancel())
            assert (await talk.until(events.ResponseDone)).response["status"] == "cancelled"
            talk.ask("Again.")
            done = (await talk.until(events.ResponseDone, 2)).response
            assert done["status"] == "completed"
            assert Message("tool", RUNNING_NOTE, call_id="call_1") in llm.asked[-1]
            assert len(talk.all(events.CallArgumentsDone)) == 1  # it is not begun again
            await asyncio.sleep(20)
            talk.ask("And?")
            await talk.until(events.ResponseDone, 3)
            assert Message("tool", "waited 20", call_id="call_1") in llm.asked[-1]
        return talk

    talk = run(script())
    assert "Done." in [e.transcript for e in talk.all(events.AudioTranscriptDone)]
    assert [e.item["output"] for e in talk.all(events.ItemDone) if "output" in e.item] == ["waited 20"]


def test_a_tool_that_fails_is_told_to_the_model_without_what_it_said():
    async def script():
        llm = fakes.ScriptedCaller(replies=["Sorry."])
        async with Conversation(tooled(llm, fail=Stage("tests.loop.test_tools:broken"))) as talk:
            talk.ask("Go")
            assert (await talk.until(events.ResponseDone)).response["status"] == "completed"
        assert llm.asked[-1][-1].content == "The tool failed: ValueError."

    run(script())


def test_a_timer_speaks_up_when_nobody_speaks():
    async def script():
        llm = fakes.ScriptedCaller('{"seconds": 60, "label": "Eggs"}', replies=["It is set."])
        async with Conversation(tooled(llm, timer=Stage("companion.dialogue.tools:timer"))) as talk:
            talk.ask("Set a timer for the eggs")
            await talk.until(events.ResponseDone)
            await asyncio.sleep(59)
            await talk.hear(4.0)  # the user speaks when it is over
            await talk.until(events.ResponseDone, 3)
            return talk

    talk = run(script())
    said = [e.transcript for e in talk.all(events.AudioTranscriptDone)]
    assert said[0].startswith("It is set.")
    assert said[2] == "Eggs: the time is up."


def test_a_model_that_cannot_call_is_not_offered_tools():
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate({"tools": [WEATHER]}))
            await asyncio.sleep(0)
            return talk

    problem = run(script()).all(events.Error)[0].error
    assert (problem.code, problem.param) == ("unsupported", "session.tools")


@pytest.mark.parametrize(
    "said", ["Hello!", "Can you teach me something?", "What shall we do today?", "I'm bored.", "ok"]
)
def test_a_lesson_is_offered_to_who_has_nothing_else_in_mind(said: str):
    assert offered(said) == ["Shall we?"]


@pytest.mark.parametrize(
    "said",
    ["Why does ice float?", "My dog died.", "Teach me about volcanoes.", "What does 'generous' mean?", "I am sad."],
)
def test_a_lesson_does_not_interrupt(said: str):
    assert not offered(said)
    assert offered(said, "Thank you.") == ["Shall we?"]


@pytest.mark.parametrize("said", ["I have a test about volcanoes.", "I have a question.", "I don't want a quiz."])
def test_a_test_of_ones_own_does_not_begin_the_lesson(said: str):
    assert not offered(said)


@pytest.mark.parametrize("said", ["Give me a quiz.", "I'd like some exercises.", "Let's try a few questions."])
def test_a_lesson_begins_when_it_is_wished(said: str):
    assert Tutor(SUMS, TUTORING["en"], lambda progress: None).hear(said).startswith("First:")


@pytest.mark.parametrize("said", ["and 144 divided by 6", "12 times 12?", "And five plus three?"])
def test_a_sum_of_the_learners_own_is_no_answer(said: str):
    tutor = Tutor(SUMS, TUTORING["en"], lambda progress: None)
    assert tutor.hear("Quiz me.") and not tutor.hear(said) and tutor.hear("Two.").startswith("Right.")


def offered(*turns: str) -> list[str]:
    """What a teacher adds to the replies to a learner's ``turns``."""
    tutor = Tutor(SUMS, TUTORING["en"], lambda progress: None)

    async def reply() -> AsyncIterator[str]:
        yield "Hm."

    async def script() -> list[str]:
        found = list[str]()
        for said in turns:
            assert not tutor.hear(said)
            found += [delta async for delta in tutor.guided(reply())][1:]
        return found

    return [delta.strip() for delta in asyncio.run(script())]


def test_a_lesson_is_asked_hinted_judged_and_ended():
    async def script():
        llm = fakes.ScriptedLLM(["Hello there.", "Good question."])
        async with Conversation(engine(llm=llm)) as talk:
            talk.send(events.SessionUpdate({"persona": "carl", "output_modalities": ["text"]}))
            turns = ("Hi", "Yes, please.", "My dog is ill.", "Three?", "two of course", "Thirty", "Bye")
            for count, said in enumerate(turns, 1):
                talk.ask(said)
                await talk.until(events.ResponseDone, count)
        return talk

    talk = run(script())
    assert [e.text.strip() for e in talk.all(events.TextDone)] == [
        "Hello there. Shall we?",
        "First: What is one and one?",
        "Good question.",
        "No. Use your fingers.",
        "Right. What is ten and ten?",
        "It is twenty. Done.",
        "Hello there.",
    ]
    told = talk.all(events.AvatarProgress)
    assert [(e.right, e.solved, e.over) for e in told] == [(False, 0, False), (True, 1, False), (False, 1, True)]
    assert told[-1].goals == ("Small sums",)
    assert "(Question: What is one and one?)" in talk.engine.llm.asked[1][-1].content
