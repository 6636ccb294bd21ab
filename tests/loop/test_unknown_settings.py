"""A setting that the server does not know is named, and does not cost the others."""

import pytest

from companion.protocol import events
from tests.loop.conversation import Conversation, engine
from tests.virtual_time import run


def told(change):
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate(change, event_id="mine"))
            return talk

    return run(script())


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"max_output_tokens": 200}, ["session.max_output_tokens"]),
        ({"audio": {"output": {"speed": 1.5}}}, ["session.audio.output.speed"]),
        ({"audio": {"input": {"noise_reduction": {"type": "near_field"}}}}, ["session.audio.input.noise_reduction"]),
        ({"voice": "alloy", "turn_detection": {"type": "none"}}, ["session.voice", "session.turn_detection"]),
        ({"avatar": {"video": {"crop": {"top_left": 1}}}}, ["session.avatar.video.crop"]),
        ({"echo": True, "hush": False}, ["session.echo", "session.hush"]),
        ({"x" * 500: 7}, ["session." + "x" * 60]),
        ({"max_output_tokens": "inf", "audio": {"output": {"speed": 1.0}}}, []),
        ({"audio": {"input": {"noise_reduction": None}}, "tracing": None, "include": []}, []),
        ({"type": "realtime", "model": "gpt-realtime", "id": "sess_1"}, []),
        ({"tools": [], "safety": {"country": "DE"}}, []),
    ],
)
def test_it_is_named_and_the_rest_holds(change, unknown):
    talk = told(change | {"instructions": "Be brief."})
    assert talk.all(events.SessionUpdated)[0].session["instructions"] == "Be brief."
    problems = [event.error for event in talk.all(events.Error)]
    assert [problem.param for problem in problems] == unknown
    assert {(problem.code, problem.event_id) for problem in problems} <= {("unsupported", "mine")}


def test_the_server_s_own_answer_may_be_sent_back():
    async def script():
        async with Conversation(engine(), avatar=True) as talk:
            talk.send(events.SessionUpdate(talk.all(events.SessionUpdated)[-1].session))
            return talk

    assert not run(script()).all(events.Error)


def test_many_are_not_all_named():
    talk = told({f"field{i}": i + 2 for i in range(500)})
    assert len(talk.all(events.Error)) == 10
