"""Speech recognition with Whisper, tuned for single short utterances."""

import asyncio
import copy
import logging
import math
import re
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from companion.errors import StageError
from companion.models import locate
from companion.models.needs import Needs
from companion.stages.protocols import HEAR_RATE, VAD_WINDOW, Abilities, Samples, Transcript
from companion.stages.vad import Silero
from companion.stages.worker import MODEL_THREADS, model_threads

log = logging.getLogger(__name__)

EMBEDDED_MODELS = {"embedded-base": "whisper-base", "embedded-tiny.en": "whisper-tiny.en"}
WINDOW = 3000  # feature frames of 10 ms: the 30 s that Whisper was trained on
MARGIN = 600  # frames of silence after the speech: with 400 or less the decoder loops, with 800 it stops too early
MIN_S = 0.1  # s; shorter audio holds no word
MIN_SPEECH = 0.35  # VAD probability that at least one 32 ms window must reach; noise stays below 0.2
MIN_LOGPROB = -1.3  # mean per token; speech scores -0.9 or more, text hallucinated from noise -2.6 or less
SHORT_TOKENS, SHORT_LOGPROB = 4, -1.8  # up to so many tokens ("yes") the lower bound holds: they score less
MAX_COMPRESSION = 2.4  # zlib compression ratio above which text counts as repeating itself
REPEATED = re.compile(r"(\b\w[^.!?]{0,40}?)(?:[\s,.!?;-]+\1\b){4,}", re.IGNORECASE)  # said five times in a row
MOST_LAUGHED = 10  # repetitions of one word that people do say: "ha ha ha", "no, no, no"
MOST_AT_ONCE = 2  # so that a finished turn need not wait for the transcription begun at one of its pauses
DETECT_S, DETECT_P = 2.0, 0.7  # s of audio and probability from which a detected language is believed


@dataclass(frozen=True, slots=True)
class _Heard:
    text: str
    language: str
    logprob: float  # mean over the tokens
    tokens: int

    @property
    def certain(self) -> bool:
        return self.logprob >= (SHORT_LOGPROB if self.tokens <= SHORT_TOKENS else MIN_LOGPROB)

    @property
    def repeats(self) -> bool:
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) > MAX_COMPRESSION or _loops(self.text)


