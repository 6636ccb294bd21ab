"""The rims of animals' eyes, which no landmark network fits, around irises that a person has placed.

Around a placed iris everything is compared with what is farther out, mostly fur. The eye's rim is where one turns into
the other: the cheapest closed path around the iris (dynamic programming), fitted by an ellipse.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.finding.bending import spread
from animator.portrait.geometry.paths import cheapest_ring
from animator.portrait.geometry.topology import RINGS
from animator.portrait.picture.named import NAMED_POINTS
from animator.portrait.picture.reading import Picture

Floats = NDArray[np.float32]

_ANGLE_COUNT, _STEP_COUNT = 64, 48
_RADIUS_RANGE = 0.05, 0.42  # of the distance between the irises, within which the rim is searched
_OUTER_STEPS = 12  # outermost steps, which show the surroundings of an eye,
_SECTOR_ANGLES = 8  # and angles on both sides at which these are sampled
_UNLIKE_SPREADS, _LEAST_DISTANCE = 2.0, 4.0  # spreads of the colours there, and Lab, from which a pixel is not fur
_EDGE_WORTH, _MOST_EDGE = 0.02, 20.0  # value of one Lab of change along a step; the most that counts
_STIFFNESS = 0.12  # cost of one step in or out from an angle to the next
_MOST_DEVIATION = 0.12  # of an ellipse's size: largest mean deviation of the rim
_LEAST_ASPECT = 0.45  # least ratio of the ellipse's axes
_IRIS_SHARE = 0.75  # radius of the moving iris, as a share of the least distance of the rim
_IRIS_CENTRES = {"left": 473, "right": 468}
_EYE_CORNERS = {"left": (362, 263), "right": (33, 133)}


def lay_round_eyes(picture: Picture, points: Floats) -> Floats:
    """Landmarks ``points`` (478, 3) px with the rims of both eyes, around the irises, where ``picture`` shows them;
    ``points`` unchanged if one of the eyes is not found."""
    apart = float(np.linalg.norm(points[473, :2] - points[468, :2]))
    soft = cv2.GaussianBlur((picture / 255).astype(np.float32), (0, 0), max(apart * 0.008, 0.5))
    lab = np.asarray(cv2.cvtColor(soft, cv2.COLOR_RGB2LAB), np.float32)
    across = (points[473, :2] - points[468, :2]) / max(apart, 1e-3)
    shifts = {number: np.zeros(2) for name, number in NAMED_POINTS.items() if "eye" not in name and "iris" not in name}
    irises = points.copy()
    for side, iris in _IRIS_CENTRES.items():
        rim = _ellipse(_rim(lab, points[iris, :2], apart))
        if rim is None:
            return points
        for lid, sign in (("upper", -1), ("lower", 1)):
            ring = list(RINGS[f"eye_{side}_{lid}"])
            shifts |= dict(zip(ring, _along(rim, across, sign, len(ring)) - points[ring, :2], strict=True))
        radius = _IRIS_SHARE * float(np.linalg.norm(rim - points[iris, :2], axis=1).min())
        away = irises[iris + 1 : iris + 5, :2] - irises[iris, :2]
        irises[iris + 1 : iris + 5, :2] = irises[iris, :2] + away / np.linalg.norm(away, axis=1, keepdims=True) * radius
    return spread(irises, shifts)


def _rim(lab: Floats, centre: Floats, apart: float) -> Floats:
    """(n, 2) px of the closed path around ``centre`` (2,) that separates the eye from its surroundings."""
    turn = np.linspace(0, 2 * np.pi, _ANGLE_COUNT, endpoint=False, dtype=np.float32)
    radii = np.linspace(*_RADIUS_RANGE, _STEP_COUNT, dtype=np.float32) * np.float32(apart)
    ways = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    places = centre + ways[:, None] * radii[:, None]
    x, y = (np.ascontiguousarray(places[..., axis], np.float32) for axis in (0, 1))
    seen = np.asarray(cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    sectors = [np.roll(seen[:, -_OUTER_STEPS:], shift, axis=0) for shift in range(-_SECTOR_ANGLES, _SECTOR_ANGLES + 1)]
    near = np.concatenate(sectors, axis=1)
    wide = np.linalg.norm(near.std(axis=1), axis=1)[:, None]
    apart_from = np.linalg.norm(seen - np.median(near, axis=1)[:, None], axis=2)
    unlike = (apart_from / (_UNLIKE_SPREADS * wide + _LEAST_DISTANCE)).clip(0, 1.5)
    within = np.cumsum(1 - unlike.clip(0, 1), axis=1) + np.cumsum(unlike[:, ::-1], axis=1)[:, ::-1] - unlike
    edge = np.linalg.norm(np.gradient(seen, axis=1), axis=2).clip(0, _MOST_EDGE)
    chosen = cheapest_ring((within * 4 / _STEP_COUNT - _EDGE_WORTH * edge).astype(np.float32), _STIFFNESS)
    return (centre + ways * radii[chosen, None]).astype(np.float32)


def _ellipse(rim: Floats) -> Floats | None:
    """(n, 2) px of the ellipse fitted to the ``rim`` (m, 2); None if the rim is not round enough for an eye."""
    (x, y), size, turned = cv2.fitEllipse(rim)
    if min(size) < _LEAST_ASPECT * max(size):
        return None
    t, angle = np.linspace(0, 2 * np.pi, 721, dtype=np.float32), np.radians(turned)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    made = np.stack([np.cos(t), np.sin(t)], axis=1) * np.array(size, np.float32) / 2 @ axes + np.array([x, y])
    off = np.linalg.norm(rim[:, None] - made[None], axis=2).min(axis=1).mean()
    return made.astype(np.float32) if off < _MOST_DEVIATION * float(np.mean(size)) / 2 else None


def _along(rim: Floats, across: Floats, sign: int, count: int) -> Floats:
    """(count, 2) px along the upper (``sign`` -1) or lower (1) half of a closed ``rim`` (n, 2), from left to right
    along the line of the eyes, ``across`` (2,)."""
    way, down = rim @ across, rim @ np.array([-across[1], across[0]], np.float32)
    first, last = int(way.argmin()), int(way.argmax())
    chord = np.interp(way, [way[first], way[last]], [down[first], down[last]])
    half = (sign * (down - chord) >= 0) | (np.arange(len(rim)) == first) | (np.arange(len(rim)) == last)
    order = np.flatnonzero(half)[np.argsort(way[half])]
    wanted = way[first] + (1 - np.cos(np.linspace(0, np.pi, count))) / 2 * (way[last] - way[first])
    return np.stack([np.interp(wanted, way[order], rim[order, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
