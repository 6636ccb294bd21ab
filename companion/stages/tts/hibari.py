"""hibari, the default voice: 6 million parameters distilled from Kokoro, a hundred times faster than real time."""

from pathlib import Path

import numpy as np

from companion.errors import StageError
from companion.models import locate
from companion.models.needs import Needs
from companion.stages.protocols import Abilities, Speech
from companion.stages.tts import synthesis
from companion.stages.tts.english import Utterance
from companion.stages.tts.synthesis import EnglishVoice
from companion.stages.tts.timing import time_symbols

DURATIONS = "/Clip_output_0"
LOUDNESS = 2.0  # its speech is at -24 dBFS; this brings it to -18


class Hibari(EnglishVoice):
    """hibari (Apache-2.0): English, 24 kHz, with exact times of words and phonemes. The same text always sounds
    the same.

    Args:
        voice: "heart" is embedded; the package's other names ("emma", ...) are fetched from the hub on first use.
        speed: 1.0 is the voice's own pace, 2.0 twice as fast.
    """

    needs = Needs(("hibari",))

    def __init__(self, voice: str = "heart", speed: float = 1.0) -> None:
        from hibari.voices import VOICES

        if voice not in VOICES:
            raise StageError("tts_voice", f"hibari has no voice {voice!r}. It has: {', '.join(VOICES)}.")
        super().__init__(british=VOICES[voice]["british"], speed=speed)
        self.abilities = Abilities(languages=("en",), voice=voice, voices=(voice,))
        self._session = synthesis.session(_path(voice), DURATIONS, threads=1)
        self._warm()

    def with_voice(self, voice: str) -> "Hibari":
        """There is only one."""
        return self

    def _synthesize(self, utterance: Utterance, manner: synthesis.Manner) -> Speech:
        from hibari import dsp

        ids = np.asarray([self._english.ids(utterance.symbols)], np.int64)
        speed = np.asarray([self._speed * manner.speed], np.float32)
        names = ["lh", "theta", "ln", "lr", "phi", "f0", DURATIONS]
        outputs = self._session.run(names, {"ids": ids, "speed": speed})
        lh, theta, ln, lr, phi, f0 = (output[0] for output in outputs[:-1])
        audio = dsp.synth(lh, theta, ln, lr, phi, f0, np.random.default_rng(0))
        return time_symbols(synthesis.level(audio, LOUDNESS * manner.gain), outputs[-1].ravel(), utterance)


def _path(voice: str) -> Path:
    if voice == "heart":
        return locate.resolve("hibari")
    from hibari.voices import voice_path

    try:
        return Path(voice_path(voice))
    except RuntimeError as error:
        raise StageError("tts_voice", f"The voice {voice} cannot be fetched from the hub: {error}") from error
