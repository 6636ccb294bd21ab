"""Mouths of drawn faces: a stroke or a shape of one colour that the landmark network often misses."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.portrait.drawn.drawn_eyes import SKIN_DISTANCE
from animator.portrait.geometry.topology import POINTS, RINGS

Floats = NDArray[np.float32]

_SKIN_DISTANCES = SKIN_DISTANCE, 6.5, 4.0  # smaller ones for pale mouths
_PALE_COST = 0.15  # exponent of the factor by which pale mouths count as less likely
_BARE_POINTS = (6, 197, 195, 5, 4, 205, 425, 50, 280, 187, 411)  # of nose and cheeks
_TOP_MARGIN = 0.05  # face widths from the lower lids to the highest mouth
_BOTTOM_MARGIN = 0.03
_SIDE_REACH = 0.33  # face widths of the mouth's ends from the middle of the face
_LEAST_WIDTH, _MOST_WIDTH = 0.07, 0.62  # face widths of a mouth
_AXIS_COST, _HEIGHT_COST = 1.5, 0.9  # px subtracted from a shape's width per px off its expected place
_STROKE_THICKNESS = 0.035  # face widths: a thinner shape is a line, a thicker one an open mouth
_BORDER_WIDTH = 0.012  # face widths of the line around an open mouth
_LIP_MARGIN = 0.014  # face widths of skin around the line that move with it
_FOLLOW_REACH = 0.10  # face widths over which the face follows
_EYE_CORNERS = (33, 133, 362, 263)


class _Shape(NamedTuple):
    """A shape between ``left`` and its last column: ``top`` and ``bottom`` (n,) px of its columns."""

    left: int
    top: Floats
    bottom: Floats

    @property
    def width(self) -> int:
        return len(self.top)

    @property
    def thick(self) -> float:
        return float(np.percentile(self.bottom - self.top, 75))

    def lower(self, by: int) -> "_Shape":
        """The shape ``by`` px farther down."""
        return self._replace(top=self.top + np.float32(by), bottom=self.bottom + np.float32(by))


class _Place(NamedTuple):
    """Where the mouth is searched: in the image ``lab`` (h, w, 3), its middle expected between the two columns ``axis``
    and at row ``height``, px, in a face of ``width`` px."""

    lab: Floats
    axis: tuple[float, float]
    height: float
    width: float


def snap_mouth(picture: NDArray[np.uint8], points: Floats) -> Floats:
    """Landmarks (478, 3) with the lips on the drawn mouth; unchanged if none is found.

    ``picture`` (h, w, 3) RGB, a flat drawing. The mouth is the widest shape in the mouth's region whose colour differs
    from the skin's.
    """
    shape = _find(picture, points)
    if shape is None:
        return points
    moved = points.copy()
    width = float(np.linalg.norm(points[234] - points[454]))
    columns = shape.left + np.arange(shape.width, dtype=np.float32)
    if shape.thick < _STROKE_THICKNESS * width:
        middle = cv2.GaussianBlur(((shape.top + shape.bottom) / 2)[None], (0, 0), 0.01 * width)[0]
        lines = {"inner_upper": middle, "inner_lower": middle}
    else:
        inset = np.minimum(_BORDER_WIDTH * width, 0.3 * (shape.bottom - shape.top))
        lines = {"inner_upper": shape.top + inset, "inner_lower": shape.bottom - inset}
    lines |= {"outer_upper": shape.top - _LIP_MARGIN * width, "outer_lower": shape.bottom + _LIP_MARGIN * width}
    for name, line in lines.items():
        _lay(moved, RINGS[f"lips_{name}"], np.stack([columns, line], axis=1), _LIP_MARGIN * width * ("outer" in name))
    _follow(points, moved, width)
    return moved


def _find(picture: NDArray[np.uint8], points: Floats) -> _Shape | None:
    """The shape that is most likely the mouth. Pale mouths differ little from the skin; in a beard the mouth may lie on
    skin or on the beard, and an island of skin is not a mouth."""
    width = float(np.linalg.norm(points[234] - points[454]))
    lids = max(points[list(RINGS[f"eye_{side}_lower"]), 1].max() for side in ("left", "right"))
    ends = sorted([float(points[list(_EYE_CORNERS), 0].mean()), float(points[[13, 14], 0].mean())])
    left, top = max(int(ends[0] - _SIDE_REACH * width), 0), max(int(lids + _TOP_MARGIN * width), 0)
    right, bottom = int(ends[1] + _SIDE_REACH * width), int(points[152, 1] + _BOTTOM_MARGIN * width)
    part = picture[top:bottom, left:right]
    if min(part.shape[:2]) < 8:
        return None
    lab = np.asarray(cv2.cvtColor((part / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)
    place = _Place(lab, (ends[0] - left, ends[1] - left), float(points[[13, 14], 1].mean()) - top, width)
    nose, common = _nose(picture, points), _commonest(lab)
    grounds = [common] if np.linalg.norm(nose - common) < SKIN_DISTANCE else [nose, common]
    tried = [_widest(place, ground, apart, nose) for ground in grounds for apart in _SKIN_DISTANCES]
    best = max(tried, key=lambda found: found[0])  # the first of equal ones
    return None if best[1] is None else best[1]._replace(left=best[1].left + left).lower(top)


def _widest(place: _Place, ground: Floats, apart: float, skin: Floats) -> tuple[float, _Shape | None]:
    """The widest shape near the expected mouth whose colours all differ by at least ``apart`` from the ``ground``'s
    (3,), and the likelihood that it is the mouth, which is lower for a smaller ``apart``. Shapes of the ``skin``'s
    colour (3,) do not count."""
    lab, axis, height, width = place
    other = (np.linalg.norm(lab - ground, axis=2) > apart).astype(np.uint8)
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(other, connectivity=8)
    best, found = 0.0, None
    for number in range(1, count):
        x, y, wide, high, _ = (int(value) for value in boxes[number])
        on_edge = x == 0 or y == 0 or x + wide == other.shape[1] or y + high == other.shape[0]
        if on_edge or not _LEAST_WIDTH * width < wide < _MOST_WIDTH * width:
            continue
        cx, cy = centres[number]
        aside = max(axis[0] - cx, cx - axis[1], 0)
        score = (wide - _AXIS_COST * aside - _HEIGHT_COST * abs(cy - height)) / width
        mask = labels[:, x : x + wide] == number
        if score > best and np.linalg.norm(np.median(lab[:, x : x + wide][mask], axis=0) - skin) > apart:
            first, last = mask.argmax(axis=0), mask.shape[0] - 1 - mask[::-1].argmax(axis=0)
            best, found = score, _Shape(x, first.astype(np.float32), last.astype(np.float32))
    return best * (apart / SKIN_DISTANCE) ** _PALE_COST, found


def _nose(picture: NDArray[np.uint8], points: Floats) -> Floats:
    """(3,) the skin's colour near the mouth's usual place, where most points of nose and cheeks are bare."""
    most = np.array(picture.shape[1::-1]) - 1
    x, y = points[list(_BARE_POINTS), :2].round().astype(int).clip(0, most).T
    return np.median(cv2.cvtColor((picture[y, x][None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0], axis=0)


def _commonest(lab: Floats) -> Floats:
    """(3,) the most frequent colour of ``lab`` (h, w, 3)."""
    rounded = (lab.reshape(-1, 3) / 4).round().astype(np.int64)
    _, where, counts = np.unique(rounded @ [1, 1000, 1000000], return_inverse=True, return_counts=True)
    return np.median(lab.reshape(-1, 3)[where == counts.argmax()], axis=0)


def _lay(points: Floats, ring: tuple[int, ...], line: Floats, beyond: float) -> None:
    """Moves the vertices of ``ring`` onto ``line`` (n, 2), keeping their proportions; its ends lie ``beyond`` the
    line's."""
    ids = list(ring)
    share = (points[ids, 0] - points[ids[0], 0]) / (points[ids[-1], 0] - points[ids[0], 0])
    middle = line[:, 1].mean()
    points[ids, 0] = line[0, 0] - beyond + share * (np.ptp(line[:, 0]) + 2 * beyond)
    points[ids, 1] = np.interp(points[ids, 0], line[:, 0], line[:, 1])
    points[[ids[0], ids[-1]], 1] = line[[0, -1], 1] + np.sign(middle - line[[0, -1], 1]) * beyond


def _follow(before: Floats, points: Floats, width: float) -> None:
    """Moves the surroundings of the lips along with them, in place, fading with distance."""
    lips = sorted({i for name, ring in RINGS.items() if name.startswith("lips") for i in ring})
    shift = points[lips, :2] - before[lips, :2]
    away = np.linalg.norm(before[:POINTS, None, :2] - before[None, lips, :2], axis=2)
    nearest = away.min(axis=1, keepdims=True)
    weights = np.exp(-0.5 * ((away - nearest) / (0.02 * width)) ** 2)
    fade = np.exp(-0.5 * (nearest / (_FOLLOW_REACH * width)) ** 2)
    moved = before[:POINTS, :2] + fade * (weights @ shift) / weights.sum(axis=1, keepdims=True)
    moved[lips] = points[lips, :2]
    points[:POINTS, :2] = moved
