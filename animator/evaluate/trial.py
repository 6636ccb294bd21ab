"""A face put to the test: it speaks for a while as it would live, and the video is measured."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from animator.bench import one_core, voice
from animator.control import Control
from animator.evaluate import evaluate
from animator.evaluate.film import film
from animator.evaluate.looks import Looks
from animator.evaluate.measure import Figures, psnr
from animator.evaluate.sweep import row
from animator.export import speak, write
from animator.face import RATE, Animator, Samples
from animator.portrait.portrait import Portrait
from animator.render import Renderer

SECONDS = 10.0  # of speech when no sound is given
SEED = 1
_OF_SOUND = ("correlation", "lag", "loudness", "pause")  # a voice is needed for these
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".heic", ".bmp", ".tif", ".tiff")
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".m4a")


def trial(portrait: Portrait, audio: Samples | None = None, progress: Callable[[int], None] | None = None) -> Figures:
    """Figures of `evaluate` for a face that says ``audio`` (mono at `RATE`; without it sound with the rhythm of speech)
    after a second of silence; the rest frame as it is drawn, the background of a still, and the speed.

    Raises `animator.media.MediaError` when the tracker does not find the face.
    """
    sound = np.concatenate([np.zeros(RATE, np.float32), voice(SECONDS) if audio is None else audio])
    face = Animator(portrait.size, seed=SEED).open(portrait)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder, "trial.mp4")
        write(speak(face, sound, Control("speaking")), portrait.size, video)
        figures = evaluate(video, None, portrait, progress)
    if audio is None:
        figures = {name: value for name, value in figures.items() if not name.startswith(_OF_SOUND)}
    x, y = portrait.view
    rest = portrait.picture[y : y + portrait.size, x : x + portrait.size]
    figures["rest_psnr"] = psnr(Renderer(portrait).draw(row()), rest)
    still = Looks(portrait)
    for number, image in enumerate(film(_Still(rest), [row()] * 50, portrait.size)):
        still(number, image, None)
    figures["background_still"] = still.figures().get("background_change")
    figures["fps_one_core"] = one_core(portrait, 2.0)["fps_one_core"]
    return figures


def means(clips: Iterable[Figures]) -> Figures:
    """The mean of every figure that is a number in some clip."""
    values: dict[str, list[float]] = {}
    for clip in clips:
        for name, value in clip.items():
            if isinstance(value, float | int):
                values.setdefault(name, []).append(value)
    return {name: float(np.mean(found)) for name, found in values.items()}


class _Still:
    """Draws a picture that never moves."""

    def __init__(self, picture: np.ndarray) -> None:
        self._picture = np.ascontiguousarray(picture)

    def draw(self, motion: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return self._picture
