"""Motion rows as the columns that ARKit tools exchange, and back.

Angles have ARKit's axes and are radians: yaw > 0 to the subject's left (the picture's right), pitch > 0 up, roll > 0
anticlockwise in the picture. Eyes turn against the head. Head and torso do not travel in these columns.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.units import Motion

Column = NDArray[np.float64]  # (n,)

LOOK_DEGREES = 30.0  # degrees of gaze that an eyeLook weight of 1 stands for
ROTATIONS = (
    "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll",
    "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
)  # fmt: skip
# The 52 shapes as Live Link Face orders them.
SHAPES = (
    "EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft", "EyeSquintLeft",
    "EyeWideLeft", "EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight",
    "EyeSquintRight", "EyeWideRight", "JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel",
    "MouthPucker", "MouthRight", "MouthLeft", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft",
    "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight",
    "MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight",
    "MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight", "BrowDownLeft",
    "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft",
    "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight", "TongueOut",
)  # fmt: skip
COLUMNS = (*SHAPES, *ROTATIONS)

_SIGNS = {space.HEAD_YAW: 1.0, space.HEAD_PITCH: 1.0, space.HEAD_ROLL: -1.0}
# Per eye: its columns in a motion row, its angles, and the weights that turn it to the picture's right, left, up, down.
_EYES = (
    ((space.GAZE_LEFT_YAW, space.GAZE_LEFT_PITCH), ("LeftEyeYaw", "LeftEyePitch"),
     ("EyeLookOutLeft", "EyeLookInLeft", "EyeLookUpLeft", "EyeLookDownLeft")),
    ((space.GAZE_RIGHT_YAW, space.GAZE_RIGHT_PITCH), ("RightEyeYaw", "RightEyePitch"),
     ("EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight", "EyeLookDownRight")),
)  # fmt: skip
_LOOKS = tuple(name for *_, looks in _EYES for name in looks)


def from_motion(motion: Motion) -> dict[str, Column]:
    """(n, 64) -> all `COLUMNS`. Gaze is given twice, as angles and as ``EyeLook`` weights."""
    rows = motion.astype(np.float64)
    columns = {name: np.zeros(len(rows)) for name in COLUMNS}
    columns |= {name: rows[:, _index(name)] for name in SHAPES if name not in _LOOKS}
    columns |= {name: np.radians(_SIGNS[at] * rows[:, at]) for name, at in zip(ROTATIONS, _SIGNS, strict=False)}
    for (yaw_at, pitch_at), angles, looks in _EYES:
        yaw, pitch = rows[:, yaw_at] - rows[:, space.HEAD_YAW], rows[:, pitch_at] - rows[:, space.HEAD_PITCH]
        columns |= dict(zip(angles, (np.radians(yaw), np.radians(pitch)), strict=True))
        ways = (yaw, -yaw, pitch, -pitch)
        columns |= {name: np.maximum(way, 0) / LOOK_DEGREES for name, way in zip(looks, ways, strict=True)}
    return columns


def to_motion(columns: Mapping[str, Column]) -> Motion:
    """The inverse of `from_motion`; missing columns are zero. Gaze is read from the ``EyeLook`` weights, whose meaning
    no tool doubts, and from the angles only where all those are zero."""
    count = len(next(iter(columns.values())))
    of = {name: np.zeros(count) for name in COLUMNS} | dict(columns)
    rows = np.zeros((count, space.SIZE))
    for name in SHAPES:
        if name not in _LOOKS:
            rows[:, _index(name)] = of[name]
    for name, at in zip(ROTATIONS, _SIGNS, strict=False):
        rows[:, at] = _SIGNS[at] * np.degrees(of[name])
    weighted = any(of[name].any() for name in _LOOKS)
    for (yaw_at, pitch_at), angles, (right, left, up, down) in _EYES:
        yaw, pitch = (np.degrees(of[name]) for name in angles)
        if weighted:
            yaw, pitch = LOOK_DEGREES * (of[right] - of[left]), LOOK_DEGREES * (of[up] - of[down])
        rows[:, yaw_at] = yaw + rows[:, space.HEAD_YAW]
        rows[:, pitch_at] = pitch + rows[:, space.HEAD_PITCH]
    return rows.astype(np.float32)


def _index(name: str) -> int:
    return space.INDEX[name[0].lower() + name[1:]]
