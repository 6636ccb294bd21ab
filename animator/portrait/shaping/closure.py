"""Makes lids and lips close exactly, which a fitted head's blendshapes do not: an error of one percent is visible."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.space import INDEX
from animator.portrait.geometry.paths import cheapest_path
from animator.portrait.geometry.topology import BROW_LOWER_EDGES, mesh

Floats = NDArray[np.float32]

# Shares of the eye's opening: overlap of the upper lid over the lower one, and rise of the lower one.
_UPPER_OVERLAP, _LOWER_RISE = 0.03, 0.05
_LID_REACH_SHARE, _LEAST_LID_REACH = 0.45, 0.018  # share of the way to the brow, which stays; face widths
_FREE_SHARE = 0.3  # share of the way from the brow to the lid over which the skin begins to move with the lid
_MOST_LID_REACH = 0.055  # face widths: how far a correction of a lid moves the skin
_DRAWN_REACH = 0.008  # the same for drawn lids, in face widths: these are plain up to their edge
# The arc in which a drawn eye shuts: its depth over the eye's width, its rise over the eye's height.
_ARC_DEPTH, _ARC_RISE = 0.2, 0.12
_OUTER_CORNERS = {"left": 263, "right": 33}  # corners of the eyes
_BALL_SEARCH, _BALL_STEPS = 0.022, 23  # face widths under the lower rim in which the eye may still be seen
_SKIN_RANGE = 0.035, 0.06  # face widths under the lower rim that are certainly skin
# Share of the skin's chroma: pixels as light as skin with less chroma are the white of the eye.
_WHITE_COLOURFULNESS = 0.75
# Lab: skin with less chroma belongs to a grey picture, in which the white of the eye looks like skin.
_GREY_COLOURFULNESS = 4.0
_IRIS_FACTOR = 1.05  # the landmarks' iris is a little too small
_SEAM_REACH = 0.014
_SEAM_SEARCH = 0.018  # face widths above and below the middle between the lips
_SEAM_STEPS = 10  # steps of the search on each side
_SEAM_STIFFNESS = 0.12  # cost of one step up or down between neighbours, relative to the mouth's contrast
_EDGE_REACH = 0.02
_EDGE_SEARCH = -0.006, 0.010  # face widths from the rim of parted lips into the opening and into the lip
_THICK_LIP = 0.045  # face widths: the search is shorter where a lip is thinner
_EDGE_STEPS = 22
_LIP_BAND = 0.35, 0.75  # shares of the way from the inner to the outer contour that are certainly lip
_LIP_COLOUR_SLACK = 10.0  # in Lab, besides the spread of the lip's own colours


class _Opening:
    """Two rims (upper and lower vertex numbers, left to right) with the axes of their plane in the picture."""

    def __init__(
        self, vertices: Floats, upper: NDArray[np.int32], lower: NDArray[np.int32], across: Floats | None = None
    ) -> None:
        self.vertices, self.upper, self.lower = vertices, upper, lower
        self.rims = upper, lower
        along = vertices[upper[-1], :2] - vertices[upper[0], :2] if across is None else across
        along = along / np.linalg.norm(along)
        self.axes = np.array([along, [-along[1], along[0]]], np.float32)  # along, down
        self.up, self.low = self.local(vertices[upper]), self.local(vertices[lower])

    def local(self, points: Floats) -> Floats:
        return points[:, :2] @ self.axes.T

    def gaps(self) -> tuple[Floats, Floats]:
        """Distances to the other rim: straight down from each upper vertex, and straight up from each lower one."""
        below = np.interp(self.up[:, 0], self.low[:, 0], self.low[:, 1]) - self.up[:, 1]
        above = self.low[:, 1] - np.interp(self.low[:, 0], self.up[:, 0], self.up[:, 1])
        return below.astype(np.float32), above.astype(np.float32)

    def moved(self, moves: tuple[Floats, Floats], shape: Floats, reach: float) -> Floats:
        """``shape`` (V, 3) changed so that the rims move down by ``moves`` px; the change fades over ``reach`` px.

        The corners of the rims stay, and the skin on each side of the opening follows its own rim only.
        """
        changed = shape.copy()
        local = self.local(self.vertices)
        x = np.linspace(self.up[0, 0], self.up[-1, 0], 33)
        middle = (np.interp(x, *self.up.T) + np.interp(x, *self.low.T)) / 2
        soft = 0.25 * float(np.abs(np.concatenate(self.gaps())).max()) + 0.5
        below = ((local[:, 1] - np.interp(local[:, 0], x, middle)) / soft / 2 + 0.5).clip(0, 1)
        for rim, move, side in ((self.upper, moves[0], 1 - below), (self.lower, moves[1], below)):
            missing = move[:, None] * self.axes[1] - shape[rim, :2]
            changed[:, :2] += side[:, None] * _spread(self.vertices, rim, missing, reach)
        for rim, move in ((self.upper, moves[0]), (self.lower, moves[1])):
            changed[rim, :2] = move[:, None] * self.axes[1]
            changed[rim[[0, -1]]] = 0
        return changed


def _spread(vertices: Floats, rim: NDArray[np.int32], values: Floats, reach: float) -> Floats:
    """``values`` (n, 2) on ``rim`` -> (V, 2): the nearest ones, fading with the distance as a Gaussian."""
    away = np.linalg.norm(vertices[:, None, :2] - vertices[None, rim, :2], axis=2)
    nearest = away.min(axis=1, keepdims=True)
    weights = np.exp(-0.5 * ((away - nearest) / (0.3 * reach)) ** 2)
    fade = np.exp(-0.5 * (nearest / reach) ** 2)
    return (fade * (weights @ values) / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _rims(name: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    contours = mesh().contours
    return contours[f"{name}_upper"], contours[f"{name}_lower"]


def close_lids(vertices: Floats, shapes: Floats, picture: NDArray[np.uint8], iris: Floats) -> Floats:
    """``shapes`` (52, V, 3) with blinks that shut the eyes of ``vertices`` (V, 3) at weight 1.

    ``iris`` (2, 3): x, y and radius of the left and the right iris. The lid moves down until ``picture`` shows nothing
    of the eye below it, since the landmarks of the lower lid may lie within the eye. Brows stay.
    """
    shapes = shapes.copy()
    width = float(np.linalg.norm(vertices[234] - vertices[454]))
    lab = _lab(picture)
    for side, ring in zip(("left", "right"), iris, strict=True):
        eye = _Opening(vertices, *_rims(f"eye_{side}"))
        below, above = eye.gaps()
        beyond = np.interp(eye.up[:, 0], eye.low[:, 0], _seen_below(eye, lab, ring, width)).astype(np.float32)
        number = INDEX[f"eyeBlink{side.title()}"]
        moves = (below * (1 + _UPPER_OVERLAP - _LOWER_RISE) + beyond, -above * _LOWER_RISE)
        brow = list(BROW_LOWER_EDGES[side][1:-1])
        room = float(np.linalg.norm(vertices[brow, :2].mean(axis=0) - vertices[eye.upper, :2].mean(axis=0)))
        reach = min(max(_LID_REACH_SHARE * room, _LEAST_LID_REACH * width), _MOST_LID_REACH * width)
        shapes[number] = _off_brow(eye, side)[:, None] * eye.moved(moves, shapes[number], reach)
    return shapes


def shut_drawn(vertices: Floats, shapes: Floats) -> Floats:
    """``shapes`` (52, V, 3) with blinks that shut the drawn eyes of ``vertices`` (V, 3) in an arc at weight 1.

    Only the lids move: the drawing around an eye is flat, and brows are lines that would bend.
    """
    shapes = shapes.copy()
    across = vertices[_OUTER_CORNERS["left"], :2] - vertices[_OUTER_CORNERS["right"], :2]
    width = float(np.linalg.norm(vertices[234] - vertices[454]))
    for side in ("left", "right"):
        eye = _Opening(vertices, *_rims(f"eye_{side}"), across)
        upper, lower = (_arc(eye, rim) - rim[:, 1] for rim in (eye.up, eye.low))
        shape = eye.moved((upper, lower), np.zeros_like(vertices), _DRAWN_REACH * width)
        shape[eye.upper[[0, -1]], :2] = upper[[0, -1], None] * eye.axes[1]
        shapes[INDEX[f"eyeBlink{side.title()}"]] = shape
    return shapes


def _arc(eye: _Opening, rim: Floats) -> Floats:
    """(n,) height, downwards, of the line in which the eye shuts, at the vertices of a ``rim`` (n, 2)."""
    both = np.concatenate([eye.up, eye.low])
    (left, top), (right, bottom) = both.min(axis=0), both.max(axis=0)
    along = 2 * (rim[:, 0] - left) / max(float(right - left), 1e-3) - 1
    return (bottom - _ARC_RISE * (bottom - top) - _ARC_DEPTH * (right - left) * along**2).astype(np.float32)


def _off_brow(eye: _Opening, side: str) -> Floats:
    """(V,): how far, 0 to 1, each vertex may move with the lid; those of the brow may not."""
    to_brow, to_lid = (
        np.linalg.norm(eye.vertices[:, None, :2] - eye.vertices[None, ids, :2], axis=2).min(axis=1)
        for ids in (list(BROW_LOWER_EDGES[side]), np.concatenate(eye.rims))
    )
    above = eye.local(eye.vertices)[:, 1] < np.interp(eye.local(eye.vertices)[:, 0], *eye.up.T)
    share = (to_brow / (to_brow + to_lid + 1e-6) / _FREE_SHARE).clip(0, 1)
    return np.where(above, share * share * (3 - 2 * share), 1).astype(np.float32)


def _seen_below(eye: _Opening, lab: Floats, iris: Floats, width: float) -> Floats:
    """(n,) px over which the eye, its white or the iris, is still visible below each vertex of its lower rim."""
    offsets = np.linspace(0, _BALL_SEARCH * width, _BALL_STEPS, dtype=np.float32)
    rim = eye.vertices[eye.lower, :2]
    places = (rim[:, None] + offsets[:, None] * eye.axes[1]).astype(np.float32)
    seen = _sampled(lab, places)
    skin = _sampled(
        lab, (rim[:, None] + np.linspace(*_SKIN_RANGE, 7)[:, None] * width * eye.axes[1]).astype(np.float32)
    )
    skin = np.median(skin, axis=1, keepdims=True)
    colourful, typical = (np.linalg.norm(part[..., 1:], axis=2) for part in (seen, skin))
    white = (1.5 - colourful / np.maximum(_WHITE_COLOURFULNESS * typical, 1)).clip(0, 1) * (
        (seen - skin)[..., 0] / 6 + 1
    ).clip(0, 1)
    dark = (np.linalg.norm(places - iris[:2], axis=2) < _IRIS_FACTOR * iris[2]) & (seen[..., 0] < 0.7 * skin[..., 0])
    white *= typical > _GREY_COLOURFULNESS
    arch = 1 - np.linspace(-1, 1, len(rim), dtype=np.float32) ** 6
    cost = _division(arch[:, None] * np.maximum(white, dark)) + (offsets / offsets[-1]) ** 2
    found = np.pad(offsets[cheapest_path(cost.astype(np.float32), _SEAM_STIFFNESS)], 3, mode="edge")
    around = np.maximum.reduce([found[:-2], found[1:-1], found[2:]])
    return arch * np.convolve(around, np.array([1, 2, 3, 2, 1], np.float32) / 9, mode="valid")


def snap_seam(vertices: Floats, picture: NDArray[np.uint8], width: float) -> Floats:
    """``vertices`` with both inner rims of closed lips on the dark line between them in ``picture``.

    The line is the path of least brightness near the middle of the rims (dynamic programming).
    """
    lips = _Opening(vertices, *_rims("lips_inner"))
    middle = (vertices[lips.upper, :2] + vertices[lips.lower, :2]) / 2
    offsets = np.linspace(-1, 1, 2 * _SEAM_STEPS + 1, dtype=np.float32) * _SEAM_SEARCH * width
    places = (middle[:, None] + offsets[None, :, None] * lips.axes[1]).astype(np.float32)
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 0.006 * width).astype(np.float32)
    seen = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cost = (seen - seen.min()) / max(float(np.ptp(seen)), 1.0) + 0.25 * (offsets / offsets[-1]) ** 2
    cost[[0, -1]] = np.abs(offsets) * 1e3
    chosen = offsets[cheapest_path(cost, _SEAM_STIFFNESS)]
    up, low = (((middle - vertices[rim, :2]) @ lips.axes[1] + chosen).astype(np.float32) for rim in lips.rims)
    snapped = vertices + lips.moved((up, low), np.zeros_like(vertices), _SEAM_REACH * width)
    snapped[lips.lower, :2] = snapped[lips.upper, :2]
    return snapped


def snap_rims(vertices: Floats, picture: NDArray[np.uint8], width: float) -> Floats:
    """``vertices`` with the inner rims of parted lips on the edge between the opening and the lips in ``picture``.

    Each rim is the smooth path that best separates pixels unlike the lip from those like it (dynamic programming).
    """
    lips = _Opening(vertices, *_rims("lips_inner"))
    lab = _lab(picture)
    moves: list[Floats] = []
    for rim, outer, sign in zip(lips.rims, _rims("lips_outer"), (-1, 1), strict=True):
        thick = np.linalg.norm(vertices[outer, :2] - vertices[rim, :2], axis=1) / (_THICK_LIP * width)
        reach = (thick * np.sin(np.linspace(0, np.pi, len(rim))) ** 0.5).clip(0, 1) * width
        offsets = (np.linspace(*_EDGE_SEARCH, _EDGE_STEPS) * reach[:, None]).astype(np.float32)
        along = (sign * offsets[..., None] * lips.axes[1]).astype(np.float32)
        seen = _sampled(lab, vertices[rim, None, :2] + along)
        cost = _division(_unlike_lip(lab, seen, vertices[rim, :2], vertices[outer, :2]))
        moves.append(sign * np.take_along_axis(offsets, cheapest_path(cost, _SEAM_STIFFNESS)[:, None], axis=1)[:, 0])
    return vertices + lips.moved((moves[0], moves[1]), np.zeros_like(vertices), _EDGE_REACH * width)


def _lab(picture: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.cvtColor((picture / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)


def _unlike_lip(lab: Floats, seen: Floats, rim: Floats, outer: Floats) -> Floats:
    """(n, k), 0 to 1.5: how far the colours ``seen`` (n, k, 3) differ from the lip between ``rim`` and ``outer`` (n,
    2)."""
    shares = np.linspace(*_LIP_BAND, 7, dtype=np.float32)[None, :, None]
    band = _sampled(lab, (rim[:, None] * (1 - shares) + outer[:, None] * shares).astype(np.float32))
    padded = np.pad(band, ((2, 2), (0, 0), (0, 0)), mode="edge")
    near = np.concatenate([padded[step : step + len(rim)] for step in range(5)], axis=1)
    spread = np.linalg.norm(near.std(axis=1), axis=1)[:, None] + _LIP_COLOUR_SLACK
    return (np.linalg.norm(seen - np.median(near, axis=1)[:, None], axis=2) / spread).clip(0, 1.5)


def _division(unlike: Floats) -> Floats:
    """(n, k): cost of dividing each row of ``unlike`` before its k-th pixel: the sum of the unlike pixels after it and
    the like ones before it."""
    after = np.cumsum(unlike[:, ::-1], axis=1)[:, ::-1]
    alike = 1 - unlike.clip(0, 1)
    return (after + np.cumsum(alike, axis=1) - alike) * np.float32(4 / unlike.shape[1])


def _sampled(layer: Floats, places: Floats) -> Floats:
    """(n, k, 3) colours of ``layer`` at ``places`` (n, k, 2) px."""
    x, y = (np.ascontiguousarray(places[..., i], np.float32) for i in (0, 1))
    return np.asarray(cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
