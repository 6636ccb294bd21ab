"""Piper's networks (VITS), fed with the phonemes of hibari's G2P, so that neither Piper nor espeak is needed."""

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
from companion.stages.tts.english import IPA, Reads, Utterance
from companion.stages.tts.intonation import Timbre, bent, heard_end, hums, rises
from companion.stages.tts.pitch import FRAME_S, Contour, moved
from companion.stages.tts.timing import UNIT_S, time_symbols
from companion.stages.worker import MODEL_THREADS

DURATIONS = "/Ceil_output_0"  # frames of each input symbol
HOP, RATE = 256, 22_050  # samples of a frame, Hz
NOISE, NOISE_OF_DURATIONS = 0.333, 0.0  # lower than Piper's defaults; without noise, durations are deterministic
LOUDNESS = 2.0  # gain, to -18 dBFS
HUM_SLOWER = 2.2  # factor of the duration of "hm", which it makes a quarter of a second long
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
    """Piper's voice "joe": a man, English, resampled from 22.05 to 24 kHz, with word and phoneme timings.

    The network is loaded in ``pool`` when it first speaks (StageError if it is missing). ``others`` returns the other
    voices that ``can`` names.
    """

    def __init__(
        self,
        can: Abilities,
        voice: str,
        english: Reads,
        pool: ThreadPoolExecutor,
        speed: float,
        others: Callable[[str], TTS],
    ) -> None:
        super().__init__(english, speed, pool)
        self.abilities, self._others = replace(can, voice=voice), others

    def with_voice(self, voice: str) -> TTS:
        """The voice of this name: itself, or one of the others."""
        return self if voice == self.abilities.voice else self._others(voice)

    def _synthesize(self, utterance: Utterance, manner: Manner) -> Speech:
        ids, owners = encoded(utterance.symbols)
        hum = utterance.symbols if hums(utterance.symbols) else ""
        slower = (HUM_SLOWER if hum else 1.0) / (self._speed * manner.speed)
        scales = np.asarray([NOISE, slower, NOISE_OF_DURATIONS], np.float32)
        inputs = {"input": ids[None], "input_lengths": np.asarray([len(ids)], np.int64), "scales": scales}
        sound, frames = _network().run(["output", DURATIONS], inputs)
        asks = rises(tuple(word.text for word in utterance.words))

        def bend(f0: Contour, loudness: NDArray[np.float32]) -> Contour:
            end = heard_end(np.log(loudness + 1e-6), FRAME_S) if asks else None
            return bent(f0, Timbre(), manner, end, hum)

        audio = moved(_resampled(sound.ravel()), bend)
        seconds = np.bincount(owners, frames.ravel() * HOP / RATE, len(utterance.symbols) + 2)
        return time_symbols(
            synthesis.level(audio, LOUDNESS * manner.gain), (seconds / UNIT_S).astype(np.float32), utterance, early=0.0
        )


@functools.cache
def _network() -> Any:
    """The network, loaded once per process. Raises StageError if the model is missing or corrupt."""
    return synthesis.session(locate.resolve("joe"), DURATIONS, MODEL_THREADS)


def encoded(symbols: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Symbols of Kokoro's alphabet -> (m,) int64 ids for the network, and (m,) int64 the number of the symbol that each
    id belongs to: from 1, with 0 before the first and ``len(symbols) + 1`` after the last."""
    ids, owners, at = [BEGIN, PAD], [0, 0], 0
    while at < len(symbols):
        taken = 2 if symbols[at : at + 2] in _IPA else 1
        letters = _IPA.get(symbols[at : at + taken], symbols[at])
        known = [IDS[letter] for letter in letters if letter in IDS]
        ids += [i for number in known for i in (number, PAD)]
        owners += [at + 1] * (2 * len(known))
        at += taken
    return np.asarray([*ids, END], np.int64), np.asarray([*owners, len(symbols) + 1], np.int64)


def _resampled(audio: NDArray[np.float32]) -> Samples:
    """From `RATE` to `SPEAK_RATE`."""
    divisor = int(np.gcd(RATE, SPEAK_RATE))
    return resample_poly(audio, SPEAK_RATE // divisor, RATE // divisor).astype(np.float32)
