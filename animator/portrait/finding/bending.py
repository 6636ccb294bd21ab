"""Makes landmarks pass through points that a person gave, by warping those found, or else the canonical face,
smoothly."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares

from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.geometry.pose import exact_rotation
from animator.portrait.geometry.topology import POINTS, RINGS, canonical
from animator.portrait.picture.named import NAMED_POINTS, Landmarks, Points, invalid
from animator.portrait.picture.reading import Picture

Floats = NDArray[np.float32]
Named = dict[str, NDArray[np.float64]]
Shifts = dict[int, NDArray[np.float64]]  # of landmarks, by their numbers

_REGIONS = (("left_eye", "left_iris"), ("right_eye", "right_iris"), ("mouth", "upper_lip", "lower_lip"),
            ("chin", "forehead", "left_side", "right_side"))  # fmt: skip
_IRISES = {"left": slice(473, 478), "right": slice(468, 473)}
_EYE_CORNERS = {"left": (362, 263), "right": (33, 133)}
_LID_POINTS = {"left": (362, 263, 386, 374), "right": (33, 133, 159, 145)}
_UPPER_LIP, _LOWER_LIP = (0, 13), (14, 17)  # the named points in the middle of each lip
_LAYOUT_HEIGHT = 0.6  # height of the face of `layout`, as a share of the picture's shorter side
_FLAT_LID = 0.02  # height of a lid, as a share of the eye's width, below which it has no curve to keep
_IRIS_SIZE = 0.2  # radius, as a share of the distance between an eye's corners (11.7 of 30 mm across)
_NEEDED_POINTS = "an iris or both corners of each eye, both corners of the mouth, and the chin"
_LEAN_SPREAD = 12.0  # degrees, prior standard deviation of a face's yaw and pitch
_POINT_SPREAD = 0.06  # of the face's size, standard deviation of a person's points from the canonical face
MEANT_DISTANCE = 0.5  # in distances of the eyes: landmarks farther from the given points belong to another face


def bend(points: Floats, given: Points) -> Floats:
    """Landmarks (478, 3) moved in x and y so that those named in ``given`` (same px) lie there; the rest follows.

    A thin-plate spline interpolates the displacements. Regions without given points stay. Lips part without tearing,
    since there is one spline for what is above the mouth's line and one for what is below; irises move with their lids
    unless given.
    """
    shifts = {name: np.asarray(place, np.float64) - points[NAMED_POINTS[name], :2] for name, place in given.items()}
    named = _anchors(shifts) | {name: shift for name, shift in shifts.items() if not name.endswith("_iris")}
    controls = {NAMED_POINTS[name]: shift for name, shift in named.items()}
    lids = _lids(points, spread(points, controls))
    moved = spread(points, lids | controls)
    _close_lips(moved, points)
    for side, ring in _IRISES.items():
        eye = list(_LID_POINTS[side])
        follow = (moved[eye, :2] - points[eye, :2]).mean(axis=0)
        _move_iris(moved, points, side, ring, np.asarray(shifts.get(f"{side}_iris", follow), np.float32))
    return moved


def _close_lips(moved: Floats, before: Floats) -> None:
    """Where the middle of the lips was brought together, closes them by the same share along their whole length, in
    place."""
    upper, lower = (list(RINGS[f"lips_inner_{lip}"]) for lip in ("upper", "lower"))
    gaps, now = before[lower] - before[upper], moved[lower] - moved[upper]
    middle = upper.index(NAMED_POINTS["upper_lip_bottom"])
    share = float(np.linalg.norm(now[middle, :2])) / max(float(np.linalg.norm(gaps[middle, :2])), 1e-3)
    if share < 1:
        off = (now - share * gaps) / 2
        off[middle, :2] = 0
        moved[upper] += off
        moved[lower] -= off


def _anchors(shifts: Named) -> Named:
    """Zero displacements for regions without given points, and the iris's for lids of which only the iris is given."""
    anchors: Named = {}
    for region in _REGIONS:
        members = [name for name in NAMED_POINTS if name.startswith(region)]
        known = [name for name in members if name in shifts]
        if not known:
            anchors |= {name: np.zeros(2) for name in members}
        elif known[0].endswith("_iris") and len(known) == 1:
            anchors |= {name: shifts[known[0]] for name in members}
    return {name: shift for name, shift in anchors.items() if not name.endswith("_iris")}


