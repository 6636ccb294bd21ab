"""Eyes of drawn faces: far larger than any the landmark network was trained on, but easy to outline on flat colour."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import POINTS, RINGS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_SPOT_COUNT = 3  # spots on a cheek that show the skin's colour
SKIN_DISTANCE = 12.0  # distance in Lab from the skin's colour from which a pixel is not skin
_SEARCH_REACH = 0.24  # face widths around the landmarks' eye within which the drawn one is searched
_LEAST_WIDTH, _MOST_WIDTH = 0.035, 0.36  # face widths of an eye
_LEAST_ASPECT, _MOST_ASPECT = 0.42, 2.4  # height over width of an eye
_LEAST_FILL = 0.55  # least share of its box that an outline fills
_MERGED_SIZE = 0.7  # largest face widths of an eye merged with its brow
_SPIKE_WIDTH = 0.032  # face widths: narrower parts, such as lashes, are not the eye
_RING_RADIUS = 0.09  # face widths around the landmarks' eye: skin, where the cheek has another colour
_LEVEL_SLACK = 0.06  # face widths by which one eye may be higher than the other
_DISTANCE_COST = 6.0  # cost for two outlines per face width by which they lie off the landmarks' eyes
_DOT_ROOM = 0.6  # radii around a dot that belong to its eye, so that its gaze can move
_LEAST_WHITE = 0.08  # least share of the white in an eye that is not a mere dot
_WHITE_CONTRAST = 25.0  # least difference in L between the iris and the white of an eye
_MOST_AREA_RATIO = 1.7  # ratio of the areas of both eyes
_LID_REACH = 0.05  # face widths over which the lids follow
_CHEEK_POINTS = {"left": (280, 425, 411, 427, 376, 352), "right": (50, 205, 187, 207, 147, 123)}
_NOSE_POINTS = (6, 197, 195, 5, 4)
_IRIS_POINTS = {"left": slice(473, 478), "right": slice(468, 473)}


@dataclass(frozen=True, slots=True)
class _Outline:
    """The eye as drawn: ``mask`` of the picture; ``left`` and ``right`` are its first and last columns."""

    mask: Mask
    left: int
    right: int

    @property
    def area(self) -> int:
        return int(self.mask.sum())

    @property
    def centre(self) -> Floats:
        """(2,) px, of its box."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        return np.array([(self.left + self.right) / 2, (rows[0] + rows[-1]) / 2], np.float32)

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
    """Landmarks (478, 3) with lids and irises moved onto the drawn ones; unchanged unless both eyes are found.

    ``picture`` (h, w, 3) RGB, a flat drawing. A drawn eye differs from the skin's colour and contains the landmarks'
    eye.
    """
    lab = cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB).astype(np.float32)
    cheeks = skins(lab, points)
    for colours in (cheeks, {side: _around(lab, points, side) for side in cheeks}):
        found = {side: _outlines(lab, skin, points, side) for side, skin in colours.items()}
        if pair := _pair(found["left"], found["right"], points):
            break
    else:
        return points
    moved = points.copy()
    for side, outline in zip(("left", "right"), pair, strict=True):
        iris, inner = _inside(lab[..., 0], outline)
        _fit_lids(moved, inner, side)
        moved[_IRIS_POINTS[side], :2] = iris
    return moved


def skins(lab: Floats, points: Floats) -> dict[str, Floats]:
    """The skin's colour below each eye. If a cheek does not have the nose's colour, the other cheek's is used."""
    found = {side: _skin(lab, points, side) for side in ("left", "right")}
    x, y = points[list(_NOSE_POINTS), :2].round().astype(int).T.clip(0, np.array(lab.shape[1::-1])[:, None] - 1)
    nose = np.median(lab[y, x], axis=0)
    best = min(found.values(), key=lambda skin: float(np.linalg.norm(skin - nose)))
    same = {side: float(np.linalg.norm(skin - best)) < 2 * SKIN_DISTANCE for side, skin in found.items()}
    return {side: skin if same[side] else best for side, skin in found.items()}


