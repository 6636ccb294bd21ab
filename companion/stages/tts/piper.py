"""Piper's networks (VITS) on the phonemes of the default voice: no Piper, and no espeak, is needed."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from companion.emotions import Manner
from companion.models import locate
from companion.stages.protocols import SPEAK_RATE, TTS, Abilities, Samples, Speech
from companion.stages.tts import synthesis
from companion.stages.tts.english import IPA, English, Utterance
from companion.stages.tts.timing import UNIT_S, time_symbols
from companion.stages.worker import MODEL_THREADS

DURATIONS = "/Ceil_output_0"  # frames of each input symbol
HOP, RATE = 256, 22_050  # samples of a frame, Hz
NOISE, NOISE_OF_DURATIONS = 0.333, 0.0  # less than Piper's own: the same words are said in the same time
LOUDNESS = 2.0  # brings it to -18 dBFS
RESAMPLED_SHARE = 0.6  # of a manner's semitones: the pitch is moved by resampling, and the formants with it
PAD, BEGIN, END = 0, 1, 2
_IPA = {  # from Kokoro's alphabet to espeak's, the longest first
    "ɑɹ": "ɑːɹ", "ɔɹ": "ɔːɹ", "ɜɹ": "ɜː", "əɹ": "ɚ", **IPA,
    "T": "ɾ", "ᵊ": "ə", "i": "iː", "u": "uː", "ɑ": "ɑː", "ɔ": "ɔː", "—": ",", "…": ".",
}  # fmt: skip
_LETTERS = (
    " !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒ"
    "ʔʕʘʙʛʜʝʟʡʢ"
    "ʲˈˌːˑ˞βθχᵻⱱ"
)
IDS = {letter: i for i, letter in enumerate(_LETTERS, start=3)}  # Piper's numbering of espeak's letters


class Piper(synthesis.EnglishVoice):
    """One of Piper's voices, "joe": a man, English, 22.05 kHz brought to 24, with the times of words and phonemes.

    The network is loaded in ``pool`` when it first speaks. ``others`` gives the other voices of ``abilities``.
    """

    def __init__(
        self,
        can: Abilities,
        voice: str,
        english: English,
        pool: ThreadPoolExecutor,
        speed: float,
        others: Callable[[str], TTS],
    ) -> None:
        super().__init__(english, speed, pool)
        self.abilities, self._others = replace(can, voice=voice), others

    def with_voice(self, voice: str) -> TTS:
        """One of the voices beside it."""
        return self if voice == self.abilities.voice else self._others(voice)

    def _synthesize(self, utterance: Utterance, manner: Manner) -> Speech:
        ids, owners = encoded(utterance.symbols)
        higher = 2 ** (manner.pitch * RESAMPLED_SHARE / 12)  # played so much faster, and made so much slower
        scales = np.asarray([NOISE, higher / (self._speed * manner.speed), NOISE_OF_DURATIONS], np.float32)
        inputs = {"input": ids[None], "input_lengths": np.asarray([len(ids)], np.int64), "scales": scales}
        sound, frames = _network().run(["output", DURATIONS], inputs)
        audio = _resampled(sound.ravel(), RATE * higher)
        seconds = np.bincount(owners, frames.ravel() * HOP / (RATE * higher), len(utterance.symbols) + 2)
        return time_symbols(
            synthesis.level(audio, LOUDNESS * manner.gain), (seconds / UNIT_S).astype(np.float32), utterance, early=0.0
        )


@functools.cache
def _network() -> Any:
    """Raises StageError where the model is not on this machine."""
    return synthesis.session(locate.resolve("joe"), DURATIONS, MODEL_THREADS)


def encoded(symbols: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Symbols of Kokoro's alphabet -> the network's input, and which symbol each of its numbers says: 0 is before the
    first, ``len(symbols) + 1`` after the last."""
    ids, owners, at = [BEGIN, PAD], [0, 0], 0
    while at < len(symbols):
        taken = 2 if symbols[at : at + 2] in _IPA else 1
        letters = _IPA.get(symbols[at : at + taken], symbols[at])
        known = [IDS[letter] for letter in letters if letter in IDS]
        ids += [i for number in known for i in (number, PAD)]
        owners += [at + 1] * (2 * len(known))
        at += taken
    return np.asarray([*ids, END], np.int64), np.asarray([*owners, len(symbols) + 1], np.int64)


def _resampled(audio: NDArray[np.float32], rate: float) -> Samples:
    """From ``rate`` to `SPEAK_RATE`, to the nearest of 1/200."""
    up = 200
    down = max(1, round(up * rate / SPEAK_RATE))
    divisor = int(np.gcd(up, down))
    return resample_poly(audio, up // divisor, down // divisor).astype(np.float32)
