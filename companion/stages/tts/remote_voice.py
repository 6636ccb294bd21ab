"""A voice behind an OpenAI-compatible endpoint, ``/v1/audio/speech``: OpenAI's, Kokoro-FastAPI, Speaches, LocalAI."""

import copy
import os
from collections.abc import AsyncIterator, Sequence

import httpx

from companion.emotions import meanings
from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE, TTS, Abilities, Speech, from_pcm16

KEY = "OPENAI_API_KEY"  # variable of the environment
CONNECT_S, SILENT_S = 5.0, 30.0  # until there is a connection; between two pieces of sound
PIECE_S = 0.2  # of sound that goes on at a time


class RemoteVoice:
    """Sound as PCM16 of 24 kHz, which is what ``response_format`` "pcm" means. It tells no times of words.

    Args:
        base_url: of the endpoint, "/v1" included. Its key is what ``OPENAI_API_KEY`` holds, if it wants one.
        model: as the endpoint calls it.
        voice, voices: the one in use, and those that clients may choose.
        languages: ISO 639-1; none if it speaks any.
        speed: 1.0 is its own pace; the endpoint takes 0.25 to 4.
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
        self.abilities = Abilities(languages=tuple(languages), voice=voice, voices=names)
        self._url, self._model, self._speed = f"{base_url.rstrip('/')}/audio/speech", model, speed
        self._key = os.environ.get(KEY, "") or "none"

    def with_voice(self, voice: str) -> TTS:
        """Another of its voices."""
        other = copy.copy(self)
        known = self.abilities
        other.abilities = Abilities(languages=known.languages, voice=voice, voices=known.voices)
        return other

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """A sentence, or any text -> its sound, in pieces as they arrive.

        Raises:
            StageError: ``tts_failed``.
        """
        if not any(map(str.isalnum, text)):
            return
        asked = {"model": self._model, "voice": self.abilities.voice, "input": text, "response_format": "pcm"}
        asked |= {"speed": self._speed} if self._speed != 1.0 else {}
        meaning = meanings().get(emotion)
        asked |= {"instructions": meaning.hint} if meaning and meaning.hint else {}
        rest = b""
        try:
            async with (
                httpx.AsyncClient(timeout=httpx.Timeout(SILENT_S, connect=CONNECT_S)) as client,
                client.stream(
                    "POST", self._url, json=asked, headers={"Authorization": f"Bearer {self._key}"}
                ) as answer,
            ):
                if not answer.is_success:
                    raise StageError("tts_failed", f"The voice's endpoint answers {answer.status_code}.")
                async for chunk in answer.aiter_bytes(round(PIECE_S * SPEAK_RATE) * 2):
                    whole = (rest + chunk)[: (len(rest) + len(chunk)) // 2 * 2]
                    rest = (rest + chunk)[len(whole) :]
                    yield Speech(from_pcm16(whole))
        except httpx.HTTPError as error:
            raise StageError("tts_failed", f"The voice's endpoint failed: {type(error).__name__}.") from error
