"""hibari, the default voice: 6 million parameters distilled from Kokoro, a hundred times faster than real time."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from companion.emotions import Manner
from companion.errors import StageError
from companion.models import locate
from companion.models.needs import Needs
from companion.stages.protocols import TTS, Abilities, Speech
from companion.stages.tts import synthesis
from companion.stages.tts.english import English, Utterance
from companion.stages.tts.intonation import Timbre, bent, heard_end, hums, resized, rises
from companion.stages.tts.piper import Piper
from companion.stages.tts.timing import time_symbols

DURATIONS = "/Clip_output_0"
LOUDNESS = 2.0  # gain: from its -24 dBFS to -18
FRAME_S = 0.0125  # s, frame period of its spectrum and its pitch
SPEECH_BINS = slice(2, 40)  # of its spectrum, 20 Hz each: 40 to 800 Hz, where speech has most energy
TIMBRES = {  # speakers derived from its own by signal processing
    "hazel": Timbre("a deeper woman", pitch=-3.5, width=0.9, size=0.94, speed=0.96),
    "robin": Timbre("bright and young", pitch=3.5, width=1.1, size=1.09, speed=1.03),
    "grant": Timbre("a deep man", pitch=-9.0, width=0.85, size=0.86, speed=0.96, gain=0.6),
}
JOE = "joe"
CLEARED_FRAMES = 4  # within which a creaking voice becomes clear
THROAT_BINS = 4.0  # standard deviation of what smoothes a spectrum, bins
STEADY_FRAMES = 6  # before that, whose phases are held
LIFT = 0.5  # nepers (4 dB) by which it is louder: a voice that trails off is not heard to rise
CREAK = 2.5  # nepers (22 dB) by which the noise of a creaking voice is lowered there
HARMONIC_SHARE = 1.1  # logarithm: by how much harmonics are above noise of the same power, being in a third of the bins


class Hibari(synthesis.EnglishVoice):
    """hibari (Apache-2.0): English, 24 kHz, with exact word and phoneme timings. Deterministic.

    Args:
        voice: "heart" is embedded; the package's other voices ("emma", ...) are fetched from the hub on first use.
            Three more speakers are derived from it: `TIMBRES`.
        speed: relative to the voice's own pace; 2.0 is twice as fast.
        second: a further voice, "joe" (a man); "" for none.

    Raises:
        StageError: ``tts_voice`` for an unknown voice; ``model_missing`` or ``model_corrupt``.
    """

    needs = Needs(("hibari",), option="second", choices={JOE: JOE})

    def __init__(self, voice: str = "heart", speed: float = 1.0, second: str = JOE) -> None:
        from hibari.voices import VOICES

        if voice not in VOICES:
            raise StageError("tts_voice", f"hibari has no voice {voice!r}. It has: {', '.join(VOICES)}.")
        if second not in (JOE, ""):
            raise StageError("tts_voice", f'There is no second voice {second!r}. There is {JOE!r}, or none: "".')
        voices = {voice: _sounds(voice)} | {name: timbre.sounds for name, timbre in TIMBRES.items()}
        voices |= {JOE: "a man"} if second else {}
        self.abilities = Abilities(languages=("en",), voice=voice, voices=voices, pronounces=True, paced=True)
        super().__init__(English(VOICES[voice]["british"]), speed)
        self._timbre = Timbre()
        self._session = synthesis.session(_path(voice), DURATIONS, threads=1)
        self._second = Piper(self.abilities, JOE, self._english, self._pool, speed, self.with_voice)
        self._warm()

    def with_voice(self, voice: str) -> TTS:
        """The same engine with one of ``abilities.voices``."""
        if voice == JOE and JOE in self.abilities.voices:
            return self._second
        other = copy.copy(self)
        other.abilities, other._timbre = replace(self.abilities, voice=voice), TIMBRES.get(voice, Timbre())
        return other

    def _synthesize(self, utterance: Utterance, manner: Manner) -> Speech:
        from hibari import dsp

        ids = np.asarray([self._english.ids(utterance.symbols)], np.int64)
        speed = np.asarray([self._speed * self._timbre.speed * manner.speed], np.float32)
        names = ["lh", "theta", "ln", "lr", "phi", "f0", DURATIONS]
        outputs = self._session.run(names, {"ids": ids, "speed": speed})
        *spectra, f0 = (output[0] for output in outputs[:-1])
        asked = rises(tuple(word.text for word in utterance.words))
        end = heard_end(spectra[0][SPEECH_BINS].mean(0), FRAME_S) if asked else None
        spectra = spectra if end is None else _sung(spectra, end)
        lh, theta, ln, lr, phi = self._shaped(spectra)
        hum = utterance.symbols if hums(utterance.symbols) else ""
        pitch = bent(f0, self._timbre, manner, end, hum)
        audio = dsp.synth(lh, theta, ln, lr, phi, pitch, np.random.default_rng(0))
        louder = LOUDNESS * self._timbre.gain * manner.gain
        return time_symbols(synthesis.level(audio, louder), outputs[-1].ravel(), utterance)

    def _shaped(self, spectra: list[NDArray[np.float32]]) -> list[Any]:
        """The network's spectra, with the formants shifted to the speaker's."""
        size = self._timbre.size
        return spectra if size == 1.0 else [resized(spectrum, size) for spectrum in spectra]


def _sounds(voice: str) -> str:
    return "a warm woman" if voice == "heart" else ""


def _sung(spectra: list[NDArray[np.float32]], where: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """The network's spectra with a clear voice in the frames ``where``, (n,) bool: at the end of a sentence it creaks,
    which has no pitch, and a rise would not be heard. The phases are held, and the spectrum is that of a throat."""
    lh, theta, ln, lr, phi = spectra
    begin = int(np.flatnonzero(where)[0])
    share = np.clip((np.arange(lh.shape[1]) - begin) / CLEARED_FRAMES, 0.0, 1.0).astype(np.float32)
    whole = 0.5 * np.logaddexp(2 * lh, 2 * lr + HARMONIC_SHARE)
    clear = 0.5 * np.log(gaussian_filter1d(np.exp(2 * whole), THROAT_BINS, axis=0) + 1e-12) + LIFT * share
    held = np.median(theta[:, max(0, begin - STEADY_FRAMES) : begin + 1], axis=1, keepdims=True)
    lh, theta = lh + share * (clear - lh), theta + share * (held - theta)
    return [lh, theta, ln - share * CREAK, lr - share * CREAK, phi]


def _path(voice: str) -> Path:
    if voice == "heart":
        return locate.resolve("hibari")
    from hibari.voices import voice_path

    try:
        return Path(voice_path(voice))
    except RuntimeError as error:
        raise StageError("tts_voice", f"The voice {voice} cannot be fetched from the hub: {error}") from error
