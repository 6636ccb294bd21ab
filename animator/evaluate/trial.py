"""A trial: a face speaks for a while as in a conversation, and its video is measured."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from animator.bench.frames import one_core, voice
from animator.control import Control
from animator.evaluate import evaluate
from animator.evaluate.rows import motion_figures
from animator.evaluate.suite import Saying
from animator.evaluate.tracking.film import film
from animator.evaluate.tracking.lip_figures import Figures
from animator.evaluate.tracking.looks import Looks, psnr
from animator.evaluate.wishes.sweep import row
from animator.export import speak, write
from animator.live import Animator
from animator.portrait.portrait import Portrait
from animator.render import Renderer
from animator.units import FPS, RATE, SAMPLES_PER_FRAME, Samples

SPEECH_SECONDS = 10.0  # of speech when no sound is given
QUIET_SECONDS = 1.0  # before and after it
LISTENING_SECONDS = 40.0
_SOUND_FIGURES = ("sync", "offset", "loudness", "pause")  # a voice is needed for these
_LISTENING_FIGURES = ("head_change", "blinks_per_minute", "sd_yaw", "sd_pitch", "sd_roll", "mouth_jumps", "head_jumps")


def trial(
    animator: Animator, portrait: Portrait, saying: Saying, progress: Callable[[int], None] | None = None
) -> Figures:
    """The figures of `spoken`, and: ``rest_psnr`` (dB) of the neutral frame against the picture; ``background_still``,
    the change of the background in a still after encoding; ``fps_one_core``.

    Raises `animator.media.files.MediaError` when the tracker does not find the face.
    """
    figures = spoken(animator, portrait, saying, progress)
    x, y = portrait.view
    rest = portrait.picture[y : y + portrait.size, x : x + portrait.size]
    figures["rest_psnr"] = psnr(Renderer(portrait).draw(row()), rest)
    still = Looks(portrait)
    for number, image in enumerate(film(_Still(rest), [row()] * 50, portrait.size)):
        still(number, image, None)
    figures["background_still"] = still.figures().get("background_change")
    figures["fps_one_core"] = one_core(animator, portrait, 2.0)["fps_one_core"]
    return figures


def spoken(
    animator: Animator, portrait: Portrait, saying: Saying, progress: Callable[[int], None] | None = None,
    keep: Path | None = None,
) -> Figures:  # fmt: skip
    """Figures of `evaluate` for a face that says something (without a sound: noise with the rhythm of speech) between
    two seconds of silence, and of its motion while it listens. ``keep``: where the video stays.

    Raises `animator.media.files.MediaError` when the tracker does not find the face.
    """
    quiet = np.zeros(int(QUIET_SECONDS * RATE), np.float32)
    sound = np.concatenate([quiet, voice(SPEECH_SECONDS) if saying.audio is None else saying.audio, quiet])
    face = animator.open(portrait)
    with tempfile.TemporaryDirectory() as folder:
        video = keep or Path(folder, "trial.mp4")
        write(speak(face, sound, Control("speaking")), portrait.size, video)
        phonemes = [(symbol, start + QUIET_SECONDS, end + QUIET_SECONDS) for symbol, start, end in saying.phonemes]
        figures = evaluate(video, None, portrait, progress, phonemes, QUIET_SECONDS)
    if saying.audio is None:
        figures = {name: value for name, value in figures.items() if not name.startswith(_SOUND_FIGURES)}
    return figures | listening(animator, saying.audio)


def listening(animator: Animator, heard: Samples | None) -> Figures:
    """How a face moves that listens to ``heard``, repeated, for `LISTENING_SECONDS`; measured on its motion,
    undrawn."""
    samples = int(LISTENING_SECONDS * FPS) * SAMPLES_PER_FRAME
    other = np.resize(voice(SPEECH_SECONDS) if heard is None else heard, samples)
    rows = animator.generator().step(np.zeros(samples, np.float32), Control("listening"), other)
    figures = motion_figures(rows, None)
    return {f"listening_{name}": figures[name] for name in _LISTENING_FIGURES}


class _Still:
    """A renderer that draws the same picture for any row."""

    def __init__(self, picture: np.ndarray) -> None:
        self._picture = np.ascontiguousarray(picture)

    def draw(self, motion: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return self._picture
