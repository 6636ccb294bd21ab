"""Sounds for ``animator evaluate --suite``: ``python -m scripts.suite_sounds OUT --kokoro MODEL VOICES``.

Sentences that the generator was not trained on, in eight languages and several voices, each as OUT/NAME.wav with its
phonemes in OUT/NAME.json; besides, recordings of people as they are. Put the pictures into the same folder.
"""

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from animator.learn.corpus.singing import sing
from animator.learn.corpus.synthesizers import RATE, Espeak, Heart, Kokoro, Spoken, flite
from animator.learn.corpus.teacher import Segment

ENGLISH = (
    "Remember the summer when we both picked blackberries by the bridge? My brother brought bread and plum jam.",
    "Every morning the baker opens his shop before six. People come from far away to buy warm bread and maple buns.",
    "Maybe I am wrong, but the problem began before Friday. Please give me a moment, and I will try to explain it.",
    "Above the village, the moon came up behind a veil of mist. Nobody moved, and for a while nobody said a word.",
)
OTHERS = {
    "de": "Am Abend bummeln wir oft am Fluss entlang. Papa pfeift ein Lied, und Mama pflückt bunte Blumen.",
    "fr": "Le petit bateau blanc flotte près du pont. Ma maman prépare un bon repas, puis nous buvons un peu de vin.",
    "es": "Mi abuelo vive en un pueblo pequeño. Por la mañana bebe café y mira pasar los barcos por la bahía.",
    "ja": "はるになると、まちのひとびとはこうえんでさくらをみます。ぼくもまいばんさんぽをします。",
    "it": "Al mattino il mare è piatto e le barche partono piano. Mio nonno beve un buon caffè e guarda le onde.",
    "cmn": "明天我们跟朋友一起爬山。妈妈买了苹果和面包，爸爸慢慢地跑步。",
}
SONG = "Somewhere above the moon, my love, a boat will bring me home."
PLAIN = (1.0, 1.0, 1.0)  # speed, pitch and vocal tract as they are


def spoken(model: Path, voices: Path) -> Iterator[tuple[str, Spoken]]:
    """(name, sound and phonemes) of every synthesized clip."""
    heart, espeak, kokoro, random = Heart(), Espeak(), Kokoro(model, voices), np.random.default_rng(0)
    english = [" ".join(heart.phonemes(text)) for text in ENGLISH]
    yield "en-hibari", heart(english[0], PLAIN, random)
    yield "en-male", kokoro(english[1], "am_puck", 1.0)
    yield "en-british", kokoro(english[2], "bf_lily", 1.0)
    yield "en-flite", flite(ENGLISH[3], "rms", 1.0)
    for language, voice in (("es", "em_alex"), ("cmn", "zf_xiaoyi"), ("fr", "ff_siwis"), ("ja", "jf_alpha")):
        _, segments = espeak(OTHERS[language], language, 1.0, 50)
        phonemes = "".join(segment.symbol or " " for segment in segments).strip() + "."
        yield language, kokoro(phonemes, voice, 1.0)
    yield "de", espeak(OTHERS["de"], "de+f2", 0.95, 45)
    yield "it", espeak(OTHERS["it"], "it+m3", 0.95, 40)
    sung = sing(*heart(" ".join(heart.phonemes(SONG)), PLAIN, random), random)
    yield "singing", (sung.sound, sung.segments)


def save(out: Path, name: str, sound: NDArray[np.float32], segments: list[Segment]) -> None:
    level = 10 ** (-22 / 20) / max(float(np.sqrt(np.mean(sound**2))), 1e-5)
    soundfile.write(out / f"{name}.wav", np.clip(sound * level, -1, 1), RATE)
    said = [[segment.symbol, round(segment.start, 3), round(segment.end, 3)] for segment in segments if segment.symbol]
    (out / f"{name}.json").write_text(json.dumps(said, ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kokoro", type=Path, nargs=2, metavar=("MODEL", "VOICES"), required=True)
    parser.add_argument("--recordings", type=Path, help="folder of WAV files to add")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name, (sound, segments) in spoken(*given.kokoro):
        save(given.out, name, sound, segments)
        print(name, f"{len(sound) / RATE:.1f} s", flush=True)
    for recording in sorted(given.recordings.glob("*.wav")) if given.recordings else []:
        shutil.copy(recording, given.out / recording.name)


if __name__ == "__main__":
    main()
