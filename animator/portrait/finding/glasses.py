"""Finds the frame of glasses, which must stay rigid in front of eyes that move.

The rim around each eye is a closed line that differs in colour from its inside and its outside. It is searched in polar
coordinates by dynamic programming, for both eyes together, since glasses are symmetric. Brows, bags under the eyes and
wrinkles may form such rings, too, but nothing connects them over the nose as clearly as a bridge. The temples of the
glasses are then searched from the outer edges of the rims.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from animator.portrait.drawn.drawing import lit
from animator.portrait.geometry.topology import FACE_OVAL, RINGS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_ANGLE_COUNT = 120
_RADII = np.arange(0.05, 0.30, 0.005, dtype=np.float32)  # face widths
_LENS_DROP = 0.03  # face widths by which the centre of a lens lies below the eye's
# Least and largest radius of a rim in face widths, every 45 degrees: outwards, down, towards the nose, up, outwards.
_LEAST_RADII = (0.13, 0.12, 0.095, 0.10, 0.085, 0.06, 0.06, 0.08, 0.13)
_MOST_RADII = (0.27, 0.28, 0.27, 0.26, 0.20, 0.18, 0.18, 0.25, 0.27)
_RIDGE_SCALES = (2, 3, 4, 6)  # steps of radius from the middle of a rim to the pixels compared on both sides
_MOST_CONTRAST, _SEEN_CONTRAST = 18.0, 5.0  # Lab distance from both sides: the most that counts; enough to be visible
_STEP_COST = 1.2
_RADIUS_SLACK = 6  # steps of radius by which a lens may differ from the mean of both, on a turned head
_RING_SHARE = 0.55  # least visible share of a ring; wrinkles and brows have up to 0.84
_QUARTER_SHARE = 0.4  # the same for its lower and for its inner quarter
_BRIDGE_SHARE = 0.6  # least visible share of the connection of both rings over the nose
_BRIDGE_CONTRAST = 6.3  # its least median distance in Lab: brows that meet and wrinkles have up to 5.8, glasses 6.8 on
# A bridge with fewer points is too short to measure; the rings touch, and this share of them must be visible.
_TOUCHING_POINTS, _TOUCHING_SHARE = 6, 0.85
_TEMPLE_SHARE = 0.6
_EYE_CLEARANCE = 0.015  # face widths around the opening of an eye in which no rim runs
_HALF_BREADTH = 0.011  # face widths, half of the least breadth of a rim
_SKIN_DISTANCE = 38.0  # least distance in Lab from the skin of a frame whose breadth is measured
_GROWTH = (0.11, 0.05)  # face widths by which a frame may be broader, sideways and up or down
_FEATHER = 0.006
# Face widths from an eye between which the surroundings of the frame fade in; closer to the eye the lids move.
_LID_RANGE = (0.025, 0.045)
_MARGIN = 0.15  # face widths around the landmarks that are searched


@dataclass(frozen=True, slots=True)
class _Line:
    """A part of the frame: ``line`` (n, 2) px, which for a rim begins at its outer side and goes down first; ``seen``
    (n,): how far each point stands out from both sides, in Lab."""

    line: Floats
    seen: Floats

    def share(self) -> float:
        """The visible share of it."""
        return float((self.seen > _SEEN_CONTRAST).mean())

    def is_bridge(self) -> bool:
        return self.share() > _BRIDGE_SHARE and float(np.median(self.seen)) > _BRIDGE_CONTRAST

    def is_ring(self, share: float, quarters: float) -> bool:
        """Whether at least ``share`` of it is visible, and at least ``quarters`` of its lower and of its inner
        quarter."""
        seen = self.seen > _SEEN_CONTRAST
        eighth = _ANGLE_COUNT // 8
        lower, inner = seen[eighth : 3 * eighth], seen[3 * eighth : 5 * eighth]
        return bool(self.share() > share and min(lower.mean(), inner.mean()) > quarters)


def find_glasses(picture: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    """Opacity (h, w), 0 to 255, of the frame of the glasses in ``picture`` (h, w, 3) RGB with the landmarks ``points``
    (478, 3) px; of shape (0, 0) where there are no glasses, or none that can be told from the face with certainty."""
    width = float(np.linalg.norm(points[234] - points[454]))
    low = (points[:, :2].min(axis=0) - _MARGIN * width).clip(0).astype(int)
    high = (points[:, :2].max(axis=0) + _MARGIN * width).clip(low + 2).astype(int)
    face = np.s_[low[1] : high[1], low[0] : high[0]]
    places = (points[:, :2] - low).astype(np.float32)
    lab = cv2.cvtColor(lit(picture[face], places), cv2.COLOR_RGB2LAB)
    lab = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.004 * width), np.float32)
    lenses = _lenses(lab, places, width)
    bridge = _bridge(lab, lenses, width)
    if not _worn(lenses, bridge):
        return np.zeros((0, 0), np.uint8)
    frame, sure = _frame(lab, places, lenses, bridge, width)
    feather = _FEATHER * width
    wide, narrow = (_soft(part, reach * feather, feather) for part, reach in ((frame, 2.5), (sure, 1.0)))
    off_lids = ((_off_eyes(places, frame.shape) / width - _LID_RANGE[0]) / (_LID_RANGE[1] - _LID_RANGE[0])).clip(0, 1)
    opacity = np.zeros(picture.shape[:2], np.uint8)
    opacity[face] = np.maximum(wide * off_lids, narrow).round()
    return opacity


def _worn(lenses: tuple[_Line, _Line], bridge: _Line) -> bool:
    """Whether these lines are glasses: two rims, and a bridge unless they touch."""
    if bridge.is_bridge():
        return all(lens.is_ring(_RING_SHARE, _QUARTER_SHARE) for lens in lenses)
    return len(bridge.line) < _TOUCHING_POINTS and all(
        lens.is_ring(_TOUCHING_SHARE, _TOUCHING_SHARE) for lens in lenses
    )


def _soft(part: NDArray[np.uint8], reach: float, feather: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(cv2.dilate(part, _disc(reach)), (0, 0), feather), np.uint8)


def _off_eyes(points: Floats, shape: tuple[int, ...]) -> Floats:
    """(h, w): distance from the opening of the nearer eye, px."""
    outside = np.full(shape, 255, np.uint8)
    for side in ("left", "right"):
        eye = points[[*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"][::-1]]]
        cv2.fillConvexPoly(outside, cv2.convexHull(eye.round().astype(np.int32)), 0)
    return np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _lenses(lab: Floats, points: Floats, width: float) -> tuple[_Line, _Line]:
    places = [_rays(points, side, width) for side in ("left", "right")]
    ridges = [_ridge(_look(lab, place), "wrap") for place in places]
    angles = np.arange(_ANGLE_COUNT) * (360 / _ANGLE_COUNT)
    least, most = (np.interp(angles, np.arange(0, 361, 45), limit)[:, None] for limit in (_LEAST_RADII, _MOST_RADII))
    off_eyes = _off_eyes(points, lab.shape[:2]) > _EYE_CLEARANCE * width
    free = [_look(off_eyes.astype(np.float32), place) > 0.5 for place in places]
    allowed = (least <= _RADII) & (most >= _RADII)
    wide = [np.asarray(cv2.dilate(np.minimum(ridge, _MOST_CONTRAST), np.ones((3, 5), np.uint8))) for ridge in ridges]
    both = _ring(np.where(allowed & free[0] & free[1], (wide[0] + wide[1]) / 2, -50).astype(np.float32))
    near = np.abs(np.arange(len(_RADII)) - both[:, None]) <= _RADIUS_SLACK
    rows = np.arange(_ANGLE_COUNT)

    def lens(place: Floats, ridge: Floats, clear: Mask) -> _Line:
        ring = _ring(np.where(near & allowed & clear, np.minimum(ridge, _MOST_CONTRAST), -50).astype(np.float32))
        return _Line(place[rows, ring], ridge[rows, ring])

    return lens(places[0], ridges[0], free[0]), lens(places[1], ridges[1], free[1])


def _rays(points: Floats, side: str, width: float) -> Floats:
    """(120, radii, 2) px around an eye: outwards at 0 degrees, down at 90."""
    eyes = {s: points[[*RINGS[f"eye_{s}_upper"], *RINGS[f"eye_{s}_lower"]]].mean(axis=0) for s in ("left", "right")}
    across = (eyes["left"] - eyes["right"]) / np.linalg.norm(eyes["left"] - eyes["right"])
    down = np.array([-across[1], across[0]])
    out = across if side == "left" else -across
    angles = np.arange(_ANGLE_COUNT)[:, None] * (2 * np.pi / _ANGLE_COUNT)
    ways = np.cos(angles) * out + np.sin(angles) * down
    return (eyes[side] + width * (_LENS_DROP * down + _RADII[:, None] * ways[:, None])).astype(np.float32)


def _look(lab: Floats, places: Floats) -> Floats:
    return np.asarray(
        cv2.remap(lab, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _ridge(seen: Floats, beyond: Literal["wrap", "edge"]) -> Floats:
    """(n, k): how far the colours ``seen`` (n, k, 3) differ from those on both sides along the second axis."""
    longer = np.pad(seen, ((8, 8), (0, 0), (0, 0)), mode=beyond)
    smooth = cv2.GaussianBlur(longer, (1, 17), sigmaX=0.1, sigmaY=1.2)[8:-8]
    best = np.zeros(seen.shape[:2], np.float32)
    for scale in _RIDGE_SCALES:
        one, other = smooth - np.roll(smooth, scale, axis=1), smooth - np.roll(smooth, -scale, axis=1)
        far, also = np.linalg.norm(one, axis=2), np.linalg.norm(other, axis=2)
        alike = ((one * other).sum(axis=2) / (far * also + 1e-3)).clip(0, 1)
        value = np.minimum(far, also) * alike
        value[:, :scale] = value[:, -scale:] = 0
        best = np.maximum(best, value)
    return best


def _ring(worth: Floats) -> NDArray[np.intp]:
    """The path (n,) of the highest sum through ``worth`` (n, k) that ends where it began."""
    return _path(np.concatenate([worth] * 3))[len(worth) : 2 * len(worth)]


def _path(worth: Floats) -> NDArray[np.intp]:
    count = worth.shape[1]
    total, back = worth[0], []
    steps = np.arange(-2, 3)
    cost = (_STEP_COST * np.abs(steps))[:, None]
    for row in worth[1:]:
        padded = np.pad(total, 2, constant_values=-1e9)
        arriving = np.stack([padded[2 + s : 2 + s + count] for s in steps]) - cost
        choice = arriving.argmax(axis=0)
        back.append(np.arange(count) + steps[choice])
        total = arriving[choice, np.arange(count)] + row
    path = [int(total.argmax())]
    for choices in reversed(back):
        path.append(int(choices[path[-1]]))
    return np.array(path[::-1])


def _disc(across: float, down: float | None = None) -> NDArray[np.uint8]:
    sides = [2 * max(round(radius), 1) + 1 for radius in (across, across if down is None else down)]
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, sides), np.uint8)


def _frame(
    lab: Floats, points: Floats, lenses: tuple[_Line, _Line], bridge: _Line, width: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two masks, 255 inside: the rims, bridge and temples with adjacent pixels of the same colours; and the part of
    that which is certain, since its colours differ from the skin's."""
    lines = np.zeros(lab.shape[:2], np.uint8)
    for lens in lenses:
        cv2.polylines(lines, [lens.line.round().astype(np.int32)], isClosed=True, color=255)
    for line in [bridge.line, *_temples(lab, points, lenses, width)]:
        cv2.polylines(lines, [line.round().astype(np.int32)], isClosed=False, color=255)
    near = cv2.dilate(lines, _disc(*(share * width for share in _GROWTH)))
    oval = cv2.fillPoly(np.zeros_like(lines), [points[list(FACE_OVAL)].round().astype(np.int32)], (255,))
    near = (near > 0) & (oval > 0) & (_off_eyes(points, lines.shape) > _LID_RANGE[1] * width)
    alike = _has_colour_of(lab, np.concatenate([lens.line[lens.seen > _SEEN_CONTRAST] for lens in lenses]), points)
    core = cv2.dilate(lines, _disc(_HALF_BREADTH * width)) > 0
    _, labels = cv2.connectedComponents((alike & near | core).astype(np.uint8))
    own = np.unique(labels[lines > 0])
    grown = cv2.morphologyEx(np.isin(labels, own).astype(np.uint8), cv2.MORPH_OPEN, _disc(0.006 * width)) > 0
    whole = ((grown | core) * 255).astype(np.uint8)
    closed = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, _disc(0.02 * width))
    return np.asarray(closed, np.uint8), ((alike & (grown | core)) * 255).astype(np.uint8)


