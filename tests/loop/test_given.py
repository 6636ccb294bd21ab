"""What a client lets the face say word for word: Azure's `pre_generated_assistant_message`."""

import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import Conversation, engine


def test_it_is_said_without_the_model_which_knows_of_it_later():
    llm = fakes.ScriptedLLM()
    message = {"role": "assistant", "content": [{"type": "text", "text": "Welcome back. Shall we go on?"}]}

    async def script():
        async with Conversation(engine(llm=llm)) as talk:
            talk.send(events.ResponseCreate({"pre_generated_assistant_message": message}))
            await talk.until(events.ResponseDone)
            asked = len(llm.asked)
            talk.ask("Yes.")
            await talk.until(events.ResponseDone, 2)
            return talk, asked

    talk, asked = run(script())
    output = talk.all(events.ResponseDone)[0].response["output"]
    assert output[0]["content"] == [{"type": "output_audio", "transcript": "Welcome back. Shall we go on?"}]
    assert asked == 0
    assert talk.history() == [("assistant", "Welcome back. Shall we go on?"), ("user", "Yes.")]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Hello.", "content"),
        ({"content": "Hello."}, "content"),
        ({"content": [{"type": "input_audio", "audio": ""}]}, "content.0.type"),
        ({"content": [{"type": "text"}]}, "content.0.text"),
        ({"content": [{"type": "text", "text": "a" * 20_001}]}, "content"),
    ],
)
def test_what_is_no_message_is_refused_by_name(message, param):
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.ResponseCreate({"pre_generated_assistant_message": message}, event_id="mine"))
            return talk

    talk = run(script())
    (problem,) = (event.error for event in talk.all(events.Error))
    assert (problem.param, problem.event_id) == (f"response.pre_generated_assistant_message.{param}", "mine")
    assert not talk.all(events.ResponseCreated)