def _pair(left: list[_Outline], right: list[_Outline], points: Floats) -> tuple[_Outline, _Outline] | None:
    """The two outlines that are most alike and closest to the landmarks' eyes; None if no two match."""
    width = float(np.linalg.norm(points[234] - points[454]))
    across = (points[454, :2] - points[234, :2]) / np.linalg.norm(points[454, :2] - points[234, :2])
    down = np.array([-across[1], across[0]])
    eyes = [_middle(points, side) for side in ("left", "right")]
    best: tuple[float, tuple[_Outline, _Outline]] | None = None
    for one in left:
        for other in right:
            ratio = max(one.area, other.area) / min(one.area, other.area)
            away = [(outline.centre - eye) / width for outline, eye in zip((one, other), eyes, strict=True)]
            apart = float(abs((one.centre - other.centre) @ down)) / width
            if (
                ratio > _MOST_AREA_RATIO
                or apart > _LEVEL_SLACK
                or one.centre @ across - other.centre @ across < _LEAST_WIDTH * width
            ):
                continue
            unlike = float(np.linalg.norm(away[0] - away[1] * (1, 1))) * _DISTANCE_COST / 2
            cost = float(np.log(ratio)) + _DISTANCE_COST * float(np.linalg.norm(away[0] + away[1])) / 2 + unlike
            if best is None or cost < best[0]:
                best = cost, (one, other)
    return best and best[1]


def _around(lab: Floats, points: Floats, side: str) -> Floats:
    """(3,) the colour around an eye, which differs from the cheek's where a shadow or a lens is drawn."""
    width = float(np.linalg.norm(points[234] - points[454]))
    ring = np.zeros(lab.shape[:2], np.uint8)
    centre = _middle(points, side).round().astype(int).tolist()
    cv2.circle(ring, centre, round(_RING_RADIUS * width), 1, max(1, round(0.02 * width)))
    return np.median(lab[ring > 0], axis=0).astype(np.float32)


def _middle(points: Floats, side: str) -> Floats:
    return points[[*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"]], :2].mean(axis=0)


def _skin(lab: Floats, points: Floats, side: str) -> Floats:
    """(3,) the skin's colour below the eye, from the spots on the cheek with the least drawing on them."""
    radius = max(2, round(0.015 * float(np.linalg.norm(points[234] - points[454]))))
    inside = np.array(lab.shape[1::-1]) - 1 - radius
    patches: list[Floats] = []
    for x, y in points[list(_CHEEK_POINTS[side]), :2].round().astype(int).clip(radius, inside):
        patches.append(lab[y - radius : y + radius + 1, x - radius : x + radius + 1].reshape(-1, 3))
    patches.sort(key=lambda patch: float(patch.std(axis=0).max()))
    return np.median([np.median(patch, axis=0) for patch in patches[:_SPOT_COUNT]], axis=0).astype(np.float32)


def _outlines(lab: Floats, skin: Floats, points: Floats, side: str) -> list[_Outline]:
    """Compact areas near an eye that are not skin: the eye, perhaps also a nostril or the tip of a brow."""
    width = float(np.linalg.norm(points[234] - points[454]))
    centre = _middle(points, side).round().astype(int).tolist()
    near = cv2.circle(np.zeros(lab.shape[:2], np.uint8), centre, round(_SEARCH_REACH * width), 1, -1)
    other = (np.linalg.norm(lab - skin, axis=2) > SKIN_DISTANCE).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(3, round(_SPIKE_WIDTH * width) | 1),) * 2)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(other, cv2.MORPH_OPEN, kernel))
    found: list[_Outline] = []
    for number in range(1, count):
        wide, high, area = (
            int(boxes[number, what]) for what in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
        )
        if area < _LEAST_FILL * (_LEAST_WIDTH * width) ** 2 or max(wide, high) > _MERGED_SIZE * width:
            continue
        whole = labels == number
        outline = _sized(whole, width) or _sized(_around_white(lab[..., 0], whole), width)
        if outline and near[tuple(outline.centre[::-1].round().astype(int))]:
            found.append(outline)
    return found


