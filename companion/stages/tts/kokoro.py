"""Kokoro-82M: 54 voices, three times faster than real time on two cores."""

import copy
import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from companion.emotions import Manner
from companion.errors import StageError
from companion.models import locate
from companion.models.manifest import KOKORO_VOICES
from companion.models.needs import Needs
from companion.stages.protocols import Abilities, Speech
from companion.stages.tts import synthesis
from companion.stages.tts.english import English, Utterance
from companion.stages.tts.synthesis import EnglishVoice
from companion.stages.tts.timing import time_symbols

DURATIONS = "/encoder/Clip_output_0"
STYLES, STYLE = 510, 256  # a voice has a style vector (256,) for each number of symbols
LOUDNESS = 1.5  # gain
ACCENTS = {
    "a": "American", "b": "British", "e": "Spanish", "f": "French", "h": "Hindi", "i": "Italian", "j": "Japanese",
    "p": "Brazilian", "z": "Mandarin",
}  # fmt: skip  # by the first letter of a voice's name
VOICES = {name: f"{ACCENTS[name[0]]} {'woman' if name[1] == 'f' else 'man'}" for name in KOKORO_VOICES}


class Kokoro(EnglishVoice):
    """Kokoro-82M, int8 (Apache-2.0): English through hibari's G2P, 24 kHz, with exact word and phoneme timings.

    Needs ``companion setup --only kokoro`` (150 MB). Names start with language and gender: "af_heart" is an American
    woman, "bm_george" a British man; voices of other languages speak English with their accent.

    Args:
        voice: one of ``KOKORO_VOICES``.
        speed: relative to the voice's own pace; 2.0 is twice as fast.
        threads: CPU threads.

    Raises:
        StageError: ``tts_voice`` for an unknown voice; ``model_missing`` or ``model_corrupt``.
    """

    needs = Needs(("kokoro",))

    def __init__(self, voice: str = "af_heart", speed: float = 1.0, threads: int = 2) -> None:
        if voice not in KOKORO_VOICES:
            raise StageError("tts_voice", f"Kokoro has no voice {voice!r}. It has: {', '.join(KOKORO_VOICES)}.")
        folder = locate.resolve("kokoro")
        super().__init__(English(voice.startswith("b")), speed)
        self.abilities = Abilities(languages=("en",), voice=voice, voices=VOICES, pronounces=True, paced=True)
        self._data = folder / "kokoro-voices.bin"
        self._styles = self._styles_of(voice)
        self._session = synthesis.session(folder / "kokoro.onnx", DURATIONS, threads)
        self._warm()

    def with_voice(self, voice: str) -> "Kokoro":
        """The same network with another of `KOKORO_VOICES`."""
        other = copy.copy(self)
        other.abilities, other._styles = replace(self.abilities, voice=voice), self._styles_of(voice)
        if voice.startswith("b") != self.abilities.voice.startswith("b"):
            other._english = English(british=voice.startswith("b"))
        return other

    def _styles_of(self, voice: str) -> NDArray[np.float32]:
        return _styles(self._data, voice)

    def _synthesize(self, utterance: Utterance, manner: Manner) -> Speech:
        inputs = {
            "tokens": np.asarray([self._english.ids(utterance.symbols)], np.int64),
            "style": self._styles[min(len(utterance.symbols), STYLES - 1)][None],
            "speed": np.asarray([self._speed * manner.speed], np.float32),
        }
        audio, durations = self._session.run(["audio", DURATIONS], inputs)
        return time_symbols(synthesis.level(audio.ravel(), LOUDNESS * manner.gain), durations.ravel(), utterance)


@functools.lru_cache(maxsize=16)
def _styles(path: Path, voice: str) -> NDArray[np.float32]:
    """(510, 256) float32: the style vectors of ``voice``, row i for i symbols."""
    count = STYLES * STYLE
    data = np.fromfile(path, "<f4", count, offset=KOKORO_VOICES.index(voice) * count * 4)
    return data.reshape(STYLES, STYLE)
