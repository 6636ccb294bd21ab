"""Measures a video of a talking face with a landmark tracker: lips against sound, blinks, head, rest frame."""

from collections.abc import Callable
from pathlib import Path

from animator.evaluate.measure import Figures, measure, psnr
from animator.evaluate.track import first_frame, track
from animator.media import has_sound, read_audio


def evaluate(
    video: Path, audio: Path | None = None, portrait: Path | None = None, progress: Callable[[int], None] | None = None
) -> Figures:
    """All figures of ``video``. Its own sound is used if ``audio`` is not given; ``portrait`` adds the rest frame.

    Raises `animator.media.MediaError` for a file that cannot be read or a video without a face.
    """
    found = track(video, progress)
    sound = read_audio(audio or video) if audio or has_sound(video) else None
    figures = measure(found, sound)
    if portrait:
        from animator.portrait.portrait import load

        first = first_frame(video)
        rest = load(portrait, len(first))
        x, y = rest.view
        figures["rest_psnr"] = psnr(first, rest.picture[y : y + rest.size, x : x + rest.size])
    return figures
