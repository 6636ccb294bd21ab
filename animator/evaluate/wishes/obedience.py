"""Does the face follow its control? Each wish is swept alone, drawn, encoded, decoded, and tracked."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.evaluate.tracking.film import Watch
from animator.evaluate.tracking.irises import Gaze
from animator.evaluate.tracking.track import lid_gaps
from animator.evaluate.wishes.sweep import SWEEPS, Sweep, row, shapes
from animator.media.files import MediaError
from animator.motion.rows import space
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.pose import FLIP_Y, align, angles
from animator.portrait.geometry.topology import POINTS, canonical
from animator.portrait.portrait import Portrait
from animator.render.surface.head_pose import pose

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

REST_FRAMES = 3  # frames at rest, in front of all sweeps
LEAST_DIRECTION, LEAST_SHARE = 0.5, 0.1  # cosine and share of a shape's displacement that the tracker must see at least
_SMALL_TURN = np.float32(0.5)  # degrees
MOST_BEND = 0.3  # degrees by which a turn may be held back, for the picture's sake, and still count as wanted
_UP_LOOKS, _DOWN_LOOKS = ([space.INDEX[f"eyeLook{way}{side}"] for side in ("Left", "Right")] for way in ("Up", "Down"))


@dataclass(frozen=True, slots=True)
class Target:
    """What passes: at least this correlation, and at most this mean error (for lids: the gap left when shut)."""

    r: float
    error: float | None = None
    unit: str = ""


TARGETS: dict[str, Target] = {
    "head_yaw": Target(0.95, 1.5, "degrees"),
    "head_pitch": Target(0.95, 1.5, "degrees"),
    "head_roll": Target(0.95, 1.5, "degrees"),
    "head_x": Target(0.95, 0.02, "face widths"),
    "head_y": Target(0.95, 0.02, "face widths"),
    "distance": Target(0.95, 0.02, "of the distance"),
    "gaze_yaw": Target(0.95, 6.0, "degrees"),
    "gaze_pitch": Target(0.95, 6.0, "degrees"),
    "gaze_lids": Target(0.9),
    "eyeBlink": Target(0.9, 0.3, "of the open gap"),
    "jawOpen": Target(0.9),
}


@dataclass(frozen=True, slots=True)
class Score:
    """One sweep: ``gain`` is the slope of what was seen over what was wanted, from ``low`` to ``high``."""

    name: str
    r: float
    error: float | None
    gain: float
    low: float
    high: float
    passed: bool


@dataclass(frozen=True, slots=True)
class ShapeScore:
    """One ARKit shape: the cosine and the size of the displacement that was seen, against the shape's own."""

    name: str
    direction: float
    share: float

    @property
    def passed(self) -> bool:
        """Whether the tracker saw this shape rather than none or another one."""
        return self.direction >= LEAST_DIRECTION and self.share >= LEAST_SHARE


class _Watcher:
    """Reads off a tracked face, against the face at rest, what each sweep is about."""

    def __init__(self, rest: Floats) -> None:
        self._gaze = Gaze(rest)
        self._scale, self._turn, self._place = _where(rest)
        self._lids = lid_gaps(rest[:, :2])

    def __call__(self, image: Image, face: FaceLandmarks) -> dict[str, float]:
        """Values by the names of `SWEEPS`, in their units; ``gaze_lids`` and ``jawOpen`` in the tracker's own."""
        scale, turn, place = _where(face.points)
        yaw, pitch, roll = angles(turn @ self._turn.T)
        width = self._scale * np.linalg.norm(canonical().vertices[234] - canonical().vertices[454])
        x, y = (place - self._place)[:2] / width
        gaze_yaw, gaze_pitch = self._gaze(image, face.points)
        looks = face.blendshapes
        return {
            "head_yaw": yaw,
            "head_pitch": pitch,
            "head_roll": roll,
            "head_x": float(x),
            "head_y": float(y),
            "distance": self._scale / scale,
            "gaze_yaw": gaze_yaw,
            "gaze_pitch": gaze_pitch,
            "gaze_lids": float((looks[_UP_LOOKS] - looks[_DOWN_LOOKS]).mean()),
            "eyeBlink": 1 - float((lid_gaps(face.points[:, :2]) / self._lids).mean()),
            "jawOpen": float(np.linalg.norm(face.points[13] - face.points[14])),
        }


