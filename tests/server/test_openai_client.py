"""OpenAI's own client, unchanged, holds a conversation."""

import asyncio
import base64

import numpy as np
from openai import AsyncOpenAI

from tests.server.loopback import running


def client(server, key="unused"):
    return AsyncOpenAI(base_url=f"{server.http}/v1", api_key=key, max_retries=0)


async def collect(connection, last="response.done"):
    found = []
    async with asyncio.timeout(20):
        async for event in connection:
            found.append(event)
            if event.type == last:
                return found
    raise AssertionError(f"the connection ended without {last}")


async def test_a_turn_in_writing():
    async with running() as server, client(server) as openai, openai.realtime.connect(model="vasari") as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        content = [{"type": "input_text", "text": "What is your name?"}]
        await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await connection.response.create()
        events = await collect(connection)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == "My name is Anna. I live here."
    assert events[-1].response.status == "completed"
    assert events[-1].response.output[0].content[0].text == text


async def test_a_turn_aloud():
    """Speech in, speech out, turns found by the server; no event that OpenAI's client does not know."""
    async with running() as server, client(server) as openai, openai.realtime.connect(model="vasari") as connection:
        pcm = (0.3 * np.sin(2 * np.pi * 220 * np.arange(24_000) / 24_000) * 32767).astype("<i2").tobytes()
        for sound in (pcm, bytes(24_000 * 2)):
            for i in range(0, len(sound), 9600):
                await connection.input_audio_buffer.append(audio=base64.b64encode(sound[i : i + 9600]).decode())
        events = await collect(connection)
    kinds = [event.type for event in events]
    assert kinds.index("input_audio_buffer.speech_started") < kinds.index("input_audio_buffer.committed")
    heard = next(e for e in events if e.type == "conversation.item.input_audio_transcription.completed")
    assert heard.transcript == "What is your name?"
    sound = b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.output_audio.delta")
    assert len(sound) == 7 * 0.1 * 24_000 * 2
    said = "".join(e.delta for e in events if e.type == "response.output_audio_transcript.delta")
    assert said.strip() == "My name is Anna. I live here."
    assert not [kind for kind in kinds if kind.startswith(("avatar", "session.avatar", "response.video"))]


async def test_a_key_and_a_client_secret_open_the_door():
    async with running(server={"api_key": "right"}) as server, client(server, "right") as openai:
        secret = await openai.realtime.client_secrets.create()
        assert secret.value.startswith("ek_")
        async with client(server, secret.value) as browser, browser.realtime.connect(model="vasari") as connection:
            assert (await connection.recv()).type == "session.created"
