"""Builds the training corpus: ``python -m animator.learn.speech.corpus OUT --kokoro MODEL VOICES --captured FOLDER``.

Every clip becomes one .npz: ``power`` (frames * 4, 64) float16, log10 mel power at 100 Hz; ``mouth`` (frames, 14)
float16 at 25 fps; ``held`` whether it is for validation only. Clips of one source carry its name in their file name.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from animator.audio import HOP, WINDOW, mel_power
from animator.learn.speech import captured, sentences
from animator.learn.speech.teacher import teach
from animator.learn.speech.voices import RATE, Espeak, Heart, Kokoro, Segment, flite
from animator.motion.mouth import CHANNELS, HOPS_PER_FRAME

FRAME = HOP * HOPS_PER_FRAME
HELD_KOKORO = ("am_puck", "bf_lily", "em_alex", "zf_xiaoyi")
HELD_FLITE = ("rms",)
HELD_LANGUAGES = ("it", "tr")
KOKORO_LANGUAGES = {"e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "cmn"}
Clip = tuple[str, bool, NDArray[np.float32], list[Segment]]  # source, held out, sound, phonemes


def _espeak_clips(clips: int, rng: np.random.Generator) -> Iterator[Clip]:
    engine = Espeak()
    variants = ["", *(f"+m{i}" for i in range(1, 8)), *(f"+f{i}" for i in range(1, 5))]
    languages = ["en-us", "en", "en-gb-scotland", *sentences.OTHERS]
    for i in range(clips):
        language = languages[i % len(languages)]
        text = sentences.english(rng) if language.startswith("en") else sentences.other(language, rng)
        name = language + str(rng.choice(variants))
        sound, segments = engine(text, name, rng.uniform(0.75, 1.35), int(rng.integers(25, 80)))
        yield "espeak", language in HELD_LANGUAGES, sound, segments


def _flite_clips(clips: int, rng: np.random.Generator) -> Iterator[Clip]:
    for i in range(clips):
        voice = ("slt", "rms", "awb", "kal16", "kal")[i % 5]
        sound, segments = flite(sentences.english(rng), voice, rng.uniform(0.8, 1.4))
        yield "flite", voice in HELD_FLITE, sound, segments


def _heart_clips(clips: int, rng: np.random.Generator) -> Iterator[Clip]:
    heart = Heart()
    for i in range(clips):
        tract = 1.0 if i % 4 == 0 else rng.uniform(0.80, 1.15)
        pitch = tract * rng.uniform(0.7, 1.3) if tract > 0.95 else rng.uniform(0.42, 0.8)
        for phonemes in heart.phonemes(sentences.english(rng)):
            sound, segments = heart(phonemes, rng.uniform(0.75, 1.4), pitch, tract, rng)
            yield "heart", i % 25 == 7, sound, segments


def _espeak_ipa(text: str, language: str, engine: Espeak) -> str:
    """Phonemes of a language that hibari does not know, for Kokoro."""
    _, segments = engine(text, language, 1.0, 50)
    return "".join(segment.symbol or " " for segment in segments).strip() + "."


def _kokoro_clips(clips: int, rng: np.random.Generator, model: Path, voices: Path) -> Iterator[Clip]:
    kokoro, heart, engine = Kokoro(model, voices), Heart(), Espeak()
    order = rng.permutation(kokoro.voices)
    for i in range(clips):
        voice = str(order[i % len(order)])
        language = KOKORO_LANGUAGES.get(voice[0])
        if language:
            phonemes = _espeak_ipa(sentences.other(language, rng), language, engine)
        else:
            phonemes = " ".join(heart.phonemes(sentences.english(rng)))
        sound, segments = kokoro(phonemes, voice, rng.uniform(0.8, 1.25))
        yield "kokoro", voice in HELD_KOKORO, sound, segments


def _save(path: Path, sound: NDArray[np.float32], mouth: NDArray[np.float32], held: bool) -> None:
    """Writes one clip. Sound starts and ends with the silence that the window needs."""
    frames = len(mouth)
    padded = np.concatenate([np.zeros(WINDOW - HOP, np.float32), sound[: frames * FRAME]])
    power = np.log10(np.maximum(mel_power(padded), 1e-10))
    np.savez(path, power=power.astype(np.float16), mouth=mouth.astype(np.float16), held=held)


def _save_captured(folder: Path, out: Path) -> None:
    """The captured takes, as they are and at other speeds (which move pitch and formants: other voices)."""
    for take, sound, mouth in captured.takes(folder):
        held = take in captured.HELD
        for up, down in ((1, 1), (5, 6), (3, 4), (8, 7), (6, 5)):
            if held and up != down:
                continue
            said = resample_poly(sound, up, down).astype(np.float32)
            frames = len(said) // FRAME
            at = (np.arange(frames) + 0.5) * down / up - 0.5
            moved = np.stack([np.interp(at, np.arange(len(mouth)), column) for column in mouth.T], axis=1)
            _save(out / f"captured-{take}-{up}-{down}.npz", said, moved.astype(np.float32), held)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=int, default=1500, help="of hibari, espeak-ng and flite each (about 4 s long)")
    parser.add_argument("--kokoro", type=Path, nargs=2, metavar=("MODEL", "VOICES"))
    parser.add_argument("--kokoro-clips", type=int, default=400)
    parser.add_argument("--captured", type=Path, help="folder with the FACEGOOD takes")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(given.seed)
    if given.captured:
        _save_captured(given.captured, given.out)
    makers = [_heart_clips(given.clips, rng), _espeak_clips(given.clips, rng), _flite_clips(given.clips // 2, rng)]
    if given.kokoro:
        makers.append(_kokoro_clips(given.kokoro_clips, rng, *given.kokoro))
    counts: dict[str, int] = {}
    for maker in makers:
        for source, held, sound, segments in maker:
            level = 10 ** (-22 / 20) / max(float(np.sqrt(np.mean(sound**2))), 1e-5)
            mouth = teach(segments, sound, RATE)
            _save(given.out / f"{source}-{counts.get(source, 0):05d}.npz", sound * level, mouth, held)
            counts[source] = counts.get(source, 0) + 1
    print(json.dumps({"clips": counts, "channels": CHANNELS}))


if __name__ == "__main__":
    main()
