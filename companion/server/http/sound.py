"""Speech synthesis and recognition outside a session, with OpenAI's endpoints: ``/v1/audio/speech`` and
``/v1/audio/transcriptions``."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, cast

import av
import numpy as np
from av.error import FFmpegError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from animator.media.decoding import TooLongError, decode
from animator.units import pcm16
from companion.errors import StageError, as_stage_error
from companion.protocol import codec
from companion.server.http.bodies import body_of
from companion.server.http.failures import failed
from companion.server.http.uploads import form_of
from companion.session.client.visitor import Visitor
from companion.speech import utterances
from companion.speech.text.sentences import Sentences
from companion.stages.protocols import (
    ASR,
    HEAR_RATE,
    SPEAK_RATE,
    TTS,
    Samples,
    has_voice,
    knows_language,
    language_told,
)
from companion.stages.streams import closing

LONGEST_TEXT = 4096  # characters, OpenAI's limit
LARGEST_FILE = 25_000_000  # bytes, OpenAI's limit
LONGEST_SOUND = 600  # s
MOST_AT_A_TIME = 2  # requests served at a time, lest they slow down conversations
CONTAINERS = {"wav": "wav", "mp3": "mp3", "flac": "flac", "ogg": "ogg", "m4a": "mov", "webm": "matroska"}  # by suffix
KINDS = {"pcm": "audio/pcm", "wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/ogg"}
ENCODERS = {"mp3": ("mp3", "libmp3lame"), "flac": ("flac", "flac"), "opus": ("ogg", "libopus")}


class _RefusedError(Exception):
    """A request that cannot be served as it is. ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Wish:
    text: str
    voice: str
    kind: str


class Sound:
    """The routes. ``visitor`` returns who sent a request, or the response to somebody who may not enter."""

    def __init__(self, *, asr: ASR, tts: TTS, visitor: Callable[[Request], Visitor | Response]) -> None:
        self._asr, self._tts, self._visitor = asr, tts, visitor
        self._places = asyncio.Semaphore(MOST_AT_A_TIME)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/audio/speech", self.speech, methods=["POST"]),
            Route("/v1/audio/transcriptions", self.transcription, methods=["POST"]),
        ]

    async def speech(self, request: Request) -> Response:
        """Synthesize ``input``: mono at `SPEAK_RATE`, streamed for the formats pcm and wav, as one body otherwise."""
        visitor = self._visitor(request)
        if isinstance(visitor, Response):
            return visitor
        try:
            wish = _wish(await body_of(request, 8 * LONGEST_TEXT))
            pieces = self._spoken(wish)
            first = await _first(pieces)  # immediate failures set the status
            if wish.kind in ENCODERS:
                sound = first + b"".join([piece async for piece in pieces])
                encoded = await asyncio.to_thread(_encoded, sound, wish.kind)
                return Response(encoded, media_type=KINDS[wish.kind])
            return StreamingResponse(_joined(wish.kind, first, pieces), media_type=KINDS[wish.kind])
        except _RefusedError as error:
            return failed(422, error.code, str(error))
        except StageError as error:
            return failed(503, error.code, str(error))

    async def transcription(self, request: Request) -> Response:
        """The transcript of ``file``, as JSON or, by ``response_format``, as plain text."""
        visitor = self._visitor(request)
        if isinstance(visitor, Response):
            return visitor
        try:
            body = await body_of(request, LARGEST_FILE)
            form = None if body is None else await form_of(request, body, ("file", "language", "response_format"))
            if form is None or form.get("file") is None:
                raise _RefusedError("invalid_form", "Send a form with one `file` of at most 25 MB.")
            asr = self._listener((form.get("language") or b"").decode(errors="replace"))
            async with self._places:
                heard = await asyncio.to_thread(_decoded, form["file"] or b"", form.names.get("file", ""))
                text = await _heard(asr, heard)
        except _RefusedError as error:
            return failed(422, error.code, str(error))
        except StageError as error:
            return failed(503, error.code, str(error))
        plain = form.get("response_format") == b"text"
        return PlainTextResponse(text) if plain else JSONResponse({"text": text})

    async def _spoken(self, wish: _Wish) -> AsyncGenerator[bytes]:
        """Yield the speech as PCM16, mono at `SPEAK_RATE`. Raises StageError."""
        tts = self._tts.with_voice(wish.voice) if has_voice(self._tts, wish.voice) else self._tts
        sentences = Sentences()
        async with self._places:
            for sentence in [*sentences.feed(wish.text), *sentences.flush()]:
                yield pcm16(np.zeros(int(sentence.pause * SPEAK_RATE), np.float32))
                try:
                    async with closing(utterances.said(tts, sentence)) as pieces:
                        async for piece in pieces:
                            yield pcm16(piece.audio)
                except Exception as error:  # whatever a voice raises
                    raise as_stage_error(error, "tts_failed") from error

    def _listener(self, language: str) -> ASR:
        try:
            told = language_told(self._asr, language)
        except LookupError as error:
            raise _RefusedError("unsupported", str(error)) from error
        return self._asr.in_language(told) if knows_language(self._asr, told) else self._asr


