"""A setting that the server does not know or cannot use is named, and does not cost the others."""

import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from tests.loop.conversation import Conversation, engine


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


KEPT = {"instructions": "Be brief."}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"persona": "nobody"}, "session.persona"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "session.tools.0.name"),
        ({"tools": [{"name": "f"}]}, "session.tools"),
        ({"audio": {"output": {"voice": ["x"]}}}, "session.audio.output.voice"),
        ({"audio": {"input": {"turn_detection": {"threshold": 7}}}}, "session.audio.input.turn_detection.threshold"),
        ({"audio": {"input": {"transcription": {"language": "tlh"}}}}, "session.audio.input.transcription.language"),
        ({"avatar": {"character": "nobody"}}, "session.avatar.character"),
        ({"avatar": {"video": {"codecs": ["av9"]}}}, "session.avatar.video.codecs"),
        ({"output_modalities": ["audio", "text"]}, "session.output_modalities"),
        ({"type": "transcription"}, "session.type"),
        ({"memory": {"user": "", "consent": True}}, "session.memory.user"),
    ],
)
def test_a_refused_field_does_not_cost_the_others(change, param):
    talk = told(change | KEPT)
    (problem,) = [event.error for event in talk.all(events.Error)]
    assert (problem.param, problem.event_id) == (param, "mine")
    (updated,) = talk.all(events.SessionUpdated)
    before = talk.all(events.SessionCreated)[0].session
    assert updated.session == before | KEPT, "and nothing else has changed"


def test_fields_beside_a_refused_one_in_the_same_table_hold():
    talk = told({"audio": {"output": {"voice": 5}, "input": {"turn_detection": {"threshold": 7, "eagerness": "low"}}}})
    detection = talk.all(events.SessionUpdated)[0].session["audio"]["input"]["turn_detection"]
    assert (detection["eagerness"], detection["threshold"]) == ("low", 0.5)
    assert {event.error.param for event in talk.all(events.Error)} == {
        "session.audio.output.voice",
        "session.audio.input.turn_detection.threshold",
    }


def test_where_all_is_refused_all_is_told_and_nothing_is_updated():
    talk = told({"type": "realtime", "persona": "nobody", "tools": 5, "avatar": {"character": "nobody"}})
    assert not talk.all(events.SessionUpdated)
    assert {event.error.param for event in talk.all(events.Error)} == {
        "session.persona",
        "session.tools",
        "session.avatar.character",
    }


def test_consent_is_given_for_the_user_named_with_it_or_for_nobody():
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate({"memory": {"user": "anna", "consent": False}}))
            talk.send(events.SessionUpdate({"memory": {"user": "b" * 300, "consent": True}} | KEPT))
            return talk

    updated = run(script()).all(events.SessionUpdated)[-1].session
    assert updated["memory"] == {"user": "anna", "consent": False}
    assert updated["instructions"] == "Be brief."


def test_consent_is_withdrawn_whatever_else_is_wrong():
    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate({"memory": {"user": "anna", "consent": True}}))
            talk.send(events.SessionUpdate({"memory": {"consent": False}, "persona": "nobody"}))
            return talk

    assert run(script()).all(events.SessionUpdated)[-1].session["memory"]["consent"] is False


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"avatar": {"video": {"codecs": ["h264"] + ["x"] * 700_000}}}, "session"),
        ({"avatar": {"video": {"codecs": ["h264"] + ["x"] * 100}}}, "session.avatar.video.codecs"),
        ({"audio": {"input": {"transcription": {"model": "x" * 100_000}}}}, "session.audio.input.transcription.model"),
        ({"tools": [{"name": f"f{i}"} for i in range(1000)]}, "session.tools"),
        ({"avatar": {"character": "x" * 5000}}, "session.avatar.character"),
    ],
)
def test_what_a_session_would_carry_with_it_is_limited(change, param):
    talk = told(change)
    assert [event.error.param for event in talk.all(events.Error)] == [param]
    assert not talk.all(events.SessionUpdated)
