"""A suite of portraits and sounds: which portrait says which sound, and means over all clips."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animator.evaluate.lifelike import distance
from animator.evaluate.measure import bands_off
from animator.evaluate.tracking.lip_figures import Figures, Phoneme
from animator.media.files import MediaError, read_audio
from animator.units import Samples

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".heic", ".bmp", ".tif", ".tiff")
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".m4a")


@dataclass(frozen=True, slots=True)
class Saying:
    """A sound for a portrait to say: mono at 24 kHz, and its phonemes where they are known."""

    name: str
    audio: Samples | None
    phonemes: tuple[Phoneme, ...] = ()


def pairs(folder: Path, limit: int | None = None) -> list[tuple[Path, Saying]]:
    """Every picture in ``folder`` with every sound in it; or ``limit`` pairs, spread over all pictures and sounds.

    NAME.json beside NAME.wav holds its phonemes: a list of [IPA, start, end] in seconds. Raises `MediaError` when there
    is no folder or no picture, or when a file cannot be read.
    """
    if not folder.is_dir():
        raise MediaError(f"There is no folder {folder}. Give one with pictures, and sounds for them to say.")
    files = sorted(folder.iterdir())
    pictures = [file for file in files if file.suffix.lower() in PICTURES]
    if not pictures:
        raise MediaError(f"{folder} has no pictures. Put some there: {', '.join(PICTURES)}.")
    sayings = [read_saying(file) for file in files if file.suffix.lower() in SOUNDS] or [Saying("", None)]
    every = [(picture, saying) for picture in pictures for saying in sayings]
    if limit is None or limit >= len(every):
        return every
    return [(pictures[i % len(pictures)], sayings[i * len(sayings) // limit]) for i in range(limit)]


def read_saying(file: Path) -> Saying:
    """A sound with the phonemes of the JSON file beside it, if there is one."""
    notes = file.with_suffix(".json")
    if not notes.exists():
        return Saying(file.stem, read_audio(file))
    try:
        said = tuple((str(symbol), float(start), float(end)) for symbol, start, end in json.loads(notes.read_text()))
    except (ValueError, TypeError) as error:
        raise MediaError(f"{notes} holds no phonemes ({error}). Write [[IPA, start, end], ...] in seconds.") from error
    return Saying(file.stem, read_audio(file), said)


def means(clips: Iterable[Figures]) -> Figures:
    """The mean of every figure over the clips that have it; lists of numbers are averaged element by element."""
    values = _known(clips)
    averages = {name: np.mean(np.array(found, np.float64), axis=0) for name, found in values.items()}
    return {name: [round(float(v), 3) for v in mean] if mean.ndim else float(mean) for name, mean in averages.items()}


def together(clips: Iterable[Figures]) -> Figures:
    """`means`, in which ``distance`` and ``head_bands_off`` are those of the means: a clip alone is off by chance."""
    mean = means(clips)
    bands = mean.get("head_bands")
    if isinstance(bands, list):
        mean["head_bands_off"] = bands_off(bands)
    return mean | {"distance": distance(mean)}


def errors(clips: Iterable[Figures]) -> dict[str, float]:
    """The standard error of the mean of every figure that is a number in two clips or more."""
    values = {name: np.array(found, np.float64) for name, found in _known(clips).items()}
    return {
        name: float(found.std(ddof=1) / np.sqrt(len(found)))
        for name, found in values.items()
        if found.ndim == 1 and len(found) > 1
    }


def _known(clips: Iterable[Figures]) -> dict[str, list[float | list[float]]]:
    """The values of each figure in the clips that know it."""
    values: dict[str, list[float | list[float]]] = {}
    for clip in clips:
        for name, value in clip.items():
            if value is not None:
                values.setdefault(name, []).append(value)
    return values
