"""What the server sends is what OpenAI's types say, whatever a conversation is about; and what clients may ask for."""

import base64
import json
from typing import Any, get_args

import numpy as np
import pytest
from openai.types.realtime.realtime_server_event import RealtimeServerEvent

from tests.server.loopback import ask, receive, running, send
from tests.server.test_openai_client import client, collect

KINDS = {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(RealtimeServerEvent)[0])}
OURS = ("avatar.", "session.avatar.", "response.video.", "response.audio_timestamp.")
WEATHER = {"type": "function", "name": "weather", "description": "Of a city.", "parameters": {"type": "object"}}
CALLER = {"use": "companion.stages.fakes:ScriptedCaller", "replies": ["It rains in Oslo. " * 5, "Good bye."]}
PLAIN = {"persona": "listener", "openers": False, "feelings": False}  # has no functions of its own
SAID = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}


def tone(seconds: float, rate: int, hz: float = 220.0) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def pcm16(sound: np.ndarray) -> bytes:
    return (sound * 32767).astype("<i2").tobytes()


async def say(ws: Any, *sounds: bytes) -> None:
    for sound in sounds:
        await send(ws, "input_audio_buffer.append", audio=base64.b64encode(sound).decode())


async def converse(ws: Any) -> None:
    """In writing and aloud, with a tool, an interruption, mistakes, and items that come and go."""
    heard = {"turn_detection": {"type": "server_vad"}, "transcription": {"model": "whisper-1"}}
    await send(ws, "session.update", session={"type": "realtime", "tools": [WEATHER], "audio": {"input": heard}})
    await ask(ws, "How is the weather?")
    call = (await receive(ws, "response.done"))["response"]["output"][0]["call_id"]
    result = {"type": "function_call_output", "call_id": call, "output": "Rain"}
    await send(ws, "conversation.item.create", item=result)
    await send(ws, "response.create")
    item = (await receive(ws, "response.output_audio.delta"))["item_id"]
    await say(ws, pcm16(tone(1.2, 24_000)))  # interrupts
    assert (await receive(ws, "response.done"))["response"]["status"] == "cancelled"
    await send(ws, "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=100)
    await say(ws, bytes(48_000))
    while (await receive(ws, "response.done"))["response"]["status"] != "completed":
        pass
    await send(ws, "response.create", response={"output_modalities": ["text"], "metadata": {"topic": "none"}})
    await receive(ws, "response.done")
    await send(ws, "conversation.item.retrieve", item_id=item)
    await send(ws, "conversation.item.delete", item_id=item)
    await send(ws, "input_audio_buffer.clear")
    await send(ws, "response.cancel", event_id="mine")
    await receive(ws, "error")


async def test_every_event_is_as_openais_types_have_it():
    seen: set[str] = set()

    class Reader:
        """A line whose every event is looked at."""

        def __init__(self, ws: Any) -> None:
            self._ws, self.send = ws, ws.send

        async def recv(self) -> str:
            event = json.loads(text := await self._ws.recv())
            seen.add(event["type"])
            if not event["type"].startswith(OURS):
                KINDS[event["type"]].model_validate(event)
            return text

    async with running(llm=CALLER, session=PLAIN) as server, server.connect("realtime") as ws:
        await converse(Reader(ws))
    assert {"response.function_call_arguments.done", "conversation.item.truncated"} <= seen
    assert {"output_audio_buffer.cleared", "response.output_text.done", "conversation.item.retrieved"} <= seen
    assert "conversation.item.input_audio_transcription.completed" in seen


async def test_a_response_beside_the_conversation_is_told_what_it_is_given_and_leaves_no_trace():
    async with running() as server, client(server) as openai, openai.realtime.connect(model="vasari") as connection:
        await connection.conversation.item.create(item={**SAID, "id": "hello"})
        given = [{"type": "item_reference", "id": "hello"}, {**SAID, "role": "assistant"}, SAID]
        wish = {"conversation": "none", "output_modalities": ["text"], "instructions": "Sum it up."}
        await connection.response.create(response=wish | {"input": given, "metadata": {"a": "b"}})
        events = await collect(connection)
        assert events[-1].response.metadata == {"a": "b"}
        assert events[-1].response.output[0].content[0].text.strip() == "My name is Anna. I live here."
        assert [e.item.id for e in events if e.type == "conversation.item.added"] == ["hello"]
        asked = server.engine.llm.asked[-1]
        assert [m.role for m in asked if m.role != "system"] == ["user", "assistant", "user"]
        assert "Sum it up." in asked[0].content
        await connection.response.create(response=wish | {"input": []})
        await collect(connection)
        assert [m.role for m in server.engine.llm.asked[-1]] == ["system"]
        await connection.conversation.item.create(item=SAID)
        await connection.response.create()
        await collect(connection)
        assert "I live here" not in str(server.engine.llm.asked[-1])
        await connection.response.create(response=wish | {"input": [{"type": "item_reference", "id": "unknown"}]})
        assert (await collect(connection, "error"))[-1].error.code == "item_not_found"


async def test_a_message_may_be_sound():
    spoken = {"type": "input_audio", "audio": base64.b64encode(pcm16(tone(0.5, 24_000))).decode()}
    text = {"output_modalities": ["text"]}
    async with running() as server, client(server) as openai, openai.realtime.connect(model="vasari") as connection:
        await connection.conversation.item.create(item={**SAID, "content": [spoken]})
        await connection.response.create(response=text)
        events = await collect(connection)
        heard = next(e for e in events if e.type == "conversation.item.input_audio_transcription.completed")
        assert heard.transcript == "What is your name?"
        assert "What is your name?" in server.engine.llm.asked[-1][-1].content
        assert server.engine.asr.heard[-1] == pytest.approx(0.5, abs=0.01)
        await connection.conversation.item.create(item={**SAID, "content": [spoken | {"transcript": "Who are you?"}]})
        await connection.response.create(response=text)
        await collect(connection)
        assert "Who are you?" in server.engine.llm.asked[-1][-1].content
        assert len(server.engine.asr.heard) == 1
        await connection.conversation.item.create(item={**SAID, "content": [spoken | {"audio": "AAA"}]})
        assert (await collect(connection, "error"))[-1].error.param == "item.content.0.audio"


def linear(codes: bytes) -> np.ndarray:
    """Mu-law as G.711 writes it down, a code at a time."""
    values = []
    for code in codes:
        bits = ~code & 0xFF
        size = (((bits & 15) * 2 + 33) << (bits >> 4 & 7)) - 33
        values.append((-size if bits & 128 else size) * 4)
    return np.array(values)


def coded(sound: np.ndarray) -> bytes:
    levels = linear(bytes(range(256)))
    return np.abs(levels[None] - sound[:, None] * 32767).argmin(1).astype(np.uint8).tobytes()


@pytest.mark.parametrize(("kind", "rate"), [("audio/pcmu", 8000), ("audio/pcm", 8000), ("audio/pcm", 48_000)])
async def test_sound_has_the_format_that_was_asked_for(kind: str, rate: int):
    assert [int(level) for level in linear(b"\xff\x80\x00")] == [0, 32124, -32124]  # the ends of the scale
    phone = kind == "audio/pcmu"
    encode, silence = (coded, b"\xff" * rate) if phone else (pcm16, bytes(2 * rate))
    wanted = {"format": {"type": kind} if phone else {"type": kind, "rate": rate}}
    async with running() as server, server.connect("realtime") as ws:
        await send(ws, "session.update", session={"audio": {"input": wanted, "output": wanted}})
        audio = (await receive(ws, "session.updated"))["session"]["audio"]
        assert audio["output"]["format"] == {"type": kind, "rate": rate}
        await say(ws, encode(tone(1.0, rate)), silence)
        await receive(ws, "conversation.item.input_audio_transcription.completed")
        assert server.engine.asr.heard[-1] == pytest.approx(1.2, abs=0.4)  # with what is kept before and after
        heard = b""
        while (event := json.loads(await ws.recv()))["type"] != "response.done":
            if event["type"] == "response.output_audio.delta":
                heard += base64.b64decode(event["delta"])
    levels = linear(heard) if phone else np.frombuffer(heard, "<i2")
    assert len(levels) == pytest.approx(0.7 * rate, abs=0.01 * rate)  # seven words of 100 ms
    assert np.abs(np.fft.rfft(levels)).argmax() * rate / len(levels) == pytest.approx(180, abs=12)  # as the voice hums
    assert np.abs(levels).max() == pytest.approx(0.25 * 1.3 * 32767, rel=0.25)


async def test_a_client_may_say_which_function_must_be_called():
    served = running(llm=CALLER, session=PLAIN)
    async with served as server, client(server) as api, api.realtime.connect(model="vasari") as line:
        llm, tools = server.engine.llm, [WEATHER, {**WEATHER, "name": "tide"}]

        async def called(**wish: Any) -> list[str]:
            await line.response.create(response=wish)
            output = (await collect(line))[-1].response.output
            return [item.name for item in output if item.type == "function_call"]

        session = {"type": "realtime", "output_modalities": ["text"], "tools": tools, "tool_choice": "required"}
        await line.session.update(session=session)
        assert await called() == ["weather"]
        assert llm.required == [True]
        assert await called(tool_choice={"type": "function", "name": "tide"}) == ["tide"]
        assert [tool["name"] for tool in llm.offered[-1]] == ["tide"]
        assert await called(tool_choice="none") == []
        assert await called(tool_choice="auto") == ["weather"]
        assert llm.required == [True, True, False]
        await line.response.create(response={"tool_choice": "sometimes"})
        assert (await collect(line, "error"))[-1].error.param == "response.tool_choice"
