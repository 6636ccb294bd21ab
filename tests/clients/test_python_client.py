"""The Python client against the real server with scripted stages."""

import asyncio
import os
import re
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
import vasari_client
from vasari_client import LostError, RefusedError, ReplyError, Resumed, ServerFullError, connect
from vasari_client.events import (
    AudioDelta,
    AudioTranscriptDelta,
    Error,
    ResponseCreated,
    ResponseDone,
    SpeechStarted,
    TranscriptionCompleted,
    VideoDelta,
)
from websockets.asyncio.client import ClientConnection

from tests.server.loopback import Running, relay, running

README = Path(__file__).parents[2] / "clients/python/README.md"
ADDRESS = "ws://127.0.0.1:8765/v1/realtime"
REPLY = "My name is Anna. I live here."
LONG = {"use": "companion.stages.fakes:ScriptedLLM", "replies": ["The sea is wide and mostly blue. " * 10, REPLY]}
BROKEN = {"use": "companion.stages.fakes:Broken"}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """The server is on this machine."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


async def heard(events: vasari_client.Events, kind: type, within: float = 20.0):
    """The next event of a kind."""
    async with asyncio.timeout(within):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__} came")


async def run_example(number: int, server: Running, tmp_path: Path, **changes: str) -> str:
    """What an example of the README prints, as it stands but for the server's address, and what else is named."""
    code = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[number]
    for old, new in {ADDRESS: server.ws, **changes}.items():
        assert code.count(old) == 1
        code = code.replace(old, new)
    path = {"PYTHONPATH": str(README.parent)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", code, cwd=tmp_path, env=os.environ | path, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(30):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert not errors
    return out.decode()


async def test_the_quick_start_runs_as_it_stands(tmp_path):
    async with running() as server:
        assert await run_example(0, server, tmp_path) == f"{REPLY}\n"
        assert server.engine.tts.spoken[0][0] == "Nice to see you."


async def test_the_example_that_receives_gets_sound_and_pictures(tmp_path):
    async with running() as server:
        printed = await run_example(1, server, tmp_path, mona_lisa="dot")
    assert "bytes of sound" in printed
    assert "a frame, h264" in printed


async def test_a_question_in_writing_is_answered_aloud():
    async with running() as server, connect(server.ws) as talk:
        events = aiter(talk)
        assert await talk.ask("What is your name?") == REPLY
        said, sound, places = "", b"", []
        async for event in events:
            if isinstance(event, AudioTranscriptDelta):
                said += event.delta
            elif isinstance(event, AudioDelta):
                sound += event.delta
                places.append(event.pts_ms)
            elif isinstance(event, ResponseDone):
                break
    assert said.strip() == REPLY
    assert len(sound) == 7 * 0.1 * 24_000 * 2
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 1000
    assert places == sorted(places)


async def test_a_question_may_be_answered_in_writing():
    async with running() as server, connect(server.ws, session={"output_modalities": ["text"]}) as talk:
        assert talk.session["output_modalities"] == ["text"]
        assert await talk.ask("What is your name?") == REPLY
        assert not server.engine.tts.spoken


async def test_what_is_said_to_it_is_heard():
    async with running() as server, connect(server.ws) as talk:
        events = aiter(talk)
        t = np.arange(24_000) / 24_000
        loud = (0.3 * np.sin(2 * np.pi * 220 * t) * 32767).astype("<i2").tobytes()
        await talk.listen(loud)
        await talk.listen(bytes(3 * 48_000))
        await heard(events, SpeechStarted)
        assert (await heard(events, TranscriptionCompleted)).transcript == "What is your name?"
        assert (await heard(events, ResponseDone)).response["status"] == "completed"
        with pytest.raises(ValueError, match="even"):
            await talk.listen(b"123")


async def test_frames_are_handed_out_as_they_were_encoded():
    wish = {"avatar": {"video": {"codecs": ["jpeg"]}}}
    async with running() as server, connect(server.ws, character="dot", session=wish) as talk:
        events = aiter(talk)
        frames = [await heard(events, VideoDelta) for _ in range(3)]
        assert talk.session["avatar"]["character"] == "dot"
    assert all(frame.delta.startswith(b"\xff\xd8") and frame.codec == "jpeg" for frame in frames)
    assert frames[0].pts_ms < frames[1].pts_ms < frames[2].pts_ms


async def test_a_reply_that_is_interrupted_is_what_was_said_of_it():
    async with running(llm=LONG) as server, connect(server.ws) as talk:
        events = aiter(talk)
        asked = asyncio.create_task(talk.ask("Tell me about the sea."))
        await heard(events, AudioDelta)
        await talk.interrupt()
        done = await heard(events, ResponseDone)
        assert done.response["status"] == "cancelled"
        assert LONG["replies"][0].startswith(await asked)
        assert len(await asked) < len(LONG["replies"][0]) / 2
        assert await talk.ask("What is your name?") == REPLY


async def test_the_next_question_interrupts_whatever_the_moment(monkeypatch):
    """Also before the server has begun the reply, when nothing is said, and on a line that takes its time."""
    send = ClientConnection.send

    async def sluggish(line: ClientConnection, message: str | bytes) -> None:
        await asyncio.sleep(0.01)
        await send(line, message)

    monkeypatch.setattr(ClientConnection, "send", sluggish)
    async with running(llm=LONG) as server:
        async with connect(server.ws) as talk:
            await talk.interrupt()
            events = aiter(talk)
            first = asyncio.create_task(talk.ask("Tell me about the sea."))
            await asyncio.sleep(0)
            second = asyncio.create_task(talk.say("One moment."))
            async with asyncio.timeout(20):
                assert LONG["replies"][0].startswith(await first)
                assert await second == "One moment."
        assert not [event async for event in events if isinstance(event, Error)]


async def test_a_reply_that_fails_says_so_and_the_conversation_goes_on():
    async with running(llm=BROKEN) as server, connect(server.ws) as talk:
        with pytest.raises(ReplyError) as failed:
            await talk.ask("What is your name?")
        assert failed.value.code == "stage_failed"
        assert await talk.say("I am still here.") == "I am still here."


async def test_a_setting_that_is_refused_is_named():
    async with running() as server, connect(server.ws) as talk:
        before = talk.session
        with pytest.raises(RefusedError, match="output_modalities") as refused:
            await talk.update({"output_modalities": ["smell"]})
        assert refused.value.code
        assert talk.session == before
        assert (await talk.update({"instructions": "Be brief."}))["instructions"] == "Be brief."


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_a_key_that_is_wrong_is_refused(key):
    async with running(server={"api_key": "right"}) as server:
        with pytest.raises(RefusedError, match="valid key") as refused:
            async with connect(server.ws, key=key):
                raise AssertionError("it was let in")
        assert refused.value.code == "invalid_api_key"
        async with connect(server.ws, key="right") as talk:
            assert await talk.ask("What is your name?") == REPLY


async def test_a_persona_that_is_not_there_is_refused():
    async with running() as server:
        with pytest.raises(RefusedError, match="no such persona") as refused:
            async with connect(server.ws, persona="no & body"):
                raise AssertionError("it was let in")
    assert refused.value.code == "unknown_persona"


async def test_a_full_server_says_so():
    async with running(server={"max_sessions": 1}) as server, connect(server.ws):
        with pytest.raises(ServerFullError) as full:
            async with connect(server.ws):
                raise AssertionError("it was let in")
        assert full.value.code == "session_limit_reached"


async def test_where_no_server_is():
    async with running() as server:
        address = server.ws
    with pytest.raises(LostError, match="cannot be reached") as lost:
        async with connect(address):
            raise AssertionError("nobody is there")
    assert lost.value.close_code is None
    with pytest.raises(ValueError, match="ws://"):
        async with connect("127.0.0.1:8765"):
            raise AssertionError("that is no address")


async def test_a_server_that_says_nothing_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(LostError):  # the system accepts for it
        async with connect(f"ws://127.0.0.1:{silent.getsockname()[1]}/v1/realtime", within=0.2):
            raise AssertionError("nobody answered")


async def test_a_line_that_is_cut_in_mid_sentence_ends_what_waits():
    async with running(llm=LONG) as server, relay(server) as (address, cut), connect(address) as talk:
        events = aiter(talk)
        asked = asyncio.create_task(talk.ask("Tell me about the sea."))
        await heard(events, AudioDelta)
        cut.set()
        with pytest.raises(LostError) as lost:
            await asyncio.wait_for(asked, 10)
        assert (lost.value.code, lost.value.close_code) == ("connection_lost", 1006)
        for late in (talk.say("Hello?"), heard(aiter(talk), ResponseCreated), heard(events, ResponseDone)):
            with pytest.raises(LostError):
                await late


async def test_a_server_that_stops_in_mid_sentence_says_goodbye():
    async with running(llm=LONG) as server, connect(server.ws) as talk:
        events = aiter(talk)
        asked = asyncio.create_task(talk.ask("Tell me about the sea."))
        await heard(events, AudioDelta)
        server.server.should_exit = True
        with pytest.raises(LostError) as lost:
            await asyncio.wait_for(asked, 15)
        assert lost.value.code == "connection_lost"
        assert lost.value.close_code not in (None, 1006)


async def test_why_the_server_closed_the_line_is_told():
    async with running(server={"first_message_s": 0.3}) as server, connect(server.ws) as talk:
        with pytest.raises(LostError, match="Nothing was heard") as lost:
            await heard(aiter(talk), ResponseDone)
    assert (lost.value.code, lost.value.close_code) == ("session_idle", 4000)


async def test_who_waits_when_the_conversation_is_left_is_told():
    async with running(llm=LONG) as server:
        async with connect(server.ws) as talk:
            events = aiter(talk)
            asked = asyncio.create_task(talk.ask("Tell me about the sea."))
            await heard(events, AudioDelta)
        with pytest.raises(LostError, match="left"):
            await asyncio.wait_for(asked, 5)
        async with asyncio.timeout(5):
            async for _ in events:  # ends, and raises nothing
                pass
        await server.emptied()


async def test_a_conversation_goes_on_over_another_line():
    async with running(llm=LONG) as server, relay(server) as (address, cut):
        async with connect(address, session={"instructions": "Be brief."}, resume=10) as talk:
            events = aiter(talk)
            asked = asyncio.create_task(talk.ask("Tell me about the sea."))
            await heard(events, AudioTranscriptDelta)
            cut.set()
            await asyncio.sleep(0)
            cut.clear()
            with pytest.raises(LostError, match="goes on"):
                await asyncio.wait_for(asked, 10)
            await heard(events, Resumed)
            await heard(events, ResponseCreated)  # the rest of the reply
            assert talk.session["instructions"] == "Be brief."
            assert "resume" not in talk.session
            assert await talk.ask("What is your name?") == REPLY
            assert "Tell me about the sea." in server.engine.llm.asked[-1][-1].content
        await server.emptied()


async def test_a_server_that_does_not_come_back_is_not_sought_for_ever():
    async with running(llm=LONG) as server, connect(server.ws, resume=0.5) as talk:
        events = aiter(talk)
        server.server.should_exit = True
        with pytest.raises(LostError):
            await heard(events, ResponseDone)
