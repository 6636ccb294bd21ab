"""Eyes of drawn faces: far larger than any the landmark network was shown, but on flat colour easy to outline."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.topology import POINTS, RINGS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FLAT = 1.0  # spread of colour (Lab) in spots on the cheek below which a face is drawn
_APART = 12.0  # distance in Lab from the skin's colour of what is not skin
_LARGER = 1.2  # an outline that is not this much higher than the landmarks' adds nothing
_WIDEST = 2.2  # eye widths that an outline may have
_ROUND = 0.55  # least share of its box that an outline fills
_SPIKES = 0.16  # of the eye's height: lashes narrower than this are not the eye
_CONTRAST = 25.0  # in L between the iris and the white of an eye
_ALIKE = 1.6  # ratio of the areas of both eyes
_REACH = 0.05  # face widths over which the lids follow
_CHEEKS = {"left": (280, 425, 411, 427, 376, 352), "right": (50, 205, 187, 207, 147, 123)}
_IRIS = {"left": slice(473, 478), "right": slice(468, 473)}


@dataclass(frozen=True, slots=True)
class _Outline:
    """The eye as drawn: ``mask`` of the picture; ``left`` and ``right`` are its first and last columns."""

    mask: Mask
    left: int
    right: int

    def edges(self) -> tuple[Floats, Floats]:
        """Upper and lower edge (n, 2) px from left to right; both start and end in the corners of the eye."""
        columns = np.arange(self.left, self.right + 1)
        top = self.mask[:, columns].argmax(axis=0)
        bottom = self.mask.shape[0] - 1 - self.mask[::-1, columns].argmax(axis=0)
        middle = (top + bottom) / 2

        def line(rows: NDArray[np.intp]) -> Floats:
            y = np.concatenate([middle[:1], rows, middle[-1:]])
            return np.column_stack([np.concatenate([columns[:1], columns, columns[-1:]]), y]).astype(np.float32)

        return line(top), line(bottom)


def snap_eyes(picture: NDArray[np.uint8], points: Floats) -> Floats:
    """Landmarks (478, 3) with lids and irises on the drawn ones; unchanged where the skin is not flat.

    ``picture`` (h, w, 3) RGB. The eye is what differs from the skin's flat colour and holds the landmarks' eye.
    """
    lab = cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB).astype(np.float32)
    skins = {side: _skin(lab, points, side) for side in ("left", "right")}
    found = {side: _outline(lab, skin, points, side) for side, skin in skins.items() if skin is not None}
    outlines = {side: outline for side, outline in found.items() if outline is not None}
    if len(outlines) < 2 or not _alike(*outlines.values()):
        return points
    moved = points.copy()
    for side, outline in outlines.items():
        iris, inner = _inside(lab[..., 0], outline)
        _fit_lids(moved, inner, side)
        moved[_IRIS[side], :2] = iris
    return moved


def is_drawn(picture: NDArray[np.uint8], points: Floats) -> bool:
    """Whether the cheeks in ``picture`` (h, w, 3) RGB are of one flat colour each: no photograph, nor a painting."""
    lab = cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB).astype(np.float32)
    return all(_skin(lab, points, side) is not None for side in ("left", "right"))


def _alike(one: _Outline, other: _Outline) -> bool:
    areas = sorted([int(one.mask.sum()), int(other.mask.sum())])
    return areas[1] < _ALIKE * areas[0]


def _skin(lab: Floats, points: Floats, side: str) -> Floats | None:
    """The skin's colour below the eye, or None where it is not flat."""
    radius = max(2, round(0.015 * float(np.linalg.norm(points[234] - points[454]))))
    patches: list[Floats] = []
    for x, y in points[list(_CHEEKS[side]), :2].round().astype(int):
        patch = lab[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1].reshape(-1, 3)
        if len(patch) and float(patch.std(axis=0).max()) < _FLAT:
            patches.append(np.median(patch, axis=0))
    return np.median(patches, axis=0).astype(np.float32) if len(patches) >= 3 else None


