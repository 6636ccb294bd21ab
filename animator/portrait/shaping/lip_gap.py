"""Whether the picture shows parted lips, and teeth between them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import RINGS

Floats = NDArray[np.float32]

_NEUTRAL_A = 128  # of OpenCV's a in 8-bit Lab
_GREY_A = 4  # levels of a
_TEETH_LIGHTNESS = 15  # levels of L by which teeth exceed the lips
_COLOUR_COST = 1.5  # levels of L that one level of a counts against teeth
_TEETH_CONTRAST = 40  # levels of L between teeth in the shade and the dark
_MOST_TEETH_RED = 0.85  # largest redness of teeth for their lightness, relative to that of the lips
_WIDE_GAP = 0.045  # face widths between lips that show a row of teeth
_CHEEK_POINTS = 234, 454  # one face width apart
_PARTED_GAP = 0.035  # of the mouth's width: from this gap on, the opening is visible between the inner lips


def lips_parted(points: Floats) -> bool:
    """Whether the landmarks (478, 3) show an open mouth."""
    upper, lower = points[list(RINGS["lips_inner_upper"])], points[list(RINGS["lips_inner_lower"])]
    gaps = np.linalg.norm(upper - lower, axis=1)[3:8]
    width = float(np.linalg.norm(upper[0] - upper[-1]))
    return bool(gaps.mean() > _PARTED_GAP * width)


def shows_teeth(picture: NDArray[np.uint8], points: Floats) -> bool:
    """Whether ``picture`` shows teeth between the parted lips of the landmarks ``points`` (478, 3): the opening is
    lighter and less red than the lips, or, in the shade of wide open lips, its lighter part is."""
    if not lips_parted(points):
        return False
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    inner = _area(picture.shape[:2], points, "inner")
    lips = _area(picture.shape[:2], points, "outer") & ~inner
    if inner.sum() < 12 or not lips.any():
        return False
    seen, (lip_light, lip_red) = lab[inner, :2], np.median(lab[lips, :2], axis=0)
    if _wide_open(points) and _shaded_teeth(seen, float((lip_red - _NEUTRAL_A) / lip_light)):
        return True
    light, red = np.percentile(seen[:, 0], 75), np.median(seen[:, 1])
    if abs(lip_red - _NEUTRAL_A) < _GREY_A:  # a picture without colour
        return bool(light > lip_light + 2 * _TEETH_LIGHTNESS)
    return bool(light > lip_light + _TEETH_LIGHTNESS and red < lip_red - _GREY_A)


def lightness_of_teeth(lab: Floats) -> Floats:
    """(...,) high where ``lab`` (..., 3), in OpenCV's 8-bit levels, is light and neither red nor green."""
    return lab[..., 0] - np.float32(_COLOUR_COST) * np.abs(lab[..., 1] - _NEUTRAL_A)


def lighter_part(values: Floats) -> float:
    """The threshold that separates teeth, if there are any, among ``values`` (n,) of `lightness_of_teeth` between the
    lips."""
    dark, bright = np.percentile(values, (8, 85))
    return float(dark + 0.55 * (bright - dark))


def _shaded_teeth(seen: Floats, lip_red: float) -> bool:
    """Whether the lighter part of ``seen`` (n, 2 or more) Lab stands out from the dark and is less red for its
    lightness than the lips (``lip_red``)."""
    values = lightness_of_teeth(seen)
    light, red = np.median(seen[values > lighter_part(values), :2], axis=0)
    contrast = light - np.percentile(seen[:, 0], 8)
    return bool(contrast > _TEETH_CONTRAST and red - _NEUTRAL_A < _MOST_TEETH_RED * lip_red * light)


def _wide_open(points: Floats) -> bool:
    upper, lower = points[list(RINGS["lips_inner_upper"]), :2], points[list(RINGS["lips_inner_lower"]), :2]
    gap = float(np.linalg.norm(upper - lower, axis=1)[3:8].mean())
    return gap > _WIDE_GAP * float(np.linalg.norm(points[_CHEEK_POINTS[0]] - points[_CHEEK_POINTS[1]]))


def _area(shape: tuple[int, ...], points: Floats, ring: str) -> NDArray[np.bool_]:
    outline = [*RINGS[f"lips_{ring}_upper"], *RINGS[f"lips_{ring}_lower"][::-1]]
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [(points[outline, :2] * 16).round().astype(np.int32)], 1, shift=4)
    return mask.astype(bool)
