"""Speech recognition with Whisper, tuned for single short utterances."""

import asyncio
import copy
import logging
import math
import re
import threading
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from companion.errors import StageError
from companion.models import locate
from companion.models.needs import Needs
from companion.stages.protocols import HEAR_RATE, VAD_WINDOW, Abilities, Samples, Transcript
from companion.stages.vad import Silero
from companion.stages.worker import MODEL_THREADS

log = logging.getLogger(__name__)

EMBEDDED_MODELS = {"embedded-base": "whisper-base", "embedded-tiny.en": "whisper-tiny.en"}
WINDOW = 3000  # feature frames of 10 ms, what Whisper was trained on
MARGIN = 600  # frames of silence after the speech: with 400 or less the decoder loops, with 800 it stops too early
MIN_S = 0.1  # shorter sounds hold no word
MIN_SPEECH = 0.35  # VAD probability that some 32 ms must reach; noise stays below 0.2
MIN_LOGPROB = -1.3  # per token; speech reaches -0.9 and more, what is imagined into noise -2.6 and less
SHORT_TOKENS, SHORT_LOGPROB = 4, -1.8  # tokens of a "yes", which are less certain
MAX_COMPRESSION = 2.4  # text that shrinks more than this under zlib goes round in circles
REPEATED = re.compile(r"(\b\w[^.!?]{0,40}?)(?:[\s,.!?;-]+\1\b){4,}", re.IGNORECASE)  # said five times in a row
MOST_LAUGHED = 10  # times that people say one word in a row: "ha ha ha", "no, no, no"
MOST_AT_ONCE = 2  # a turn that ended need not wait until an attempt at its beginning is over
DETECT_S, DETECT_P = 2.0, 0.7  # a language is believed from this much speech and probability on


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
    """Whisper through faster-whisper (CTranslate2), warm from construction on.

    Utterances are padded to their length and 6 s instead of Whisper's 30 s, which makes short ones three times faster
    at the same word error rate; text that repeats itself is decoded again with the full window.

    Args:
        model: "embedded-base" (99 languages), "embedded-tiny.en" (faster, English), a faster-whisper name such as
            "small" (fetched from the hub), or the folder of a converted model.
        language: code such as "en" or "de"; None detects it and takes ``fallback_language`` for short utterances.
        device: "cpu", "cuda" or "auto".
        beam: hypotheses kept while decoding; 1 is fastest.
    """

    needs = Needs(Silero.needs.always, option="model", choices=EMBEDDED_MODELS)  # it hears words in noise

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
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="asr")
        self._pool.submit(self._warm).result()

    def in_language(self, language: str) -> Self:
        """It hears this one of its languages and no other."""
        told = copy.copy(self)
        told._language = language
        return told

    def expecting(self, words: str, spelt: bool) -> Self:
        """It takes ``words`` for what was said before, and, where numbers are to be ``spelt``, writes no digits: short
        numbers become "1 1 1 1" else."""
        told = copy.copy(self)
        told._words, told._spelt = words, spelt
        return told

    async def transcribe(self, audio: Samples) -> Transcript:
        """(n,) at 16 kHz, one utterance -> its text, empty where nobody speaks in it.

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
        """One window of the utterance's own length: encode, language, decode; an unlikely language is tried again."""
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
        """What is heard; without the words that were expected where these are not certain, or nothing is."""
        heard = self._written(encoded, language, seconds, self._words)
        if self._words and not (heard.text and heard.certain):
            return self._written(encoded, language, seconds)
        return heard

    def _written(self, encoded: Any, language: str, seconds: float, words: str = "") -> _Heard:
        """What is written after ``words``, as if these were said before."""
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
            max_length=len(prompt) + 8 + int(7 * seconds),  # nobody says more tokens a second
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
        """Windows of 30 s, decoded again with some randomness where the text repeats itself."""
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
    """Whether something is written again and again that nobody says so often."""
    for match in REPEATED.finditer(text):
        said = match.group(1)
        if not said.isalpha() or len(match.group().split()) > MOST_LAUGHED:
            return True
    return False


def _digits(tokenizer: Any) -> Sequence[int]:
    """The tokens of Whisper's vocabulary that write a number in digits."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    return [token for text, token in vocabulary.items() if any(c.isdigit() for c in text) and not text.startswith("<|")]


def _spoken(audio: Samples) -> bool:
    """Whether the voice detector hears speech anywhere: Whisper writes words into noise, so noise must not reach it."""
    vad = Silero()
    padded = np.pad(audio, (0, -len(audio) % VAD_WINDOW))
    return any(vad(padded[i : i + VAD_WINDOW]) >= MIN_SPEECH for i in range(0, len(padded), VAD_WINDOW))


def _load(model: str, device: str, threads: int) -> Any:
    from faster_whisper import WhisperModel

    path = str(locate.resolve(EMBEDDED_MODELS[model])) if model in EMBEDDED_MODELS else model
    try:
        return WhisperModel(path, device=device, compute_type="int8", cpu_threads=threads, num_workers=MOST_AT_ONCE)
    except Exception as error:  # CTranslate2, tokenizers and the hub client each raise their own
        known: Sequence[str] = (*EMBEDDED_MODELS, "a faster-whisper name (needs the Hugging Face hub)", "a folder")
        kind = "folder" if Path(model).exists() else "model"
        raise StageError(
            "asr_model", f"The Whisper {kind} {model} cannot be loaded ({error}). Expected: {', '.join(known)}."
        ) from error
