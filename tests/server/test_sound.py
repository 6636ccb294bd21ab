"""The voice and the recogniser alone, asked for by OpenAI's own client."""

import io
import wave

import av
import numpy as np
import pytest
from openai import APIStatusError

from tests.server.loopback import running
from tests.server.test_openai_client import client

SAID = {"model": "vasari", "voice": "alloy", "input": "It rains in Oslo. Good bye."}


def wav(seconds: float, rate: int = 44_100) -> bytes:
    sound = 0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return out.getvalue()


async def test_a_text_is_said_in_every_format():
    async with running() as server, client(server) as openai:
        pcm = (await openai.audio.speech.create(**SAID, response_format="pcm")).content
        assert len(pcm) == 6 * 2400 * 2  # six words of 100 ms
        for kind in ("wav", "mp3", "flac", "opus"):
            sound = (await openai.audio.speech.create(**SAID, response_format=kind)).content
            with av.open(io.BytesIO(sound)) as file:
                stream = file.streams.audio[0]
                heard = np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)]).astype(float)
                assert len(heard) / stream.rate == pytest.approx(0.6, abs=0.08), kind
            spectrum = np.abs(np.fft.rfft(heard))
            assert spectrum.argmax() * stream.rate / len(heard) == pytest.approx(180, abs=12), kind
        assert [text for text, _ in server.engine.tts.spoken[:2]] == ["It rains in Oslo.", "Good bye."]


async def test_what_is_said_in_a_file_is_told():
    async with running() as server, client(server) as openai:
        heard = await openai.audio.transcriptions.create(model="vasari", file=("said.wav", wav(0.7)), language="de-CH")
        assert heard.text == "What is your name?"
        assert server.engine.asr.heard == [pytest.approx(0.7, abs=0.01)]
        plain = await openai.audio.transcriptions.create(model="x", file=("a.wav", wav(0.2)), response_format="text")
        assert plain.strip() == "What is your name?"
        assert server.engine.asr.told == ["de", ""]


async def test_what_cannot_be_done_is_refused():
    async with running(server={"api_key": "key"}, tts={"use": "companion.stages.fakes:Broken"}) as server:
        async with client(server, "wrong") as stranger:
            for asked in (
                stranger.audio.speech.create(**SAID),
                stranger.audio.transcriptions.create(model="x", file=("a.wav", wav(0.1))),
            ):
                with pytest.raises(APIStatusError) as refused:
                    await asked
                assert refused.value.status_code == 401
        async with client(server, "key") as openai:
            for asked, code in (
                (openai.audio.speech.create(**SAID | {"input": "x" * 4097}), "invalid_value"),
                (openai.audio.speech.create(**SAID, response_format="aac"), "unsupported"),
                (openai.audio.speech.create(**SAID, response_format=["mp3"]), "unsupported"),
                (openai.audio.speech.create(**SAID | {"input": "(("}), "invalid_value"),
                (openai.audio.speech.create(**SAID), "stage_failed"),
                (openai.audio.transcriptions.create(model="x", file=("a.txt", b"words")), "unsupported"),
                (
                    openai.audio.transcriptions.create(model="x", file=("a.wav", wav(0.1)), language="tlh"),
                    "unsupported",
                ),
                (openai.audio.transcriptions.create(model="x", file=("a.wav", b"words")), "unreadable_sound"),
                (openai.audio.transcriptions.create(model="x", file=("a.wav", wav(601, rate=2000))), "too_long"),
            ):
                with pytest.raises(APIStatusError) as refused:
                    await asked
                assert refused.value.code == code
