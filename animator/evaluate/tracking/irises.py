"""The direction of gaze, measured in pixels: landmark networks follow it sideways, but hardly up or down."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import RINGS

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

_EYEBALL_RADIUS = 0.43  # radius over the width of the eye, corner to corner: 12 mm of 28
_EYE_WIDTH = 96  # px that the eye is wide where it is searched
_DARK_SHARE = 0.94  # of the iris' radius: landmarks lie on its soft rim
_LASH_PX = 2  # px along the lids that lashes and their shadow may darken
_LUMA_PERCENTILES = 10, 85  # percentiles of the luma, beyond which are lashes and highlights
_REACH = 0.26  # of the eye's width that an iris may move either way
_EYE_POINTS = (("left", 362, 263, 473), ("right", 33, 133, 468))  # of the subject: corners from left to right, iris


class Gaze:
    """Tracks the irises of one face from a frame in which the landmark network sees them well.

    The iris is where a dark disc best explains the pixels between the lids, so a half-hidden iris is found, too. Both
    eyes are searched together, since they turn alike. Where lids hide both the upper and the lower edge of the iris,
    its height is ambiguous; it is measured with lids held open.
    """

    def __init__(self, points: Floats) -> None:
        """``points`` (478, 3): landmarks at the gaze that counts as 0, 0."""
        frames = [_frame(points, corners) for _, *corners, _ in _EYE_POINTS]
        irises = [points[iris : iris + 5, :2] for *_, iris in _EYE_POINTS]
        self._rest = [_place(iris[0], *frame) for iris, frame in zip(irises, frames, strict=True)]
        rims = [np.linalg.norm(iris[1:] - iris[0], axis=1).mean() for iris in irises]
        widths = [np.linalg.norm(axes[0]) for _, axes in frames]
        self._radius = float(np.mean(np.array(rims) / widths)) * _EYE_WIDTH * _DARK_SHARE

    def __call__(self, image: Image, points: Floats) -> tuple[float, float]:
        """Yaw and pitch in degrees relative to the head and to the first gaze, with the signs of `animator.control`."""
        maps = [
            _search(image, points, (side, corners), rest, self._radius)
            for (side, *corners, _), rest in zip(_EYE_POINTS, self._rest, strict=True)
        ]
        both = maps[0] + maps[1]
        y, x = np.unravel_index(int(np.argmax(both)), both.shape)
        moved = np.array([x - both.shape[1] // 2, both.shape[0] // 2 - y]) / _EYE_WIDTH
        rest = np.mean(self._rest, axis=0)
        at, zero = (np.degrees(np.arcsin(np.clip(offset / _EYEBALL_RADIUS, -1, 1))) for offset in (rest + moved, rest))
        return float(at[0] - zero[0]), float(at[1] - zero[1])


def _frame(points: Floats, corners: list[int]) -> tuple[Floats, Floats]:
    """Middle of an eye, and (2, 2) its axes right and down, one width of the eye long."""
    left, right = points[corners[0], :2], points[corners[1], :2]
    across = right - left
    return ((left + right) / 2).astype(np.float32), np.array([across, [-across[1], across[0]]], np.float32)


def _place(point: Floats, middle: Floats, axes: Floats) -> Floats:
    """(2,) right and up of the eye's middle, in widths of the eye."""
    return (axes @ (point - middle) / (axes[0] @ axes[0]) * np.array([1, -1])).astype(np.float32)


def _search(image: Image, points: Floats, eye: tuple[str, list[int]], rest: Floats, radius: float) -> Floats:
    """How much an eye looks like one whose iris is off its ``rest`` by up to `_REACH`, for every offset in pixels."""
    side, corners = eye
    middle, axes = _frame(points, corners)
    middle = middle + rest[0] * axes[0] - rest[1] * axes[1]
    half = int(_REACH * _EYE_WIDTH + 1.6 * radius)
    turn = axes.T / _EYE_WIDTH
    matrix = np.column_stack([turn, middle - turn @ np.array([half, half])])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(image, matrix, (2 * half + 1, 2 * half + 1), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    luma = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).astype(np.float32)
    ring = [*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"][::-1]]
    lids = (points[ring, :2] - matrix[:, 2]) @ np.linalg.inv(turn).T
    inside = np.zeros_like(luma)
    cv2.fillPoly(inside, [np.round(lids).astype(np.int32)], 1.0)
    reach = int(_REACH * _EYE_WIDTH)
    return _contrast(luma, inside, radius)[half - reach : half + reach + 1, half - reach : half + reach + 1]


def _contrast(luma: Floats, inside: Floats, radius: float) -> Floats:
    """How well a dark disc at every pixel explains the ``luma`` ``inside`` the lids: their correlation there."""
    inside = np.asarray(cv2.erode(inside, np.ones((2 * _LASH_PX + 1, 1), np.uint8)), np.float32)
    if not inside.any():
        return np.zeros_like(luma)
    low, high = np.percentile(luma[inside > 0], _LUMA_PERCENTILES)
    bright, total = luma.clip(low, high), float(inside.sum())
    bright = (bright - (bright * inside).sum() / total) * inside
    reach = int(radius) + 2
    ys, xs = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(xs, ys), 0, 1).astype(np.float32)
    share, common = (cv2.filter2D(of, -1, disc, borderType=cv2.BORDER_CONSTANT) / total for of in (inside, bright))
    spread = np.sqrt(np.maximum(share * (1 - share), 1e-3) * max(float((bright**2).sum()) / total, 1e-3))
    return (-common / spread).astype(np.float32)