def spread(points: Floats, shifts: Shifts) -> Floats:
    """(478, 3): ``points`` displaced by ``shifts``; the skin between them follows."""
    moved = points.copy()
    share = _below_mouth()[:, None]
    for part, left_out in ((1 - share, _LOWER_LIP), (share, _UPPER_LIP)):
        known = {number: shift for number, shift in shifts.items() if number not in left_out}
        values = np.array(list(known.values()))
        degree = 1 if len(known) > 3 else 0
        spline = RBFInterpolator(
            points[list(known), :2], values, kernel="thin_plate_spline", degree=degree, smoothing=1e-6
        )
        moved[:POINTS, :2] += (part * spline(points[:POINTS, :2])).astype(np.float32)
    return moved


def _lids(before: Floats, after: Floats) -> Shifts:
    """Displacements of the rims of the eyes that keep the curve of each lid, scaled in height and width to its named
    points."""
    shifts: Shifts = {}
    for side, (first, last) in _EYE_CORNERS.items():
        for lid, end in (("upper", "top"), ("lower", "bottom")):
            ring, middle = list(RINGS[f"eye_{side}_{lid}"]), NAMED_POINTS[f"{side}_eye_{end}"]
            along, high = _in_frame(before, first, last)
            now, height = _in_frame(after, first, last)
            if abs(high[middle]) < _FLAT_LID:
                continue
            x = along[ring] + (now[middle] - along[middle]) * 4 * along[ring] * (1 - along[ring])
            y = high[ring] / high[middle] * height[middle]
            corner, across = after[first, :2], after[last, :2] - after[first, :2]
            placed = corner + x[:, None] * across + y[:, None] * np.array([-across[1], across[0]])
            shifts |= {n: place - before[n, :2] for n, place in zip(ring, placed.astype(np.float64), strict=True)}
    return shifts


def _in_frame(points: Floats, first: int, last: int) -> tuple[Floats, Floats]:
    """Where ``points`` lie along the line from ``first`` (0) to ``last`` (1), and their height above it relative to its
    length."""
    across, off = points[last, :2] - points[first, :2], points[:, :2] - points[first, :2]
    length = float(across @ across)
    high = off @ np.array([-across[1], across[0]], np.float32)
    return (off @ across / length).astype(np.float32), (high / length).astype(np.float32)


def _below_mouth() -> Floats:
    """(468,): 1 for points that move with the lower lip, 0 with the upper one; in between beside the corners of the
    mouth."""
    face = canonical().vertices
    corner = (face[78] * np.array([-1, 1, 1], np.float32) + face[308]) / 2
    x, y = np.abs(face[:, 0]) - corner[0], face[:, 1] - corner[1]
    share = np.clip(0.5 - np.arctan2(y, x) / np.pi, 0, 1)
    share[list(_UPPER_LIP)] = 0
    share[list(_LOWER_LIP)] = 1
    return share.astype(np.float32)


def _move_iris(moved: Floats, before: Floats, side: str, ring: slice, shift: Floats) -> None:
    """Moves the iris by ``shift`` and scales it with its eye, in place."""
    first, last = _EYE_CORNERS[side]
    grown = np.linalg.norm(moved[first, :2] - moved[last, :2]) / np.linalg.norm(before[first, :2] - before[last, :2])
    centre = before[ring.start, :2]
    moved[ring, :2] = (before[ring, :2] - centre) * grown + centre + shift


def place_face(picture: Picture, given: Points, landmarker: Landmarker) -> FaceLandmarks:
    """A face through the points that a person gave where none was found.

    The networks are run once more at that place; if they still see nothing, the canonical face is posed by least
    squares (a weak perspective camera, with a prior that people look ahead). Raises `PortraitError` (invalid_landmarks)
    if there are too few points.
    """
    posed = _pose_canonical(_enough(given))
    outline: Points = {
        name: tuple(posed[NAMED_POINTS[name], :2].tolist()) for name in ("forehead", "left_side", "right_side")
    }
    guess = FaceLandmarks(bend(posed, outline | given), np.zeros(52, np.float32), 0.0)
    seen = landmarker.track(picture, guess)
    if seen and distance(seen.points, given) < MEANT_DISTANCE / 2:
        return replace(seen, points=bend(seen.points, given))
    return replace(guess, blendshapes=landmarker.blendshapes(guess.points))


