"""Measures how lifelike a face moves and looks: videos are tracked, measured and compared with people's.

It sees only frames and audio, as a viewer does, and changes nothing that it measures. Start with
`animator.evaluate.measure`; reference figures of people are in ``people.toml``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from animator.evaluate.lifelike import EYE_FIGURES, Lifelike, distance
from animator.evaluate.measure import measure
from animator.evaluate.tracking.lip_figures import Figures, Phoneme
from animator.evaluate.tracking.track import Image, track
from animator.media.files import has_sound, read_audio
from animator.portrait.finding.landmarks import FaceLandmarks

if TYPE_CHECKING:
    from animator.portrait.portrait import Portrait


def evaluate(
    video: Path,
    audio: Path | None = None,
    portrait: "Portrait | None" = None,
    progress: Callable[[int], None] | None = None,
    phonemes: Sequence[Phoneme] = (),
    margin: float = 0.0,
) -> Figures:
    """All figures of ``video``. Its own sound is used if ``audio`` is not given; ``portrait`` adds what the video keeps
    of the picture, and leaves out the figures of eyes that it hides; ``phonemes`` (IPA, start and end in seconds) tell
    when lips must meet. ``margin`` seconds at both ends are silence and do not count in the figures of a talking face.

    Raises `animator.media.files.MediaError` for a file that cannot be read or a video without a face.
    """
    from animator.evaluate.tracking.looks import Looks

    looks, life = Looks(portrait) if portrait else None, Lifelike()

    def watch(number: int, image: Image, face: FaceLandmarks | None) -> None:
        life(number, image, face)
        if looks:
            looks(number, image, face)

    found = track(video, progress, watch)
    sound = read_audio(audio or video) if audio or has_sound(video) else None
    left, right = portrait.eyes_hidden if portrait else (False, False)
    figures = measure(found, sound, phonemes, (not left, not right)) | life.figures(found.fps, margin)
    if left and right:
        figures = {name: value for name, value in figures.items() if not name.startswith(EYE_FIGURES)}
    figures |= looks.figures() if looks else {}
    return figures | {"distance": distance(figures)}