async def _heard(asr: ASR, audio: Samples) -> str:
    try:
        return (await asr.transcribe(audio)).text
    except Exception as error:  # whatever a recogniser raises
        raise as_stage_error(error, "asr_failed") from error


def _wish(body: bytes | None) -> _Wish:
    try:
        asked: Any = codec.parse(body or b"")
        text, kind = asked["input"], asked.get("response_format", "mp3")
        voice = asked.get("voice")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _RefusedError("invalid_value", "Send JSON with `input`: the text that is to be said.") from error
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
        raise _RefusedError("invalid_value", f"`input` is a text of at most {LONGEST_TEXT} characters.")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _RefusedError("unsupported", f"`response_format` is one of {', '.join(KINDS)}.")
    return _Wish(text, voice if isinstance(voice, str) else "", kind)


async def _first(pieces: AsyncIterator[bytes]) -> bytes:
    """The first piece that is not empty. Raises _RefusedError if there is none, since the text has no words."""
    async for piece in pieces:
        if piece:
            return piece
    raise _RefusedError("invalid_value", "`input` has nothing that can be said.")


async def _joined(kind: str, first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if kind == "wav":
        yield _wav_head()
    yield first
    async for piece in pieces:
        yield piece


def _wav_head() -> bytes:
    """The header of a WAV stream of unknown length: PCM16, mono at `SPEAK_RATE`."""
    long = (0xFFFFFFFF).to_bytes(4, "little")
    rate, bytes_a_second = SPEAK_RATE.to_bytes(4, "little"), (2 * SPEAK_RATE).to_bytes(4, "little")
    shape = b"\x01\x00\x01\x00" + rate + bytes_a_second + b"\x02\x00\x10\x00"
    return b"RIFF" + long + b"WAVEfmt " + (16).to_bytes(4, "little") + shape + b"data" + long


def _encoded(sound: bytes, kind: str) -> bytes:
    container, encoder = ENCODERS[kind]
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = cast(Any, file.add_stream(encoder, rate=SPEAK_RATE))
        stream.layout = "mono"
        samples = np.frombuffer(sound, "<i2")[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SPEAK_RATE
        for part in av.AudioResampler(stream.format, "mono", SPEAK_RATE, stream.frame_size or None).resample(frame):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return out.getvalue()


def _decoded(data: bytes, name: str) -> Samples:
    """Decode a sound file -> (n,) float32 at `HEAR_RATE`, in [-1, 1]. Its name's suffix alone chooses the demuxer, so
    that untrusted data reaches no other one of FFmpeg's."""
    container = CONTAINERS.get(name.rpartition(".")[2].lower())
    if container is None:
        raise _RefusedError("unsupported", f"The file's name ends in one of {', '.join(CONTAINERS)}.")
    try:
        with av.open(io.BytesIO(data), "r", format=container) as file:
            return decode(file, HEAR_RATE, LONGEST_SOUND).sound
    except TooLongError as error:
        raise _RefusedError("too_long", f"The sound is longer than {LONGEST_SOUND // 60} minutes.") from error
    except (FFmpegError, IndexError, ValueError) as error:
        raise _RefusedError("unreadable_sound", "The file cannot be read as sound.") from error
