"""The rigid motion of head and torso in a motion row, limited to what the picture supports."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.motion.rows import space

Matrix = NDArray[np.float32]  # (3, 3)
Vector = NDArray[np.float32]  # (3,)

LARGEST_TURN = 24.0  # degrees that a frontal head may turn either way before the picture breaks
LEAST_TURN = 10.0  # degrees that any head may turn, whichever way it looks in the picture
LARGEST_NOD = 18.0
LEAST_NOD = 14.0
# Share of a turn that is seen, since the depth of cheeks and jaw is reduced (see `animator.render.surface.body`).
SEEN_TURN_SHARE = 0.76
SEEN_NOD_SHARE = 0.95
LARGEST_LEAN = 18.0
LARGEST_SHIFT = 0.22  # face widths
LARGEST_DOLLY = 1.3
TORSO_DOLLY_SHARE = 0.6  # the shoulders come along when the head comes closer


@dataclass(frozen=True, slots=True)
class Pose:
    """``head``, rotation about the pivot (x right, y down, z towards the camera); the translations in pixels."""

    head: Matrix
    shift: Vector
    torso: Vector


def pose(motion: NDArray[np.float32], source: tuple[float, float, float], face_width: float) -> Pose:
    """The pose that ``motion`` (64,) asks for, bent softly into the range that ``source`` allows.

    ``source`` is the yaw, pitch and roll in the picture, in degrees. A head that already looks to one side may
    turn on that way, but hardly back: the picture does not show its other cheek.
    """
    yaw, pitch, roll = (float(motion[i]) for i in (space.HEAD_YAW, space.HEAD_PITCH, space.HEAD_ROLL))
    turned = (
        _limited(yaw, *_range(source[0], LARGEST_TURN, LEAST_TURN)) / SEEN_TURN_SHARE,
        _limited(pitch, *_range(source[1], LARGEST_NOD, LEAST_NOD)) / SEEN_NOD_SHARE,
        _limited(roll, LARGEST_LEAN, LARGEST_LEAN),
    )
    x, y = (_limited(float(motion[i]), LARGEST_SHIFT, LARGEST_SHIFT) for i in (space.HEAD_X, space.HEAD_Y))
    z = _limited(float(motion[space.HEAD_Z]), LARGEST_DOLLY, LARGEST_DOLLY)
    torso_x, torso_y = (
        _limited(float(motion[i]), LARGEST_SHIFT, LARGEST_SHIFT) for i in (space.TORSO_X, space.TORSO_Y)
    )
    shift = np.array((x, -y, z), np.float32) * np.float32(face_width)
    torso = np.array((torso_x, -torso_y, TORSO_DOLLY_SHARE * z), np.float32) * np.float32(face_width)
    return Pose(rotation(*turned), shift, torso)


def rotation(yaw: float, pitch: float, roll: float) -> Matrix:
    """Rotation by yaw to the right, pitch up and roll clockwise, in degrees, as the viewer sees them (y down)."""
    (sy, cy), (sp, cp), (sr, cr) = ((math.sin(a), math.cos(a)) for a in map(math.radians, (yaw, pitch, roll)))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)


def _range(source: float, most: float, least: float) -> tuple[float, float]:
    """How far the head may go to the negative and to the positive side of where it is in the picture."""
    back, on = max(least, most - abs(source)), max(least, most - abs(source) / 3)
    return (back, on) if source > 0 else (on, back)


def _limited(value: float, low: float, high: float) -> float:
    """``value`` unchanged up to half the range, then bent so that it never passes ``-low`` or ``high``."""
    if not math.isfinite(value):
        return 0.0
    limit = high if value > 0 else low
    excess = abs(value) - limit / 2
    if excess <= 0:
        return value
    return math.copysign(limit / 2 + limit / 2 * math.tanh(excess / (limit / 2)), value)
