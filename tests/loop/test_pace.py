"""Sound that comes in heaps, or faster than time passes, leaves the others their share."""

import asyncio

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.hearing.audio import microphone
from companion.protocol import events
from companion.protocol.events import InputAudioBufferAppend
from companion.session.client import pace
from companion.session.client.pace import Pace, slices
from companion.stages import fakes
from tests.loop.conversation import RATE, Conversation, engine


def _loud(seconds):
    buzz = 0.3 * (2 * (200 * np.arange(round(RATE * seconds)) / RATE % 1) - 1)
    return InputAudioBufferAppend((buzz * 32767).astype("<i2").tobytes())


def test_much_sound_in_one_message_lets_others_work_in_between(monkeypatch):
    """In order: what is committed after it is all of it."""

    async def script():
        async with Conversation(engine(asr=fakes.ScriptedASR(["All of it."]))) as talk:
            turns = 0
            monkeypatch.setattr(talk.session._pace, "rest", lambda heard, worked: 0.0)  # time does not pass

            async def others():
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": None}}}))
            working = asyncio.create_task(others())
            await talk.session.take(_loud(20))
            working.cancel()
            await talk.session.take(events.InputAudioBufferCommit())
            await talk.until(events.TranscriptionCompleted)
            return talk, turns

    talk, turns = run(script())
    assert turns >= 20 * RATE * 2 / pace.SLICE_BYTES
    assert talk.engine.asr.heard[-1] == pytest.approx(20, abs=0.05)


def test_the_pieces_are_the_whole_and_few_bytes_each():
    event = InputAudioBufferAppend(bytes(range(256)) * 1001 + b"xy", event_id="e")
    parts = list(slices(event))
    assert b"".join(part.audio for part in parts) == event.audio
    assert max(len(part.audio) for part in parts) == pace.SLICE_BYTES
    assert {part.event_id for part in parts} == {"e"}
    odd = InputAudioBufferAppend(bytes(1_000_001))
    assert list(slices(odd)) == [odd]


def test_what_is_wrong_with_a_long_sound_is_said_once(monkeypatch):
    monkeypatch.setattr(microphone, "LONGEST_BUFFER", 5)

    async def script():
        async with Conversation(engine()) as talk:
            talk.send(events.SessionUpdate({"audio": {"input": {"turn_detection": None}}}))
            await talk.session.take(_loud(9))
            await talk.session.take(InputAudioBufferAppend(bytes(1_000_001)))
            return talk

    codes = [error.error.code for error in run(script()).all(events.Error)]
    assert codes == ["input_audio_buffer_full", "invalid_value"]


def test_only_sound_that_is_ahead_of_time_is_slowed_down():
    now = 0.0
    client = Pace(lambda: now)
    for _ in range(100):  # in real time, and after a stall of a second at once
        now += 0.1
        assert not client.rest(0.1, 0.002)
    now += 1.0
    assert not any(client.rest(0.1, 0.002) for _ in range(10))
    rests = [client.rest(0.1, 0.002) for _ in range(100)]
    assert rests[50:] == [pace.REST_SHARE * 0.002] * 50
    now += 60.0
    assert not client.rest(0.1, 0.002)


def test_work_for_other_messages_is_done_at_once_until_it_is_more_than_a_share():
    now = 0.0
    client = Pace(lambda: now)
    for _ in range(1000):
        now += 0.02
        assert not client.rest(0.0, 0.002), "what a page sends"
    waited = worked = 0.0
    for _ in range(100):
        worked += 0.05
        now += 0.05
        rest = client.rest(0.0, 0.05)
        waited, now = waited + rest, now + rest
    assert worked / (worked + waited) == pytest.approx(0.25, abs=0.03)
    now += 2.0
    assert not client.rest(0.0, 0.05), "and is forgotten"


def test_heavy_messages_of_one_client_leave_the_loop_to_others():
    """Also those that nobody understands; the clock of this loop stands still while it works."""

    async def script():
        async with Conversation(engine()) as talk:
            begun = talk.now()
            for _ in range(20):
                await talk.session.take(events.ResponseCancel("nothing"), read=0.1)
                await talk.session.refuse(events.Problem("invalid_json", "?"), read=0.1)
            return talk.now() - begun

    assert run(script()) == pytest.approx(40 * 0.1 * 4, rel=0.1)


def test_of_what_one_side_says_in_a_row_the_last_counts():
    """Eight megabytes of it are judged, felt and answered as one message is."""

    async def script():
        async with Conversation(engine()) as talk:
            for number in range(400):
                item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a " * 9990}]}
                talk.send(events.ConversationItemCreate(item | {"id": f"item_{number}"}))
            talk.ask("How are you?", output_modalities=["text"])
            await talk.until(events.ResponseDone)
            return talk.engine.llm.asked[-1][-1].content

    asked = run(script())
    assert len(asked) == 20_000 and asked.endswith("a a How are you?")
