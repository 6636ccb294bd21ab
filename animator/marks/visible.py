"""The visible label: "AI", small, in a corner that the face leaves free."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

TEXT = "AI"
_HEIGHT_SHARE, _LEAST_HEIGHT = 0.062, 18  # of the side of the view; px, at which two letters can still be read
_MARGIN_SHARE = 0.025  # of the side
_ASPECT = 1.5  # times as wide as high
_PLATE_OPACITY, _LETTER_OPACITY = 0.45, 0.92  # opacity: of the dark ground, of the white letters on it
_OVERSAMPLING = 8  # times as large as it is shown: the letters are drawn so, and made smaller


class Label:
    """Lies over frames of ``size`` px, off the points (n, 2) px of the face."""

    def __init__(self, size: int, face: Floats) -> None:
        height = max(_LEAST_HEIGHT, round(size * _HEIGHT_SHARE))
        width = round(height * _ASPECT)
        top, left = _corner(size, (height, width), face)
        self._place = np.s_[top : top + height, left : left + width]
        plate, letters = _drawn(height, width)
        white = _LETTER_OPACITY * letters
        self._keep = np.rint((1 - plate) * (1 - white) * 256).astype(np.uint16)[..., None]
        self._add = np.rint(white * 255 * 256).astype(np.uint32)[..., None]

    def put(self, frame: Image) -> None:
        """Onto a frame, in place."""
        ground = frame[self._place]
        ground[:] = (ground * self._keep.astype(np.uint32) + self._add) >> 8


def _corner(size: int, extent: tuple[int, int], face: Floats) -> tuple[int, int]:
    """Top and left of the first of four corners that lies off the face, or of the one that is farthest from it. On the
    page the lower edge has captions, and the upper left corner says who listens."""
    height, width = extent
    near, low, far = (
        round(size * _MARGIN_SHARE),
        size - round(size * _MARGIN_SHARE) - height,
        size - round(size * _MARGIN_SHARE) - width,
    )
    corners = [(near, far), (low, far), (low, near), (near, near)]

    def gap(corner: tuple[int, int]) -> float:
        first = np.array([corner[1], corner[0]])
        beyond = np.maximum(np.maximum(first - face, face - (first + [width, height])), 0)
        return float(np.hypot(*beyond.T).min())

    return next((corner for corner in corners if gap(corner) > near), max(corners, key=gap))


def _drawn(height: int, width: int) -> tuple[Floats, Floats]:
    """(height, width): how opaque the ground with its round corners is, and how much of each px is a letter."""
    tall, wide = height * _OVERSAMPLING, width * _OVERSAMPLING
    plate, letters = np.zeros((2, tall, wide), np.uint8)
    radius = tall // 4
    inner = ((radius, 0), (wide - radius, tall)), ((0, radius), (wide, tall - radius))
    for first, last in inner:
        cv2.rectangle(plate, first, last, 255, -1)
    for x in (radius, wide - radius):
        for y in (radius, tall - radius):
            cv2.circle(plate, (x, y), radius, 255, -1)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, max(1, tall // 11)
    (_, high), _ = cv2.getTextSize(TEXT, font, 1.0, thick)
    scale = 0.6 * tall / high
    (across, high), _ = cv2.getTextSize(TEXT, font, scale, thick)
    cv2.putText(letters, TEXT, ((wide - across) // 2, (tall + high) // 2), font, scale, 255, thick, cv2.LINE_AA)
    ground, text = (cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) / 255 for part in (plate, letters))
    return np.asarray(_PLATE_OPACITY * ground, np.float32), np.asarray(text, np.float32)