def _bridge(lab: Floats, lenses: tuple[_Line, _Line], width: float) -> _Line:
    """The line that connects both rings over the nose."""
    left, right = (lens.line[_ANGLE_COUNT // 2] for lens in lenses)
    return _strip(lab, right, left, width)


def _temples(lab: Floats, points: Floats, lenses: tuple[_Line, _Line], width: float) -> list[Floats]:
    """Lines (n, 2) px along the visible parts of the temples."""
    outer = [lens.line[0] for lens in lenses]
    lines: list[Floats] = []
    for start, ear in zip(outer, points[[454, 234]], strict=True):
        temple = _strip(lab, start, start + (outer[0] - outer[1]) * _forth(ear - start, outer[0] - outer[1]), width)
        if temple.share() > _TEMPLE_SHARE:
            lines.append(temple.line)
    return lines


def _forth(way: Floats, along: Floats) -> float:
    return float(way @ along / (along @ along))


def _strip(lab: Floats, start: Floats, end: Floats, width: float) -> _Line:
    """The line from ``start`` to ``end``, or a little above or below, that stands out most."""
    along = end - start
    count = max(round(float(np.linalg.norm(along)) / (0.01 * width)), 2)
    down = np.array([-along[1], along[0]]) / (np.linalg.norm(along) + 1e-6)
    heights = np.arange(-0.10, 0.06, 0.005) * width * (1 if down[1] > 0 else -1)
    places = start + np.linspace(0, 1, count)[:, None, None] * along + heights[:, None] * down
    ridge = _ridge(_look(lab, places.astype(np.float32)), "edge")
    path = _path(np.minimum(ridge, _MOST_CONTRAST))
    rows = np.arange(count)
    return _Line(places[rows, path].astype(np.float32), ridge[rows, path])


def _has_colour_of(lab: Floats, line: Floats, points: Floats) -> Mask:
    """Whether each pixel has a colour of ``line`` (n, 2) px and is closer to it than to the colour of the cheeks."""
    colours = _look(lab, line[None])[0]
    typical, _ = kmeans2(colours, 4, minit="++", rng=0)
    cheeks = _look(lab, points[None, [50, 205, 101, 280, 425, 330, 9, 151]])[0]
    skin = np.median(cheeks, axis=0)
    typical = typical[np.linalg.norm(typical - skin, axis=1) > _SKIN_DISTANCE]
    if not len(typical):
        return np.zeros(lab.shape[:2], bool)
    to_frame = np.linalg.norm(lab[..., None, :] - typical, axis=-1).min(axis=-1)
    return np.asarray((to_frame < 16) & (to_frame < 0.35 * np.linalg.norm(lab - skin, axis=-1)), np.bool_)
