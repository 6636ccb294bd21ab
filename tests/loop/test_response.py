"""One response: the events that tell a client about it, in order, however it ends."""

import numpy as np
import pytest

from companion.conversation.items import Item
from companion.conversation.response import Reply, Wishes
from companion.metrics import Trace
from companion.protocol import events
from companion.protocol.events import Problem
from companion.speech.playout import Cue, Line
from companion.stages.protocols import Call, Word

CLOSED = ["response.content_part.done", "response.output_item.done", "conversation.item.done"]


def said(face=False, sound=True, aside=False, words=True):
    """A reply of one sentence, of which 0.1 s was sent -> it and its events so far."""
    told = []
    line = Line("Well, hello.", start=0, end=2400, made=2400, whole=True)
    item = Item("item_1", "assistant", sound=sound, status="in_progress", lines=[line] if sound else [])
    wishes = Wishes(sound=sound, aside=aside, metadata={"a": "b"})
    reply = Reply("resp_1", item, Trace(lambda: 2.5, 1.0), wishes, told.append, lambda _: "item_0", face)
    reply.create()
    if not sound:
        reply.write("Well, hello.")
        return reply, told
    reply.cue(Cue(0, line))
    if words:
        reply.cue(Cue(480, line, Word("hello.", 0.25, 0.75)))
    reply.sound(np.full(2400, 0.5, np.float32), 40.00049)
    return reply, told


def kinds(told):
    return [event.type for event in told]


def test_a_spoken_response_is_told_in_order():
    reply, told = said(face=True)
    reply.finish("completed")
    assert kinds(told) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.audio_timestamp.delta",
        "output_audio_buffer.started",
        "session.avatar.switch_to_speaking",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.audio_timestamp.done",
        CLOSED[0],
        "response.video.done",
        *CLOSED[1:],
        "response.done",
        "output_audio_buffer.stopped",
        "session.avatar.switch_to_idle",
        "avatar.metrics",
    ]
    stamp, sound, metrics = told[5], told[8], told[-1]
    assert (stamp.text, stamp.audio_offset_ms, stamp.audio_duration_ms) == ("hello.", 250, 500)
    assert (sound.pts_ms, np.frombuffer(sound.delta, "<i2").tolist()) == (40.0, [16384] * 2400)
    assert metrics.ms["first_audio"] == metrics.ms["done"] == 1500
    assert told[3].part == {"type": "audio", "transcript": ""}
    assert told[12].part == {"type": "audio", "transcript": "Well, hello."}
    done = told[-4].response
    assert (done["status"], done["status_details"], done["metadata"]) == ("completed", None, {"a": "b"})
    assert (done["output_modalities"], [item["status"] for item in done["output"]]) == (["audio"], ["completed"])
    assert told[0].response["output"] == []


@pytest.mark.parametrize("face", [False, True])
def test_a_cancelled_response_clears_its_sound_before_it_closes(face):
    reply, told = said(face)
    reply.finish("cancelled", "turn_detected")
    ends = kinds(told)
    assert ends.index("output_audio_buffer.cleared") < ends.index("response.output_audio.done")
    assert "output_audio_buffer.stopped" not in ends
    assert ends.count("session.avatar.switch_to_idle") == ends.count("avatar.metrics") == face
    (done,) = [event.response for event in told if isinstance(event, events.ResponseDone)]
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert [item["status"] for item in done["output"]] == ["incomplete"]


def test_a_written_response_has_text_and_no_sound():
    reply, told = said(sound=False)
    reply.finish("completed")
    assert kinds(told)[3:] == ["response.content_part.added", "response.output_text.delta",
                               "response.output_text.done", *CLOSED, "response.done"]  # fmt: skip
    assert told[3].part == {"type": "text", "text": ""}
    assert told[6].part == {"type": "text", "text": "Well, hello."}
    assert told[-1].response["output_modalities"] == ["text"]


def test_one_apart_from_the_conversation_is_no_item_of_it():
    reply, told = said(aside=True)
    reply.finish("completed")
    assert not [kind for kind in kinds(told) if kind.startswith("conversation.")]


def test_one_that_fails_before_it_says_anything_closes_nothing():
    told = []
    reply = Reply("r", Item("i", "assistant"), Trace(lambda: 1.0, 0.0), Wishes(), told.append, lambda _: None, True)
    reply.create()
    reply.finish("failed", problem=Problem("llm_failed", "No.", "server_error"))
    assert kinds(told) == ["response.created", "response.done", "avatar.metrics"]
    assert told[1].response["output"] == []
    error = {"type": "server_error", "code": "llm_failed", "message": "No."}
    assert told[1].response["status_details"] == {"type": "failed", "reason": None, "error": error}


def test_what_is_over_tells_nothing_and_adds_nothing():
    reply, told = said()
    joined = reply.item
    reply.abandon()
    before = len(told)
    reply.write("More.")
    assert (len(told), joined.text, reply.over) == (before, "", True)
    with pytest.raises(AssertionError):
        reply.create()  # nothing follows the end


def test_a_call_that_was_not_written_to_its_end_is_incomplete():
    reply, told = said()
    for name, status in (("done", "completed"), ("begun", "in_progress")):
        reply.calls.begin(Item(name, "assistant", status=status, call=Call(name, "timer", "{}")))
    reply.finish("cancelled", "turn_detected")
    output = told[-1].response["output"]
    assert [item["status"] for item in output] == ["incomplete", "completed", "incomplete"]
