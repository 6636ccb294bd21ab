"""The invisible watermark: embedded in frames, and detected in a video."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from animator.marks import tiles
from animator.marks.tiles import SIDE, Payload, Reading
from animator.media.files import MediaError

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

LEAST_STRENGTH, MOST_STRENGTH = 0.7, 3.0  # levels of 255, standard deviation: on a smooth surface, and at most
TEXTURE_GAIN, TEXTURE_POWER = 0.42, 0.7  # what a texture hides grows more slowly than it does
_TEXTURE_PX = 9  # px within which a picture's texture hides the mark
_SMOOTHING_PX = 9  # px: what encoders leave of the mark is fine
SIZES = np.geomspace(0.3, 2.4, 700)  # of a video's picture, over that of the frames that were marked
_FINE_STEPS = np.linspace(-0.004, 0.004, 17)
_USUAL_SIZES = (1.0, 0.5)  # tried first
MOST_FRAMES = 64  # frames of a video that are looked at
_FRAME_STEP = 5


class Mark:
    """Adds a payload to frames that look like ``still`` (h, w, 3) RGB, stronger where it is textured."""

    def __init__(self, still: Image, payload: Payload) -> None:
        height, width = still.shape[:2]
        repeats = (-(-height // SIDE), -(-width // SIDE))
        pattern = np.tile(tiles.tile(payload), repeats)[:height, :width]
        luma = cv2.cvtColor(still, cv2.COLOR_RGB2GRAY).astype(np.float32)
        levels = np.rint(
            pattern
            * cv2.blur(
                np.clip(TEXTURE_GAIN * _texture(luma) ** TEXTURE_POWER, LEAST_STRENGTH, MOST_STRENGTH),
                (_TEXTURE_PX, _TEXTURE_PX),
            )
        )
        self._lighter = _grey(np.maximum(levels, 0))
        self._darker = _grey(np.maximum(-levels, 0))

    def put(self, frame: Image) -> None:
        """Into a frame of that size, in place."""
        cv2.add(frame, self._lighter, dst=frame)
        cv2.subtract(frame, self._darker, dst=frame)


def _grey(levels: Floats) -> Image:
    return np.ascontiguousarray(np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2))


def _texture(luma: Floats) -> Floats:
    """(h, w): the standard deviation around each px; of an edge, which hides little, the smaller one beside it."""
    mean = cv2.blur(luma, (_TEXTURE_PX, _TEXTURE_PX))
    variance = cv2.blur(luma * luma, (_TEXTURE_PX, _TEXTURE_PX)) - mean * mean
    return np.asarray(
        cv2.erode(np.sqrt(np.maximum(variance, 0)), np.ones((_TEXTURE_PX, _TEXTURE_PX), np.uint8)), np.float32
    )


def residue(lumas: Iterable[NDArray[np.uint8]]) -> Floats:
    """(h, w): the mean high-pass residue of the frames of one shot, where the watermark shows."""
    total, count = np.float32(0), 0
    for luma in lumas:
        level = luma.astype(np.float32)
        fine = level - cv2.blur(level, (_SMOOTHING_PX, _SMOOTHING_PX))
        total = total + fine / (np.sqrt(np.maximum(cv2.blur(fine * fine, (_SMOOTHING_PX, _SMOOTHING_PX)), 0)) + 1.0)
        count += 1
    return np.asarray(total / max(count, 1), np.float32)


def look(video: Path) -> Payload | None:
    """What the mark in the pictures of a video says; None where none is found.

    Raises `animator.media.files.MediaError` for a file without pictures.
    """
    try:
        with av.open(video) as container:
            frames = islice(container.decode(video=0), 0, MOST_FRAMES * _FRAME_STEP, _FRAME_STEP)
            left = residue(np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in frames)
    except (FFmpegError, IndexError) as error:
        raise MediaError(f"{video} has no pictures that can be read.") from error
    return find(left)[0].payload if left.ndim else None


def find(left: Floats) -> tuple[Reading, float]:
    """The reading of a `residue` at the size at which the mark is found best, and that size. A payload is given only
    where it is `tiles.sure`."""
    for size in _USUAL_SIZES:
        if (reading := tiles.read(folded(left, size))).strength > tiles.sure(len(_USUAL_SIZES)):
            return reading, size
    best = max(SIZES, key=lambda size: tiles.finding(folded(left, size)))
    best = max(best * (1 + _FINE_STEPS), key=lambda size: tiles.finding(folded(left, size)))
    reading = tiles.read(folded(left, best))
    found = reading.strength > tiles.sure(len(SIZES) + len(_FINE_STEPS))
    return (reading if found else replace(reading, payload=None)), float(best)


def folded(left: Floats, size: float) -> Floats:
    """A `residue` at the size of the marked frames, which is ``size`` times smaller, all tiles of it added up."""
    height, width = (max(8, round(side / size)) for side in left.shape)
    original = cv2.resize(left, (width, height), interpolation=cv2.INTER_AREA if size > 1 else cv2.INTER_LINEAR)
    padded = np.zeros((-(-height // SIDE) * SIDE, -(-width // SIDE) * SIDE), np.float32)
    padded[:height, :width] = original
    return padded.reshape(-1, SIDE, padded.shape[1] // SIDE, SIDE).sum(axis=(0, 2))
