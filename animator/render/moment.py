"""`Moment`: one motion row worked out for one portrait, before anything is drawn."""

from dataclasses import dataclass

import numpy as np

from animator.motion.rows import space
from animator.motion.rows.filters import soft_limit
from animator.portrait.shaping.brows import RAISING_SHAPES
from animator.portrait.shaping.lip_shapes import ROUNDINGS
from animator.render.eyes import eyeball
from animator.render.kernels.arrays import Floats, f32
from animator.render.layers import Layers
from animator.render.mouth import meeting, tongue
from animator.render.surface import deform
from animator.render.surface.head_pose import Pose, pose
from animator.render.surface.sharp import step

_ROUND_LIP_SHADE, _SHADE_GAIN = 0.8, 1.2  # what they keep off; over their roundness, when they do so
_NARROWING = {space.INDEX[name]: 1 - rounding.width for name, rounding in ROUNDINGS.items()}
_MOST_NARROWING = 0.34  # of a mouth's width, which lips that round lose at most, however much two shapes add up to
_BLINKS = tuple(space.INDEX[f"eyeBlink{side}"] for side in ("Left", "Right"))
_WIDES = tuple(space.INDEX[f"eyeWide{side}"] for side in ("Left", "Right"))
_EYE_WEIGHTS = tuple(  # the weights of shapes that move each eye's lids
    tuple(at for name, at in space.INDEX.items() if name.startswith("eye") and name.endswith(side))
    for side in ("Left", "Right")
)
_RAISING = [space.INDEX[name] for name in RAISING_SHAPES]
_OUTERMOST_POINTS = [10, 152, 234, 454]  # points of a face: forehead, chin, cheeks
_GAZE_YAWS = (space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW)


@dataclass(frozen=True, slots=True)
class Sight:
    """One eye."""

    moved: Floats  # (2,) px that its iris moved in the socket
    wide: float  # how far the lids are opened beyond the picture's
    shut: float  # how far they are shut
    to_picture: Floats  # (2, 3) map from pixels of the frame to those of the picture, near the eye


@dataclass(frozen=True, slots=True)
class Moment:
    """What a motion row amounts to for one portrait."""

    weights: Floats  # (52,) of the shapes, with lids that go along with the eyes
    skull: Floats  # (3, 4) affine motion of what is rigid to the skull
    torso: Floats  # (3,) px
    eyes: tuple[Sight, ...]  # left, right
    jaw: Floats  # (3, 4) displacement of the lower jaw
    tip: float  # how far the tip of the tongue is raised
    to_picture: Floats  # (2, 3) as in `Sight`, at the teeth
    lit: float  # share of light that gets past the lips
    sharp: int  # see `animator.render.surface.sharp.step`


def moment(made: Layers, motion: Floats) -> Moment:
    """What the row ``motion`` (64,) says about a portrait. Raises ValueError for another shape."""
    check(motion)
    portrait = made.portrait
    motion = np.nan_to_num(motion, posinf=0, neginf=0).astype(np.float32)
    where = pose(motion, portrait.pose, portrait.face_width)
    turned = [
        eyeball.turn(eye, (float(motion[at]), float(motion[at + 1])), where.head)
        for eye, at in zip(made.eyes, _GAZE_YAWS, strict=True)
    ]
    for side in (side for side, hidden in enumerate(portrait.eyes_hidden) if hidden):
        turned[side] = np.zeros(2, np.float32)
        motion[list(_EYE_WEIGHTS[side])] = 0
    weights = _weights(made, motion, turned)
    skull = _skull(made, where)
    seen = tuple(
        Sight(moved, float(weights[wide]), float(weights[blink]), _to_picture(made, skull, eye.anchor))
        for eye, moved, wide, blink in zip(made.eyes, turned, _WIDES, _BLINKS, strict=True)
    )
    jaw = np.tensordot(weights, portrait.jaw, 1).astype(np.float32)
    lit = 1 - _ROUND_LIP_SHADE * min(_SHADE_GAIN * meeting.roundness(made.lips, weights), 1.0) ** 1.5
    teeth = _to_picture(made, skull, made.mouth.anchor)
    tip = tongue.raised(weights)
    return Moment(
        weights, skull, where.torso, seen, jaw, tip, teeth, lit, step(skull, made.body.points[_OUTERMOST_POINTS])
    )


def check(motion: Floats) -> None:
    """Raises ValueError unless ``motion`` has the shape (64,)."""
    if motion.shape != (space.SIZE,):
        raise ValueError(f"a motion row has the shape ({space.SIZE},), not {motion.shape}")


def _weights(made: Layers, motion: Floats, turned: list[Floats]) -> Floats:
    weights = motion[: len(space.ARKIT)].clip(-0.5, 1.5)
    for eye, moved, blink in zip(made.eyes, turned, _BLINKS, strict=True):
        weights[blink] = eyeball.lid(eye, moved, float(weights[blink]))
    weights[list(_NARROWING)] *= _rounded(weights)
    if not made.brows:  # which stretch nothing
        weights[_RAISING] *= _raised(float(weights[_RAISING].max()), made.portrait.brow_rise)
    return weights


def _raised(asked: float, most: float) -> np.float32:
    """The share of ``asked``, a weight of raised brows, by which brows that rise up to ``most`` do."""
    return np.float32(soft_limit(asked, most) / asked if asked > 0 else 1)


def _rounded(weights: Floats) -> np.float32:
    """The share of what the ARKit ``weights`` (52,) round lips by that lips can do."""
    asked = sum(share * max(float(weights[at]), 0.0) for at, share in _NARROWING.items())
    return np.float32(soft_limit(asked, _MOST_NARROWING) / asked if asked > 0 else 1)


def _skull(made: Layers, where: Pose) -> Floats:
    pivot = made.body.pivot
    offset = pivot + where.shift - where.head @ pivot
    return np.column_stack([where.head, offset]).astype(np.float32)


def _to_picture(made: Layers, skull: Floats, anchor: Floats) -> Floats:
    """(2, 3) map from pixels of the frame to those of the picture, for what lies near ``anchor`` in the skull."""
    body = made.body
    near = body.camera / (body.camera - anchor[2])
    points = anchor + f32([[0, 0, 0], [10, 0, 0], [0, 10, 0]])
    moved = np.ascontiguousarray(points @ skull[:, :3].T + skull[:, 3])
    seen = np.empty((3, 2), np.float32)
    deform.project(moved, body.camera, made.centre, seen)
    forward = np.column_stack([(seen[1:] - seen[0]).T / (10 * near), seen[0]])
    back = np.linalg.inv(forward[:, :2])
    home = anchor[:2] * near + body.centre
    return np.column_stack([back, home - back @ forward[:, 2]]).astype(np.float32)
