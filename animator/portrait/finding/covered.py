"""Occlusion: eyes behind dark glasses or hair, a mouth behind a hand, a microphone or a beard."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.topology import RINGS

Floats = NDArray[np.float32]

# An open eye has a dark and a light part. Lightness is relative to that of the lighter cheek.
_PLAIN_SPREAD = 0.05  # spread of lightness in both openings; in blurred photographs at least 0.07
# Dark lenses: least Lab distance from the cheek; largest contrast of white and iris, and spread, due to reflections.
_LENS_DISTANCE, _LENS_WHITE, _LENS_SPREAD = 22.0, 0.14, 0.16
# Least difference of white and iris in the visible eye; largest shares of it and of its spread in a hidden eye.
_SEEN_WHITE, _HIDDEN_WHITE, _HIDDEN_SPREAD = 0.08, 0.22, 0.5
_UNDER_EYE_POINTS = {"left": (254, 253, 252, 448, 449, 450, 451), "right": (24, 23, 22, 228, 229, 230, 231)}
_CHEEK_POINTS = {"left": (280, 425, 427, 411, 352, 346, 330, 266), "right": (50, 205, 207, 187, 123, 117, 101, 36)}
_IRIS_CENTRES = {"left": 473, "right": 468}
_SPOT_RADIUS = 0.012  # face widths, radius of the spots whose colours are compared
_MOUTH_POINTS = (61, 291, 13, 14, 0, 17, 78, 308, 152, 148, 377)
_EYE_POINTS = (33, 133, 159, 145, 263, 362, 386, 374)
_LIP_POINTS, _CHIN_POINTS = (37, 0, 267, 84, 17, 314, 13, 14), (83, 18, 313, 200, 199, 208, 428)
_STRANGE_COLOUR = 54.0  # Lab distance from the cheeks; black beards and the lips in them have up to 50
# Least jitter of a hidden mouth's landmarks between crops: in face widths, and relative to the eyes'.
_MOUTH_JITTER, _JITTER_RATIO = 0.0048, 2.9


class Covered(NamedTuple):
    """Which parts of a face are hidden."""

    left_eye: bool
    right_eye: bool
    mouth: bool


NOTHING_COVERED = Covered(False, False, False)


class _Eye(NamedTuple):
    """The opening of an eye: the ``spread`` of lightness in it, and how much lighter its ``white`` is than the iris,
    both relative to the cheek's lightness; ``below``: the Lab distance between the region below it and the cheeks."""

    spread: float
    white: float
    below: float


def covered(picture: NDArray[np.uint8], points: Floats, looks: list[FaceLandmarks]) -> Covered:
    """Which parts are hidden of the face with landmarks ``points`` (478, 3) px in ``picture`` (h, w, 3) RGB; ``looks``:
    its landmarks in several crops."""
    width = float(np.linalg.norm(points[234] - points[454]))
    lab = np.asarray(cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)
    cheeks = {side: np.median(_spots(lab, points, _CHEEK_POINTS[side], width), axis=0) for side in _CHEEK_POINTS}
    left, right = (_eye(lab, points, side, cheeks, width) for side in ("left", "right"))
    both = _dark(left, right)
    skin = np.median(list(cheeks.values()), axis=0)
    mouth = _mouth(points, looks, width) or _unlike(lab, points, skin, width)
    return Covered(both or _behind(left, right), both or _behind(right, left), mouth)


def _dark(left: _Eye, right: _Eye) -> bool:
    """Whether dark glasses hide both eyes: they show nothing, or at most reflections."""
    if max(left.spread, right.spread) < _PLAIN_SPREAD:
        return True
    other = min(left.below, right.below) > _LENS_DISTANCE
    return other and max(left.white, right.white) < _LENS_WHITE and max(left.spread, right.spread) < _LENS_SPREAD


def _behind(eye: _Eye, other: _Eye) -> bool:
    """Whether one eye is hidden, for instance by hair, while the other is visible."""
    return (
        other.white > _SEEN_WHITE
        and eye.white < _HIDDEN_WHITE * other.white
        and eye.spread < _HIDDEN_SPREAD * other.spread
    )


def _eye(lab: Floats, points: Floats, side: str, cheeks: dict[str, Floats], width: float) -> _Eye:
    below = _spots(lab, points, _UNDER_EYE_POINTS[side], width)
    apart = np.min([np.linalg.norm(below - cheek, axis=1) for cheek in cheeks.values()], axis=0)
    opening = np.zeros(lab.shape[:2], np.uint8)
    ring = [*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"]]
    cv2.fillConvexPoly(opening, cv2.convexHull(points[ring, :2].round().astype(np.int32)), 1)
    y, x = np.nonzero(opening)
    light = lab[y, x, 0]
    centre = points[_IRIS_CENTRES[side], :2]
    radius = float(np.linalg.norm(points[_IRIS_CENTRES[side] + 1, :2] - centre))
    away = np.hypot(x - centre[0], y - centre[1]) / max(radius, 1)
    iris, white = light[away < 0.8], light[away > 1.25]
    cheek = max(1.0, *(float(colour[0]) for colour in cheeks.values()))  # hair may hide one of them
    lighter = float(np.percentile(white, 60) - np.median(iris)) if len(white) > 8 and len(iris) > 4 else 0.0
    return _Eye(float(light.std()) / cheek if len(light) else 0.0, lighter / cheek, float(np.median(apart)))


def _spots(lab: Floats, points: Floats, numbers: tuple[int, ...], width: float) -> Floats:
    """(n, 3) the colours at those landmarks that lie in the picture."""
    reach = max(1, round(_SPOT_RADIUS * width))
    found: list[Floats] = []
    for x, y in points[list(numbers), :2].round().astype(int):
        spot = lab[max(y - reach, 0) : max(y + reach + 1, 1), max(x - reach, 0) : max(x + reach + 1, 1)].reshape(-1, 3)
        if len(spot):
            found.append(np.median(spot, axis=0))
    return np.array(found or [np.zeros(3)], np.float32)


def _unlike(lab: Floats, points: Floats, skin: Floats, width: float) -> bool:
    """Whether lips and chin differ in colour from the cheeks' ``skin`` (3,); a beard would leave the lips visible."""
    parts = (_spots(lab, points, numbers, width) for numbers in (_LIP_POINTS, _CHIN_POINTS))
    return all(float(np.linalg.norm(np.median(part, axis=0) - skin)) > _STRANGE_COLOUR for part in parts)


def _mouth(points: Floats, looks: list[FaceLandmarks], width: float) -> bool:
    """Whether the networks place the mouth differently in every crop, while they agree about the eyes."""
    if not looks:
        return False
    apart = np.mean([np.abs(look.points - points)[:, :2].mean(axis=1) for look in looks], axis=0) / width
    mouth, eyes = float(apart[list(_MOUTH_POINTS)].mean()), float(apart[list(_EYE_POINTS)].mean())
    return mouth > _MOUTH_JITTER and mouth > _JITTER_RATIO * eyes