def control(
    portrait: Portrait, watch: Watch | None = None, names: Collection[str] = ()
) -> tuple[list[Score], list[ShapeScore]]:
    """Sweeps of `TARGETS` and of the ARKit shapes on one face. ``names`` are those that are wanted, all when
    there are none.

    Raises `MediaError` when the tracker does not find the face at rest.
    """
    watch = watch or Watch(portrait)
    rests = [face.points for _, face in watch(np.tile(row(), (REST_FRAMES, 1))) if face]
    if not rests:
        raise MediaError("The tracker does not find this face in its own picture, so its motion cannot be measured.")
    see = _Watcher(np.mean(rests, axis=0))
    wanted = [sweep for sweep in SWEEPS if not names or sweep.name in names]
    moved = [sweep for sweep in shapes() if not names or sweep.name in names]
    scores = [
        _score(sweep, [face and see(image, face)[sweep.name] for image, face in watch(sweep.rows)], portrait)
        for sweep in wanted
    ]
    return scores, [_shape_score(sweep, [face for _, face in watch(sweep.rows)], portrait) for sweep in moved]


def _score(sweep: Sweep, seen: list[float | None], portrait: Portrait) -> Score:
    """Turns are judged within what the picture allows (see `animator.render.surface.head_pose`)."""
    found = np.array([np.nan if value is None else value for value in seen])
    if sweep.name == "gaze_pitch":
        found -= found[0]  # lids held open show more of the iris than they do at rest
    used = ~np.isnan(found) & _allowed(sweep, portrait)
    wanted, got = sweep.wanted[used], found[used]
    target = TARGETS[sweep.name]
    if len(wanted) < 3 or np.ptp(got) < 1e-6:
        return Score(sweep.name, 0.0, None, 0.0, 0.0, 0.0, passed=False)
    r, gain = float(np.corrcoef(wanted, got)[0, 1]), float(np.polyfit(wanted, got, 1)[0])
    error = None
    if target.error is not None:
        error = 1 - float(got.max()) if sweep.name == "eyeBlink" else float(np.abs(got - wanted).mean())
    passed = r >= target.r and (error is None or target.error is None or error <= target.error)
    lost = np.isnan(found).any()
    return Score(sweep.name, r, error, gain, float(wanted.min()), float(wanted.max()), passed and not lost)


def _allowed(sweep: Sweep, portrait: Portrait) -> NDArray[np.bool_]:
    """(n,) where the renderer does not hold the head back."""
    if sweep.name not in ("head_yaw", "head_pitch", "head_roll"):
        return np.ones(len(sweep.rows), np.bool_)
    axis = ("head_yaw", "head_pitch", "head_roll").index(sweep.name)
    rows = np.concatenate([[_SMALL_TURN * row(**{sweep.name: 1.0})], sweep.rows])
    flip = np.outer(FLIP_Y, FLIP_Y)
    turned = [angles(pose(each, portrait.pose, portrait.face_width).head * flip)[axis] for each in rows]
    gain = (
        turned[0] / _SMALL_TURN
    )  # that of a small turn: the renderer may turn more than is asked for so that it shows
    return np.abs(np.array(turned[1:]) / gain - sweep.wanted) < MOST_BEND


def _shape_score(sweep: Sweep, faces: list[FaceLandmarks | None], portrait: Portrait) -> ShapeScore:
    """Displacements seen and wanted, where the latter are at least a quarter of their largest; head motion apart."""
    first, full, last = (faces[i] for i in (0, len(faces) // 2, -1))
    if not (first and full and last):
        return ShapeScore(sweep.name, 0.0, 0.0)
    base = np.asarray((first.points + last.points)[:POINTS, :2] / 2, np.float32)
    weights = (sweep.rows[len(faces) // 2] - sweep.rows[0])[: len(space.ARKIT)]
    moved = np.asarray(base + np.tensordot(weights, portrait.shapes[:, :POINTS, :2], 1), np.float32)
    want, got = settled(moved, base) - base, settled(full.points[:POINTS, :2], base) - base
    size = np.linalg.norm(want, axis=1)
    used = size > 0.25 * size.max()
    agree = float((want[used] * got[used]).sum())
    across = float(np.linalg.norm(want[used]) * np.linalg.norm(got[used]))
    return ShapeScore(sweep.name, agree / max(across, 1e-9), agree / float((want[used] ** 2).sum()))


def settled(points: Floats, base: Floats) -> Floats:
    """``points`` (468, 2) shifted, turned and scaled so that the skull's lie on those of ``base``."""
    weights = canonical().weights
    flat = [np.column_stack([each, np.zeros(POINTS)]).astype(np.float32) for each in (points, base)]
    scale, turn, shift = align(flat[0], flat[1], weights)
    return (scale * flat[0] @ turn.T + shift)[:, :2].astype(np.float32)


def _where(points: Floats) -> tuple[float, Floats, Floats]:
    """Scale, rotation and place of the canonical head, y up."""
    return align(canonical().vertices, points[:POINTS] * FLIP_Y, canonical().weights)