class FasterWhisper:
    """Whisper through faster-whisper (CTranslate2), warmed up by the constructor.

    An utterance is padded by 6 s of silence instead of to Whisper's full 30 s, which makes short ones three times
    faster at the same word error rate; if the text repeats itself, it is decoded again with the full window.

    Args:
        model: "embedded-base" (99 languages), "embedded-tiny.en" (faster, English), a faster-whisper name such as
            "small" (fetched from the hub), or the folder of a converted model.
        language: ISO 639-1 code such as "en" or "de"; None detects it.
        threads: CPU threads.
        device: "cpu", "cuda" or "auto".
        beam: beam size of the decoder; 1 is greedy decoding, the fastest.
        fallback_language: assumed for utterances under 2 s and for uncertain detections.

    Raises:
        StageError: ``asr_model`` if the model cannot be loaded, ``asr_language`` if it lacks ``language``.
    """

    needs = Needs(Silero.needs.always, option="model", choices=EMBEDDED_MODELS)  # the VAD rejects noise

    def __init__(
        self,
        model: str = "embedded-base",
        language: str | None = None,
        threads: int = MODEL_THREADS,
        device: str = "auto",
        beam: int = 1,
        fallback_language: str = "en",
    ) -> None:
        self._language, self._fallback, self._beam = language, fallback_language, beam
        self._model = _load(model, device, threads)
        known = frozenset[str](self._model.supported_languages)
        self._words, self._spelt, self._digits = "", False, _digits(self._model.hf_tokenizer)
        self.abilities = Abilities(languages=known, model=model, expects=True)
        if language and language not in known:
            raise StageError("asr_language", f"The model {model} does not know the language {language!r}.")
        self._pool = model_threads("asr", MOST_AT_ONCE)
        self._pool.submit(self._warm).result()

    def in_language(self, language: str) -> Self:
        """A copy that shares the model and transcribes only this one of its languages (ISO 639-1)."""
        told = copy.copy(self)
        told._language = language
        return told

    def expecting(self, words: str, spelt: bool) -> Self:
        """A copy that shares the model and is prompted with ``words`` as the preceding text. With ``spelt`` it writes
        numbers as words, never as digits: a short number would otherwise become "1 1 1 1"."""
        told = copy.copy(self)
        told._words, told._spelt = words, spelt
        return told

    async def transcribe(self, audio: Samples) -> Transcript:
        """(n,) float32 at 16 kHz, one utterance -> its transcript, with an empty text if it holds no speech.

        A call that is cancelled before its decoding has begun skips that.

        Raises:
            StageError: ``asr_failed``.
        """
        abandoned = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._transcribe, audio, abandoned)
        except asyncio.CancelledError:
            abandoned.set()
            raise
        except RuntimeError as error:
            raise StageError("asr_failed", f"Speech recognition failed: {error}") from error

    def _warm(self) -> None:
        self._short(np.zeros(HEAR_RATE, np.float32), threading.Event())

    def _transcribe(self, audio: Samples, abandoned: threading.Event) -> Transcript:
        audio = np.nan_to_num(np.asarray(audio, np.float32), posinf=0.0, neginf=0.0)
        if len(audio) < MIN_S * HEAR_RATE or not _spoken(audio):
            return Transcript("", self._language or self._fallback)
        fits = len(audio) / HEAR_RATE * 100 + MARGIN <= WINDOW
        heard = self._short(audio, abandoned) if fits else None
        if heard is None or heard.repeats:
            heard = self._long(audio, heard.language if heard else self._language)
        if heard.repeats and heard.language != (usual := self._language or self._fallback):
            heard = self._long(audio, usual)
        if heard.repeats or not heard.certain:
            log.info("an utterance of %.1f s was not understood", len(audio) / HEAR_RATE)
            return Transcript("", heard.language)
        return Transcript(heard.text, heard.language, confidence=min(1.0, math.exp(heard.logprob)))

    def _short(self, audio: Samples, abandoned: threading.Event) -> _Heard:
        """Decode one window of the utterance's own length. If the text is uncertain in a detected language, it is
        decoded in the fallback language too, and the likelier text wins."""
        model = self._model
        features = model.feature_extractor(audio)
        frames = min(WINDOW, -(-(features.shape[1] + MARGIN) // 100) * 100)
        padded = np.zeros((features.shape[0], frames), np.float32)
        padded[:, : features.shape[1]] = features
        encoded = model.encode(padded)
        if abandoned.is_set():
            return _Heard("", self._fallback, 0.0, 0)
        seconds = len(audio) / HEAR_RATE
        heard = self._decode(encoded, self._language or self._detect(encoded, seconds), seconds)
        if not heard.certain and not self._language and heard.language != self._fallback:
            again = self._decode(encoded, self._fallback, seconds)
            return max(heard, again, key=lambda found: found.logprob)
        return heard

    def _decode(self, encoded: Any, language: str, seconds: float) -> _Heard:
        """Decode in one language, prompted with the expected words; without them if that text is empty or uncertain."""
        heard = self._written(encoded, language, seconds, self._words)
        if self._words and not (heard.text and heard.certain):
            return self._written(encoded, language, seconds)
        return heard

    def _written(self, encoded: Any, language: str, seconds: float, words: str = "") -> _Heard:
        """Decode with ``words`` as the preceding text in the decoder's prompt."""
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        model = self._model
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)
        prompt = model.get_prompt(tokenizer, tokenizer.encode(f" {words}") if words else [], without_timestamps=True)
        suppressed = [-1, *(self._digits if self._spelt else ())]
        result = model.model.generate(
            encoded,
            [prompt],
            beam_size=self._beam,
            max_length=len(prompt) + 8 + int(7 * seconds),  # 7 tokens a second: nobody speaks faster
            return_scores=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, suppressed),  # pyright: ignore[reportArgumentType]
        )[0]
        tokens = result.sequences_ids[0]
        return _Heard(tokenizer.decode(tokens).strip(), language, float(result.scores[0]), len(tokens))

    def _detect(self, encoded: Any, seconds: float) -> str:
        if not self._model.model.is_multilingual:
            return "en"
        if seconds < DETECT_S:
            return self._fallback
        token, probability = self._model.model.detect_language(encoded)[0][0]
        return token[2:-2] if probability >= DETECT_P else self._fallback

    def _long(self, audio: Samples, language: str | None) -> _Heard:
        """Decode in windows of 30 s; a window whose text repeats itself is decoded again at temperature 0.4."""
        found, info = self._model.transcribe(
            audio,
            language=language,
            beam_size=self._beam,
            temperature=[0.0, 0.4],
            compression_ratio_threshold=MAX_COMPRESSION,
            condition_on_previous_text=False,
        )
        segments = list(found)
        if not segments:
            return _Heard("", info.language, 0.0, 0)
        text = " ".join(segment.text.strip() for segment in segments)
        tokens = sum(len(segment.tokens) for segment in segments)
        return _Heard(text, info.language, float(np.mean([segment.avg_logprob for segment in segments])), tokens)


def _loops(text: str) -> bool:
    """Whether a phrase repeats more often than anybody says it."""
    for match in REPEATED.finditer(text):
        said = match.group(1)
        if not said.isalpha() or len(match.group().split()) > MOST_LAUGHED:
            return True
    return False


def _digits(tokenizer: Any) -> Sequence[int]:
    """The ids of the tokens in Whisper's vocabulary that contain a digit."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    return [token for text, token in vocabulary.items() if any(c.isdigit() for c in text) and not text.startswith("<|")]


def _spoken(audio: Samples) -> bool:
    """Whether the VAD finds speech in any window: Whisper hallucinates words from noise, so noise must not reach it."""
    vad = Silero()
    padded = np.pad(audio, (0, -len(audio) % VAD_WINDOW))
    return any(vad(padded[i : i + VAD_WINDOW]) >= MIN_SPEECH for i in range(0, len(padded), VAD_WINDOW))


def _load(model: str, device: str, threads: int) -> Any:
    from faster_whisper import WhisperModel

    path = str(locate.resolve(EMBEDDED_MODELS[model])) if model in EMBEDDED_MODELS else model
    try:
        return WhisperModel(path, device=device, compute_type="int8", cpu_threads=threads, num_workers=MOST_AT_ONCE)
    except Exception as error:  # CTranslate2, tokenizers and the hub client each raise errors of their own
        known: Sequence[str] = (*EMBEDDED_MODELS, "a faster-whisper name (needs the Hugging Face hub)", "a folder")
        kind = "folder" if Path(model).exists() else "model"
        raise StageError(
            "asr_model", f"The Whisper {kind} {model} cannot be loaded ({error}). Expected: {', '.join(known)}."
        ) from error
