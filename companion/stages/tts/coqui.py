"""Coqui TTS (the maintained package ``coqui-tts``): XTTS, VITS and the other models of that family."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE, Abilities, Samples, Speech
from companion.stages.streams import closing
from companion.stages.tts import synthesis
from companion.stages.worker import model_threads, pieces


class Coqui:
    """Any model of Coqui TTS. Needs ``pip install "vasari[coqui]"``.

    Args:
        model: Coqui's name, such as "tts_models/en/ljspeech/vits" (fetched by Coqui; mind its licence).
        model_path, config_path: files of a local model, instead of ``model``.
        device: "cpu" or "cuda".
        speaker, language: for models with several. The language defaults to that in the model's name, else English.
        speaker_wav: a recording whose voice is cloned, for models that can; only of a person who has consented.

    Raises:
        StageError: ``tts_missing_extra`` or ``tts_model``.
    """

    def __init__(
        self,
        model: str = "",
        model_path: str = "",
        config_path: str = "",
        device: str = "cpu",
        **say: Any,
    ) -> None:
        if bool(model) == bool(model_path):
            raise StageError("tts_model", "Coqui needs either `model` (a name) or `model_path` and `config_path`.")
        for path in filter(None, (model_path, config_path)):
            if not Path(path).exists():
                raise StageError("tts_model", f"There is no Coqui model at {path}.")
        named = model.split("/")[1] if model.count("/") > 1 else "en"
        self.abilities = Abilities(languages=(str(say.get("language", named)).partition("-")[0],))
        self._say_options = say
        self._tts = _load(model, model_path, config_path, device)
        self._rate: int = self._tts.synthesizer.output_sample_rate
        self._pool = model_threads("tts")

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """Text of any length -> its audio at 24 kHz, one piece per sentence, without word timings.

        Raises:
            StageError: ``tts_failed``.
        """
        async with closing(pieces(self._pool, lambda: self._say(text, emotion))) as made:
            async for piece in made:
                yield piece

    def _say(self, text: str, emotion: str) -> Iterator[Speech]:
        if not any(character.isalnum() for character in text):
            return
        for sentence in self._tts.synthesizer.split_into_sentences(text):
            try:
                sound = self._tts.tts(sentence, split_sentences=False, **self._say_options)
            except Exception as error:  # each of Coqui's models raises its own
                raise StageError("tts_failed", f"Coqui could not say a sentence: {error}") from error
            audio = _resample(np.asarray(sound, np.float32), self._rate)
            yield Speech(synthesis.level(audio, synthesis.manner(emotion).gain))


def _resample(audio: Samples, rate: int) -> Samples:
    from scipy.signal import resample_poly

    if rate == SPEAK_RATE:
        return audio
    divisor = int(np.gcd(rate, SPEAK_RATE))
    return resample_poly(audio, SPEAK_RATE // divisor, rate // divisor).astype(np.float32)


def _load(model: str, model_path: str, config_path: str, device: str) -> Any:
    try:
        from TTS.api import TTS  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise StageError(
            "tts_missing_extra", f'Coqui TTS cannot be imported ({error}). Run: pip install "vasari[coqui]"'
        ) from error
    try:
        if model:
            return TTS(model_name=model, progress_bar=False).to(device)
        return TTS(model_path=model_path, config_path=config_path, progress_bar=False).to(device)
    except Exception as error:  # each of Coqui's models raises its own
        raise StageError("tts_model", f"Coqui cannot load {model or model_path}: {error}") from error