def _sized(mask: Mask, width: float) -> _Outline | None:
    """The outline of a ``mask`` (h, w) that has the size and the shape of an eye of a face ``width`` px wide."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    wide, high = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    shaped = _LEAST_WIDTH * width < wide < _MOST_WIDTH * width and _LEAST_ASPECT < high / wide < _MOST_ASPECT
    return (
        _Outline(mask, int(columns[0]), int(columns[-1])) if shaped and mask.sum() > _LEAST_FILL * wide * high else None
    )


def _around_white(light: Floats, mask: Mask) -> Mask:
    """The hull of the largest light part of a ``mask`` (h, w): an eye that a brow or the hair touches."""
    dark, bright = np.percentile(light[mask], [5, 95])
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(
        _opened(mask & (light > (dark + bright) / 2)).astype(np.uint8)
    )
    if bright - dark < _WHITE_CONTRAST or len(boxes) < 2:
        return np.zeros_like(mask)
    return _hull(labels == 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax()))


def _fit_lids(points: Floats, outline: _Outline, side: str) -> None:
    """Moves the rims of an eye onto the outline, in place; the surrounding skin follows."""
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
    reach = _LID_REACH * float(np.linalg.norm(before[234] - before[454]))
    reach = max(reach, 1.2 * float(np.linalg.norm(shift.mean(axis=0))))
    weights = np.exp(-0.5 * ((away - nearest) / (0.3 * reach)) ** 2)
    follow = np.exp(-0.5 * (nearest / reach) ** 2) * (weights @ shift) / weights.sum(axis=1, keepdims=True)
    follow[rim] = shift
    points[:POINTS, :2] = before + follow


def _lengths(line: Floats) -> Floats:
    """(n,) length of the polyline (n, 2) up to each of its points, as a share of its total length."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    return (np.concatenate([[0], np.cumsum(steps)]) / steps.sum()).astype(np.float32)


def _inside(light: Floats, outline: _Outline) -> tuple[Floats, _Outline]:
    """(5, 2) centre and rim of the iris, and the outline of white and iris without the drawn lashes.

    An eye that is a mere dot is all iris; some skin around it serves as its white.
    """
    dark, bright = np.percentile(light[outline.mask], [5, 95])
    white = (
        outline.mask & (light > (dark + bright) / 2) if bright - dark > _WHITE_CONTRAST else np.zeros_like(outline.mask)
    )
    well_inside = cv2.erode(outline.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    white &= (white & well_inside).sum() > _LEAST_WHITE * outline.area
    solid = _opened(white)  # without the soft edges of dark parts
    within = _hull(white) if white.any() else outline.mask  # without the outline
    body = _iris(within & ~white, solid)
    y, x = np.argwhere(body).mean(axis=0)
    radius = float(np.sqrt(body.sum() / np.pi))
    around = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], np.float32)
    iris = (np.array([x, y]) + radius * around).astype(np.float32)
    if not white.any():
        room = 2 * round(_DOT_ROOM * radius) + 1
        wide = cv2.dilate(outline.mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (room, room)))
        columns = np.flatnonzero(wide.any(axis=0))
        return iris, _Outline(wide > 0, int(columns[0]), int(columns[-1]))
    disc = np.zeros(light.shape, np.uint8)
    cv2.circle(disc, (round(float(x) * 16), round(float(y) * 16)), round(radius * 16), 1, -1, shift=4)
    below = white & (np.arange(len(white))[:, None] > y)  # no lashes there, whose soft edges would look white
    white = below | solid
    filled = cv2.dilate(_hull(white | ((disc > 0) & outline.mask)).astype(np.uint8), np.ones((3, 3), np.uint8))
    columns = np.flatnonzero(filled.any(axis=0))
    return iris, _Outline(filled > 0, int(columns[0]), int(columns[-1]))


def _iris(dark: Mask, white: Mask) -> Mask:
    """The iris among the ``dark`` (h, w) parts of an eye: the thickest that touches the ``white``, if there is any. A
    brow that touches the eye may be larger, but it is thinner, and so are lashes and outlines."""
    deep = np.asarray(cv2.distanceTransform(dark.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    count, parts = cv2.connectedComponents(dark.astype(np.uint8))
    labels = np.asarray(parts, np.intp)
    near = cv2.dilate(white.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    touching = np.bincount(labels[near], minlength=count) > 0 if white.any() else np.ones(count, bool)
    thick = np.zeros(count, np.float32)
    np.maximum.at(thick, labels.ravel(), deep.ravel())
    return labels == 1 + int((thick * touching)[1:].argmax())


def _opened(mask: Mask) -> Mask:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0


def _hull(mask: Mask) -> Mask:
    """(h, w) the convex hull of a ``mask`` (h, w) that is not empty."""
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.argwhere(mask)[:, ::-1].astype(np.int32)), 1)
    return filled > 0
