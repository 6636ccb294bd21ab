"""Part of a motion: only how the head moves, or only what the face does."""

from typing import Literal, get_args

import numpy as np

from animator.control import Control
from animator.face import Mover
from animator.motion.rows import space
from animator.units import Motion, Samples

Part = Literal["all", "pose", "expression"]
PARTS: tuple[Part, ...] = get_args(Part)

_POSE_COLUMNS = (*range(space.HEAD_YAW, space.HEAD_Z + 1), space.TORSO_X, space.TORSO_Y)
_EXPRESSION_COLUMNS = (*range(len(space.ARKIT)), *range(space.GAZE_LEFT_YAW, space.GAZE_RIGHT_PITCH + 1))


def only(motion: Motion, part: Part) -> Motion:
    """(n, 64) -> the same where ``part`` moves, zero elsewhere.

    "pose" is head and torso, "expression" ARKit's shapes and the gaze.
    """
    if part == "all":
        return motion
    kept = np.zeros_like(motion)
    columns = list(_POSE_COLUMNS if part == "pose" else _EXPRESSION_COLUMNS)
    kept[:, columns] = motion[:, columns]
    return kept


class Only:
    """A `Mover` that passes on one part of another one's motion."""

    def __init__(self, mover: Mover, part: Part) -> None:
        self._mover = mover
        self._part: Part = part
        self.delay_frames = mover.delay_frames
        self.interrupt, self.reset = mover.interrupt, mover.reset

    def step(self, audio: Samples, control: Control, other: Samples | None = None) -> Motion:
        """See `Mover.step`."""
        return only(self._mover.step(audio, control, other), self._part)
