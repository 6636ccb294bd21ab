"""Blendshapes fitted to this mouth: how its lips part and round, and how far the jaw opens it.

They are laid out along the lips, modelled on filmed and tracked speakers rather than taken from another head. Lips part
most at the canine teeth, and an open jaw moves the corners of the mouth down by only a quarter of its own motion (GRID,
24 clips). When lips round ("two", "blue", "white"), the corners move in to three to four fifths of a neutral mouth's
width; the lips keep their area, so that they thicken, and come forward. The surrounding skin follows as a membrane. A
smile in the picture is undone in the process.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, eye_array
from scipy.sparse.linalg import splu

from animator.motion.rows.space import INDEX
from animator.portrait.geometry.pose import FLIP_Y, rotation
from animator.portrait.geometry.topology import POINTS, mesh

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

OPENING = 0.28  # face widths between the lips when the jaw opens with weight 1
_GAIN_RANGE = 0.8, 1.5
_CHIN_SHARE = 0.85  # share of the head's jaw motion that the skin follows, while the lips move as in `PARTINGS`
NEUTRAL_WIDTH = 0.385  # face widths of a mouth at rest
_UPPER_SHARE = 0.4  # share of an opening that lies above the seam of the lips
_LIP_FOLLOW_SHARE = 0.85  # share of the inner rim's motion that the outer contour follows when the lips close
_ROUND_LIP_FOLLOW_SHARE = 0.15  # the same when they round
_LEAST_SMILE_SHARE = 0.75  # least share of a smiling mouth's width that is taken as its neutral width
_HOLE_UPPER_SHARE = 0.4  # share of the hole between rounded lips that the upper lip makes
_MOST_THICKNESS = 1.4  # largest thickness of rounded lips, relative to the lips at rest
# Shares of the thickening of rounded lips, in their middle and at the corners of the mouth.
_MIDDLE_THICKENING, _CORNER_THICKENING = 0.6, 2.2
_SCREENING = 0.015  # how fast the lips' pull on the skin decays, per step of the mesh
_SMILING_BOW, _HANGING_BOW = 0.45, 0.8  # shares of corners' height, above and below the middle, that remain
_SIZE_RANGE = 0.75, 1.15  # range of relative mouth sizes that scale how far lips part
_MOUTH_CORNERS = 61, 291
_SIDE_BLEND = 0.24  # face widths over which the motion of one side of a lip blends into the other side's
_THIN_LIP = 1e-3  # face widths: where a lip is thinner, at the corners, all of it moves with the rim
_STILL_CONTOURS = ("eye_left_upper", "eye_left_lower", "eye_right_upper", "eye_right_lower", "face_oval")
_NOSE_POINTS = (
    1,
    2,
    4,
    5,
    6,
    19,
    45,
    48,
    64,
    94,
    97,
    98,
    115,
    129,
    168,
    195,
    197,
    220,
    275,
    278,
    294,
    326,
    327,
    344,
    358,
    440,
)
_LIP_POINTS = (  # points within the upper and the lower lip
    (62, 292, 76, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408, 183, 42, 41, 38, 12, 268, 271, 272, 407),
    (77, 90, 180, 85, 16, 315, 404, 320, 307, 96, 89, 179, 86, 15, 316, 403, 319, 325),
)


Course = tuple[float, float, float, float, float, float]


class Rounding(NamedTuple):
    """A rounded mouth: its ``width`` relative to the neutral mouth; the ``hole`` between the lips and how far they come
    ``forward``, in face widths. The lips thicken by the inverse of their relative width to the power ``area``."""

    width: float
    hole: float
    forward: float
    area: float


class Parting(NamedTuple):
    """How far the inner rims and outer contours of both lips move down, and how far the lips move ``aside``, at
    `STATIONS`, in face widths (``jawOpen``: shares of `OPENING`)."""

    upper: Course
    upper_outer: Course
    lower: Course
    lower_outer: Course
    aside: Course


STATIONS = (0.0, 0.2, 0.4, 0.62, 0.8, 1.0)  # shares of the way from the middle of a lip to the corner of the mouth
PARTINGS = {
    "jawOpen": Parting(
        (-0.09, -0.08, -0.05, 0.03, 0.13, 0.26),
        (-0.03, -0.02, 0.0, 0.06, 0.14, 0.26),
        (0.91, 0.89, 0.83, 0.70, 0.53, 0.26),
        (0.985, 0.965, 0.89, 0.74, 0.54, 0.26),
        (0.0, 0.0, 0.01, 0.02, 0.03, 0.04),
    ),
    "mouthUpperUp": Parting(
        (-0.052, -0.057, -0.064, -0.057, -0.036, -0.008),
        (-0.044, -0.049, -0.057, -0.053, -0.034, -0.008),
        (0.0, 0.0, 0.0, -0.001, -0.002, -0.008),
        (0.0, 0.0, 0.0, 0.0, -0.001, -0.008),
        (0.0, 0.003, 0.009, 0.012, 0.012, 0.010),
    ),
    "mouthLowerDown": Parting(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.003),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.003),
        (0.053, 0.055, 0.054, 0.042, 0.022, 0.003),
        (0.061, 0.062, 0.059, 0.044, 0.021, 0.003),
        (0.0, 0.002, 0.006, 0.009, 0.009, 0.008),
    ),
}  # fmt: skip
ROUNDINGS = {"mouthPucker": Rounding(0.68, 0.0, 0.040, 1.0), "mouthFunnel": Rounding(0.84, 0.05, 0.030, 1.2)}


def fit_mouth(
    vertices: Floats, head: tuple[Floats, Floats, Floats], pose: tuple[float, float, float], width: float
) -> tuple[Floats, Floats]:
    """Shapes (52, V, 3) and jaw (52, 3, 4) for the mouth of ``vertices`` (V, 3) px of a face in ``pose``, ``width`` px
    wide.

    ``head``: shapes and jaw of a fitted head, and the share (52,) of each shape that can be added to its expression.
    """
    shapes, jaw, left = head[0].copy(), head[1].copy(), head[2]
    opening, closing_ = INDEX["jawOpen"], INDEX["mouthClose"]
    gain = _opening_gain(vertices, shapes[opening], width)
    shapes[[opening, closing_]] *= gain
    jaw[opening] *= gain
    closed = shapes[opening] + shapes[closing_]
    shapes[opening] *= _CHIN_SHARE
    axes = (FLIP_Y[:, None] * rotation(*pose) * FLIP_Y).astype(np.float32)
    local = vertices @ axes / np.float32(width)
    size = float(np.clip(np.ptp(local[list(_MOUTH_CORNERS), 0]) / NEUTRAL_WIDTH, *_SIZE_RANGE))
    for name, parting in PARTINGS.items():
        for whole, side in ((name, 0),) if name in INDEX else ((f"{name}Left", 1), (f"{name}Right", -1)):
            number = INDEX[whole]
            far = OPENING if number == opening else float(size * left[number])
            shapes[number] = _on_course(shapes[number], local, (parting, far, side), (axes, width))
    shapes[opening] *= _opening_gain(vertices, shapes[opening], width)  # a nodding head is foreshortened
    shapes[closing_] = closed - shapes[opening]
    for name, rounding in ROUNDINGS.items():
        moved = _membrane(_laid_out(local, rounding))
        shapes[INDEX[name]] = np.float32(width) * moved @ axes.T
    return shapes, jaw


def _on_course(shape: Floats, local: Floats, to: tuple[Parting, float, int], place: tuple[Floats, float]) -> Floats:
    """``shape`` (V, 3), changed so that its lips move in x and y as a `Parting` says; depth stays.

    ``to``: the parting, a factor on it, and the side, 0 for both; ``place``: the axes and the face width of ``local``
    (V, 3).
    """
    (parting, far, side), (axes, width) = to, place
    wanted = np.concatenate(_courses(local, parting))
    at = np.concatenate(both_lips())
    if side:
        ramp = (0.5 + side * (local[at, 0] - local[[0, 13, 14, 17], 0].mean()) / _SIDE_BLEND).clip(0, 1)
        wanted *= (ramp * ramp * (3 - 2 * ramp))[:, None]
    missing = far * wanted - (shape[at] @ axes / np.float32(width))[:, :2]
    change = _membrane(np.column_stack([missing, np.zeros(len(at))]).astype(np.float32))
    return (shape + np.float32(width) * change @ axes.T).astype(np.float32)


def _courses(local: Floats, parting: Parting) -> list[Floats]:
    """For each of `both_lips`, (n, 2) face widths by which its vertices move sideways and down."""
    moves = list[Floats]()
    middle = local[[0, 13, 14, 17], 0].mean()
    for ids, rim, lip in zip(both_lips(), _rims(), ("upper", "lower"), strict=True):
        x = local[ids, 0]
        half = np.where(x > middle, local[rim[-1], 0] - middle, middle - local[rim[0], 0])
        beside = (np.abs(x - middle) / half).clip(0, 1)
        on_rim, on_edge = (np.interp(beside, STATIONS, getattr(parting, name)) for name in (lip, f"{lip}_outer"))
        aside = np.sign(x - middle) * np.interp(beside, STATIONS, parting.aside)
        moves.append(np.stack([aside, on_rim + _outwards(local[:, :2], lip) * (on_edge - on_rim)], axis=1))
    return moves


def _outwards(points: Floats, lip: str) -> Floats:
    """(n,): where the vertices of the ``lip`` lie between its inner rim (0) and its outer contour (1).

    ``points`` (V, 2): all vertices in face widths, x along the mouth.
    """
    ids = both_lips()[0 if lip == "upper" else 1]
    x, y = points[ids].T
    inner, outer = (points[mesh().contours[f"lips_{ring}_{lip}"]] for ring in ("inner", "outer"))
    rim, edge = (np.interp(x, line[:, 0], line[:, 1]) for line in (inner, outer))
    return ((y - rim) / np.where(np.abs(edge - rim) > _THIN_LIP, edge - rim, np.inf)).clip(0, 1)


def _opening_gain(vertices: Floats, jaw_open: Floats, width: float) -> np.float32:
    """Factor on ``jaw_open`` (V, 3) with which every face opens its mouth equally far in face widths."""
    upper, lower = _rims()
    middle = len(upper) // 2
    across = vertices[upper[-1], :2] - vertices[upper[0], :2]
    down = np.array([-across[1], across[0]]) / np.linalg.norm(across)
    gap = float((jaw_open[lower[middle], :2] - jaw_open[upper[middle], :2]) @ down) / width
    return np.float32(np.clip(OPENING / max(gap, 1e-3), *_GAIN_RANGE))


def _laid_out(local: Floats, to: Rounding) -> Floats:
    """(n, 3) face widths by which the vertices of `both_lips` move when the lips round; a vertex moves as the rim
    directly above or below it does."""
    upper, lower = (local[ids] for ids in _rims())
    middle = float(local[[0, 13, 14, 17], 0].mean())
    half = float(local[291, 0] - local[61, 0]) / 2
    scale = to.width * max(min(half, NEUTRAL_WIDTH / 2) / half, _LEAST_SMILE_SHARE)
    centre = (1 - _UPPER_SHARE) * upper[len(upper) // 2, 1] + _UPPER_SHARE * lower[len(lower) // 2, 1]
    moves: list[Floats] = []
    for ids, rim, share in zip(both_lips(), (upper, lower), (-_HOLE_UPPER_SHARE, 1 - _HOLE_UPPER_SHARE), strict=True):
        x = local[ids, 0]
        above, below = (np.interp(x, line[:, 0], line[:, 1]) for line in (upper, lower))
        bow = (1 - _UPPER_SHARE) * above + _UPPER_SHARE * below - centre
        beside = ((x - middle) / half).clip(-1, 1) ** 2
        there = local[ids].copy()
        there[:, 0] = middle + scale * (x - middle)
        there[:, 1] = centre + np.where(bow < 0, _SMILING_BOW, _HANGING_BOW) * bow
        there[:, 1] += share * to.hole * (1 - beside / 0.7).clip(0)
        thicker = (min(scale**-to.area, _MOST_THICKNESS) - 1) * (
            _MIDDLE_THICKENING + (_CORNER_THICKENING - _MIDDLE_THICKENING) * beside
        )
        there[:, 1] += (1 + thicker) * (local[ids, 1] - np.interp(x, rim[:, 0], rim[:, 1]))
        there[:, 2] += to.forward * (1 - 0.6 * beside)
        moves.append(there - local[ids])
    return np.concatenate(moves)


def closing(vertices: Floats, width: float) -> tuple[Floats, Floats]:
    """Two (V, 21): by which shares of the gaps between the 21 pairs of inner-lip vertices each of the ``vertices`` (V,
    3) of a face ``width`` px wide moves to close the lips; and the same for rounding, where lips that touch thicken."""
    across = vertices[_rims()[0][-1], :2] - vertices[_rims()[0][0], :2]
    across = across / np.linalg.norm(across)
    flat = (vertices[:, :2] @ np.column_stack([across, [-across[1], across[0]]]) / width).astype(np.float32)
    return _closing(flat, _LIP_FOLLOW_SHARE), _closing(flat, _ROUND_LIP_FOLLOW_SHARE)


def _closing(flat: Floats, follows: float) -> Floats:
    one = np.eye(len(_rims()[0]))
    one[[0, -1]] = 0
    moves: list[Floats] = []
    for ids, rim, lip, share in zip(
        both_lips(), _rims(), ("upper", "lower"), (_UPPER_SHARE, _UPPER_SHARE - 1), strict=True
    ):
        near = np.stack([np.interp(flat[ids, 0], flat[rim, 0], pair) for pair in one], axis=1)
        follow = share * near * (1 - (1 - follows) * _outwards(flat, lip))[:, None]
        follow[: len(rim)] = share * one
        moves.append(follow.astype(np.float32))
    return _membrane(np.concatenate(moves))


def _rims() -> tuple[Ints, Ints]:
    contours = mesh().contours
    return contours["lips_inner_upper"], contours["lips_inner_lower"]


@cache
def both_lips() -> tuple[Ints, Ints]:
    """Vertices of the upper and of the lower lip, each beginning with its inner rim."""
    made, found = mesh(), list[Ints]()
    for lip, band in zip(("upper", "lower"), _LIP_POINTS, strict=True):
        inner, outer = (made.contours[f"lips_{ring}_{lip}"] for ring in ("inner", "outer"))
        coarse = np.concatenate([inner, outer, band])
        between = POINTS + np.flatnonzero(np.isin(made.parents, coarse).all(axis=1))
        rest = np.setdiff1d(np.concatenate([outer, band, between]), inner)
        found.append(np.concatenate([inner, rest]).astype(np.int32))
    return found[0], found[1]


@cache
def _skin() -> tuple[Ints, Any, Any]:
    """The vertices that are free to follow, their factorised Laplacian system, and their weights over all vertices."""
    made = mesh()
    edges = np.unique(np.sort(made.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    near = coo_array((np.ones(len(rows)), (rows, columns)), (made.count, made.count)).tocsr()
    near = csr_array(near / near.sum(axis=1)[:, None])
    held = np.concatenate([*both_lips(), *(made.contours[name] for name in _STILL_CONTOURS), np.array(_NOSE_POINTS)])
    free = np.setdiff1d(np.arange(made.count), held).astype(np.int32)
    system = ((1 + _SCREENING) * eye_array(len(free)) - near[free][:, free]).tocsc()
    return free, splu(system), near[free]


def _membrane(moves: Floats) -> Floats:
    """(V, k): the lips move by ``moves`` (n, k) and the skin around them follows; eyes, nose and the face's outline
    stay."""
    free, solver, near = _skin()
    field = np.zeros((mesh().count, moves.shape[1]))
    field[np.concatenate(both_lips())] = moves
    field[free] = solver.solve(near @ field)
    return field.astype(np.float32)