def _outline(lab: Floats, skin: Floats, points: Floats, side: str) -> _Outline | None:
    upper, lower = points[list(RINGS[f"eye_{side}_upper"]), :2], points[list(RINGS[f"eye_{side}_lower"]), :2]
    width, height = float(np.linalg.norm(upper[0] - upper[-1])), float((lower - upper)[:, 1].max())
    cx, cy = np.concatenate([upper, lower]).mean(axis=0).round().astype(int).tolist()
    near = np.zeros(lab.shape[:2], np.uint8)
    cv2.circle(near, (cx, cy), round(1.3 * width), 1, -1)
    other = ((np.linalg.norm(lab - skin, axis=2) > _APART) & (near > 0)).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(3, round(_SPIKES * width) | 1),) * 2)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(other, cv2.MORPH_OPEN, kernel))
    number = int(labels[cy, cx])
    if number == 0:
        return None
    left, _, wide, high, area = (int(value) for value in boxes[number])
    fits = high > _LARGER * height and wide < _WIDEST * width and area > _ROUND * wide * high
    return _Outline(labels == number, left, left + wide - 1) if fits else None


def _fit_lids(points: Floats, outline: _Outline, side: str) -> None:
    """Moves the rims of an eye onto the outline, and what surrounds them along, in place."""
    rings = [list(RINGS[f"eye_{side}_{lid}"]) for lid in ("upper", "lower")]
    before = points[:POINTS, :2].copy()
    for ring, edge in zip(rings, outline.edges(), strict=True):
        share, along = _lengths(before[ring]), _lengths(edge)
        points[ring, 0] = np.interp(share, along, edge[:, 0])
        points[ring, 1] = np.interp(share, along, edge[:, 1])
    rim = sorted({*rings[0], *rings[1]})
    shift = points[rim, :2] - before[rim]
    away = np.linalg.norm(before[:, None] - before[None, rim], axis=2)
    nearest = away.min(axis=1, keepdims=True)
    reach = _REACH * float(np.linalg.norm(before[234] - before[454]))
    weights = np.exp(-0.5 * ((away - nearest) / (0.3 * reach)) ** 2)
    follow = np.exp(-0.5 * (nearest / reach) ** 2) * (weights @ shift) / weights.sum(axis=1, keepdims=True)
    follow[rim] = shift
    points[:POINTS, :2] = before + follow


def _lengths(line: Floats) -> Floats:
    """(n,) length of a line of points (n, 2) up to each of them, as a share of the whole."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    return (np.concatenate([[0], np.cumsum(steps)]) / steps.sum()).astype(np.float32)


def _inside(light: Floats, outline: _Outline) -> tuple[Floats, _Outline]:
    """(5, 2) centre and rim of the iris, and the outline without the drawn lashes: what is white, and the iris.

    An eye that is a mere dot is all iris.
    """
    dark, bright = np.percentile(light[outline.mask], [5, 95])
    white = outline.mask & (light > (dark + bright) / 2) if bright - dark > _CONTRAST else np.zeros_like(outline.mask)
    _, labels, boxes, centres = cv2.connectedComponentsWithStats((outline.mask & ~white).astype(np.uint8))
    number = 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax())
    x, y = centres[number]
    radius = float(np.sqrt((labels == number).sum() / np.pi))
    around = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], np.float32)
    iris = (centres[number] + radius * around).astype(np.float32)
    if not white.any():
        return iris, outline
    disc = np.zeros(light.shape, np.uint8)
    cv2.circle(disc, (round(float(x) * 16), round(float(y) * 16)), round(radius * 16), 1, -1, shift=4)
    below = white & (np.arange(len(white))[:, None] > y)  # there are no lashes there, whose soft edges look white
    white = below | (cv2.morphologyEx(white.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0)
    seen = np.argwhere(white | ((disc > 0) & outline.mask))[:, ::-1].astype(np.int32)
    filled = np.zeros(light.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(seen), 1)
    filled = cv2.dilate(filled, np.ones((3, 3), np.uint8))
    columns = np.flatnonzero(filled.any(axis=0))
    return iris, _Outline(filled > 0, int(columns[0]), int(columns[-1]))
