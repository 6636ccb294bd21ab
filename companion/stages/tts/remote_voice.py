"""TTS from an OpenAI-compatible endpoint, ``/v1/audio/speech``: OpenAI, Kokoro-FastAPI, Speaches, LocalAI."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from copy import copy
from dataclasses import replace

import httpx

from animator.units import from_pcm16
from companion.emotions import meanings
from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE, TTS, Abilities, Speech

KEY = "OPENAI_API_KEY"  # environment variable
CONNECT_S, SILENT_S = 5.0, 30.0  # s, timeouts: of the connection, and between two chunks of audio
IDLE_S = 60.0  # s for which an idle connection is kept open
PIECE_S = 0.2  # s of audio in one piece


class _Connections:
    """The HTTP connections to one endpoint, kept open between sentences and bound to the event loop that made them."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def client(self) -> httpx.AsyncClient:
        if self._client is None or self._loop is not asyncio.get_running_loop():
            timeout = httpx.Timeout(SILENT_S, connect=CONNECT_S)
            self._client = httpx.AsyncClient(timeout=timeout, limits=httpx.Limits(keepalive_expiry=IDLE_S))
            self._loop = asyncio.get_running_loop()
        return self._client

    async def close(self) -> None:
        if self._client and self._loop is asyncio.get_running_loop():
            await self._client.aclose()
        self._client = None


class RemoteVoice:
    """A TTS that requests ``response_format`` "pcm", which is PCM16 at 24 kHz. It gives no word timings.

    Args:
        base_url: of the endpoint, "/v1" included. The key is taken from ``OPENAI_API_KEY``.
        model: the endpoint's name for it.
        voice, voices: the voice in use, and others that clients may choose.
        languages: ISO 639-1 codes; empty if it speaks any language.
        speed: relative to the voice's own pace, 0.25 to 4.
    """

    def __init__(
        self,
        base_url: str = "https://api.openai.com/v1",
        model: str = "gpt-4o-mini-tts",
        voice: str = "alloy",
        voices: Sequence[str] = (),
        languages: Sequence[str] = (),
        speed: float = 1.0,
    ) -> None:
        names = tuple(dict.fromkeys((voice, *voices)))
        self.abilities = Abilities(languages=tuple(languages), voice=voice, voices=names, paced=True, closes=True)
        self._url, self._model, self._speed = f"{base_url.rstrip('/')}/audio/speech", model, speed
        self._key = os.environ.get(KEY, "") or "none"
        self._connections = _Connections()

    def with_voice(self, voice: str) -> TTS:
        """The same endpoint with another of ``abilities.voices``; shares the connections."""
        other = copy(self)
        other.abilities = replace(self.abilities, voice=voice)
        return other

    def at_pace(self, speed: float) -> TTS:
        """The same voice, ``speed`` times as fast as now; shares the connections."""
        other = copy(self)
        other._speed = self._speed * speed
        return other

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """Text of any length -> its audio at 24 kHz, in pieces as they arrive.

        Raises:
            StageError: ``tts_failed``.
        """
        if not any(map(str.isalnum, text)):
            return
        client, headers = self._connections.client(), {"Authorization": f"Bearer {self._key}"}
        rest = b""
        try:
            async with client.stream("POST", self._url, json=self._asked(text, emotion), headers=headers) as answer:
                if not answer.is_success:
                    raise StageError("tts_failed", f"The voice's endpoint answers {answer.status_code}.")
                async for chunk in answer.aiter_bytes(round(PIECE_S * SPEAK_RATE) * 2):
                    whole = (rest + chunk)[: (len(rest) + len(chunk)) // 2 * 2]
                    rest = (rest + chunk)[len(whole) :]
                    yield Speech(from_pcm16(whole))
        except httpx.HTTPError as error:
            raise StageError("tts_failed", f"The voice's endpoint failed: {type(error).__name__}.") from error

    def _asked(self, text: str, emotion: str) -> dict[str, str | float]:
        asked: dict[str, str | float] = {"model": self._model, "voice": self.abilities.voice, "input": text}
        asked["response_format"] = "pcm"
        if self._speed != 1.0:
            asked["speed"] = self._speed
        meaning = meanings().get(emotion)
        if meaning and meaning.hint:
            asked["instructions"] = meaning.hint
        return asked