def layout(width: int, height: int) -> Landmarks:
    """A face in the middle of a picture, its lips shut, for a person to move to its place."""
    face = _with_irises()[:, :2] * np.array([1, -1], np.float32)
    low, high = face.min(axis=0), face.max(axis=0)
    placed = (face - (low + high) / 2) * (_LAYOUT_HEIGHT * min(width, height) / float(high[1] - low[1]))
    middle = np.array([width / 2, height / 2], np.float32)
    points: Points = {name: tuple((placed[number] + middle).tolist()) for name, number in NAMED_POINTS.items()}
    return Landmarks(points, width, height)


def distance(points: Floats, given: Points) -> float:
    """Mean distance of landmarks from ``given`` points, in distances of the eyes; 0 without given points."""
    if not given:
        return 0.0
    numbers = [NAMED_POINTS[name] for name in given]
    apart = float(np.linalg.norm(points[468, :2] - points[473, :2]))
    return float(np.linalg.norm(points[numbers, :2] - np.array(list(given.values())), axis=1).mean()) / max(apart, 1e-3)


def _enough(given: Points) -> Points:
    """``given``, with the middle of an eye's corners in place of a missing iris."""
    whole = dict(given)
    for side in ("left", "right"):
        corners = [given[name] for name in (f"{side}_eye_outer", f"{side}_eye_inner") if name in given]
        if f"{side}_iris" not in whole and len(corners) == 2:
            x, y = np.mean(corners, axis=0)
            whole[f"{side}_iris"] = (float(x), float(y))
    if not {"left_iris", "right_iris", "mouth_left", "mouth_right", "chin"} <= set(whole):
        raise invalid(
            f"No face was found in the picture; to make one from points alone, give at least {_NEEDED_POINTS}."
        )
    return whole


def _pose_canonical(given: Points) -> Floats:
    """(478, 3) the canonical face, posed to match the ``given`` points, in px."""
    face = _with_irises()
    numbers = [NAMED_POINTS[name] for name in given]
    target = np.array(list(given.values()))
    size = float(np.ptp(face[numbers, :2], axis=0).max())
    eyes = target[list(given).index("left_iris")] - target[list(given).index("right_iris")]
    scale = float(np.hypot(*eyes)) / float(np.linalg.norm(face[473] - face[468]))
    roll = float(np.degrees(np.arctan2(eyes[1], eyes[0])))

    def placed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        yaw, pitch, turn, zoom, x, y = values
        turned = face @ exact_rotation(yaw, pitch, turn).T * np.array([1, -1, 1])
        return turned * np.exp(zoom) * scale + np.array([x, y, 0])

    def error(values: NDArray[np.float64]) -> NDArray[np.float64]:
        off = (placed(values)[numbers, :2] - target) / (_POINT_SPREAD * size * scale)
        return np.concatenate([off.ravel(), values[:2] / _LEAN_SPREAD])

    start = np.array([0, 0, roll, 0, *target.mean(axis=0)])
    return placed(least_squares(error, start, x_scale=[10, 10, 10, 0.1, scale, scale]).x).astype(np.float32)


def _with_irises() -> Floats:
    """(478, 3) the canonical face in cm, with irises between the lids, its lips shut."""
    face = np.zeros((478, 3), np.float32)
    face[:POINTS] = canonical().vertices
    lips = [list(RINGS[f"lips_inner_{lip}"]) for lip in ("upper", "lower")]
    face[lips] = face[lips].mean(axis=0)
    around = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]], np.float32)
    for side, ring in _IRISES.items():
        first, last = _EYE_CORNERS[side]
        radius = _IRIS_SIZE * np.linalg.norm(face[first] - face[last])
        face[ring] = face[list(_LID_POINTS[side])].mean(axis=0) + radius * around
    return face
