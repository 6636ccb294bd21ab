"""A voice behind an endpoint, which is a small server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest

from companion import config
from companion.errors import StageError
from companion.stages.protocols import has_voice
from companion.stages.tts import RemoteVoice

TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)).astype("<i2")


@asynccontextmanager
async def endpoint(requests: list[tuple[str, dict]], status: int = 200) -> AsyncIterator[str]:
    """Says a second of a tone, in pieces of odd lengths, whatever it is asked."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-l"))
        requests.append((head, json.loads(await reader.readexactly(length))))
        writer.write(b"HTTP/1.1 %d X\r\nContent-Type: audio/pcm\r\nConnection: close\r\n\r\n" % status)
        pcm = TONE.tobytes()
        for start in range(0, len(pcm), 3001):
            writer.write(pcm[start : start + 3001])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"http://{host}:{port}/v1"


def said(status: int = 200, **options) -> tuple[np.ndarray, tuple[str, dict]]:
    requests: list[tuple[str, dict]] = []

    async def script() -> np.ndarray:
        async with endpoint(requests, status) as url:
            voice = RemoteVoice(base_url=url, model="m", voice="a", voices=["b"], **options)
            assert has_voice(voice, "b")
            async with aclosing(voice):
                pieces = [piece.audio async for piece in voice.with_voice("b").speak("Good morning.", "sad")]
                assert len(pieces) > 2 and [piece async for piece in voice.speak("...")] == []
            return np.concatenate(pieces)

    return asyncio.run(script()), requests[0]


def test_the_sound_comes_whole_and_the_endpoint_is_asked_as_openai_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    sound, (head, asked) = said(speed=0.8)
    np.testing.assert_allclose(sound, TONE / 32768, atol=1e-4)
    assert head.startswith("POST /v1/audio/speech ") and "Bearer secret" in head
    assert asked.pop("instructions")
    assert asked == {"model": "m", "voice": "b", "input": "Good morning.", "response_format": "pcm", "speed": 0.8}


def test_sentences_share_a_connection_that_is_closed_with_the_stage():
    lines: list[asyncio.StreamWriter] = []
    said: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        while head := await reader.read(65536):
            if b"\r\n\r\n" not in head or not head.endswith(b"}"):
                head += await reader.readuntil(b"}")
            said.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4800\r\n\r\n" + bytes(4800))
        writer.close()

    async def script() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            voice = RemoteVoice(base_url="http://{}:{}/v1".format(*server.sockets[0].getsockname()), voices=["b"])
            other = voice.with_voice("b")
            for one in (voice, other, voice):
                assert sum([len(piece.audio) async for piece in one.speak("Hello.")]) == 2400
            assert (len(lines), len(said)) == (1, 3) and b'"b"' in said[1]
            await voice.aclose()
            await asyncio.wait_for(lines[0].wait_closed(), 5)
            assert [piece async for piece in voice.speak("Again.")] and len(lines) == 2
            await voice.aclose()
            await asyncio.wait_for(lines[1].wait_closed(), 5)

    asyncio.run(script())


def test_an_endpoint_that_refuses_or_is_not_there_is_a_stage_that_failed():
    with pytest.raises(StageError, match="answers 401") as refused:
        said(401)
    assert refused.value.code == "tts_failed"

    async def nobody() -> None:
        async for _ in RemoteVoice(base_url="http://127.0.0.1:9/v1").speak("Hello."):
            raise AssertionError("there is nobody")

    with pytest.raises(StageError, match="endpoint failed: ConnectError"):
        asyncio.run(nobody())


def test_the_shipped_config_makes_one():
    stage = config.load("openai-voice").tts
    assert isinstance(RemoteVoice(**stage.options), RemoteVoice) and stage.use.endswith(":RemoteVoice")
