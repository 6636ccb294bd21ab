"""Motion rows for tests of control: one wish at a time, there and back, slowly enough for a tracker."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.control import Control, Emotion
from animator.motion.behaviour.emotions import LOOKS
from animator.motion.rows import space
from animator.motion.rows.space import CAMERA
from animator.render.neutral.parted import PartedLips
from animator.units import FPS

Floats = NDArray[np.float32]

LEVELS = (0.0, 0.5, 1.0, 0.5, 0.0)  # of one ARKit shape


def row(**named: float) -> Floats:
    """(64,) of values by ARKit name or by column name of `animator.motion.rows.space` in small letters.

    An ARKit name without its side stands for both sides; ``gaze_yaw`` and ``gaze_pitch`` for both eyes.
    Raises KeyError for another name.
    """
    made = np.zeros(space.SIZE, np.float32)
    for name, value in named.items():
        for column in _columns(name):
            made[column] = value
    return made


def mood(emotion: Emotion, strength: float = 1.0, gap: float = 0.0) -> Floats:
    """(64,) of a preset as a silent face takes it on; ``gap``, see `parting`."""
    made = np.zeros(space.SIZE, np.float32)
    made[: len(space.ARKIT)] = strength * LOOKS[emotion].face
    bearing = strength * np.array(LOOKS[emotion].bearing, np.float32)
    made[space.HEAD_YAW : space.HEAD_ROLL + 1] = bearing[:3]
    made[space.GAZE_LEFT_YAW : space.GAZE_RIGHT_PITCH + 1] = np.tile(bearing[3:], 2)
    if gap:
        made = PartedLips(gap)(np.tile(made, (3 * FPS, 1)), Control("idle", emotion, strength))[-1]
    return made


def _columns(name: str) -> tuple[int, ...]:
    if name in space.INDEX:
        return (space.INDEX[name],)
    if f"{name}Left" in space.INDEX:
        return space.INDEX[f"{name}Left"], space.INDEX[f"{name}Right"]
    if name in ("gaze_yaw", "gaze_pitch"):
        axis = name.removeprefix("gaze_").upper()
        return getattr(space, f"GAZE_LEFT_{axis}"), getattr(space, f"GAZE_RIGHT_{axis}")
    if name in ("head_yaw", "head_pitch", "head_roll", "head_x", "head_y", "head_z", "torso_x", "torso_y"):
        return (getattr(space, name.upper()),)
    raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Sweep:
    """``rows`` (n, 64) in which only the wish ``name`` changes; ``wanted`` (n,) are its values, in its own unit."""

    name: str
    rows: Floats
    wanted: Floats


def _swing(name: str, low: float, high: float, frames: int = 24) -> Sweep:
    """From 0 to ``high``, to ``low``, and back to 0."""
    path = np.interp(np.arange(frames), [0, frames / 4, 3 * frames / 4, frames], [0, high, low, 0])
    return Sweep(name, np.stack([row(**{name: value}) for value in path]), path.astype(np.float32))


def _held_open(frames: int = 24) -> Sweep:
    """The gaze up and down while the lids are held wide open, as an eye doctor does: else they follow and hide it."""
    swing = _swing("gaze_pitch", -12, 12, frames)
    return Sweep("gaze_pitch", swing.rows + row(eyeWide=1, eyeBlink=-0.4), swing.wanted)


def _lids_along(frames: int = 24) -> Sweep:
    swing = _swing("gaze_pitch", -12, 12, frames)
    return Sweep("gaze_lids", swing.rows, swing.wanted)


def _distance(frames: int = 24) -> Sweep:
    swing = _swing("head_z", -0.12, 0.12, frames)
    rows = np.stack([row(head_z=-CAMERA * change) for change in swing.wanted])
    return Sweep("distance", rows, 1 + swing.wanted)


SWEEPS: tuple[Sweep, ...] = (
    _swing("head_yaw", -12, 12),
    _swing("head_pitch", -12, 12),
    _swing("head_roll", -12, 12),
    _swing("head_x", -0.1, 0.1),
    _swing("head_y", -0.1, 0.1),
    _distance(),
    _swing("gaze_yaw", -20, 20),
    _held_open(),
    _lids_along(),
    _swing("eyeBlink", 0, 1, 20),
    _swing("jawOpen", 0, 0.8, 20),
)


def shapes() -> tuple[Sweep, ...]:
    """Every ARKit shape up to 1 and back, but for the gaze's (`SWEEPS`) and the tongue, which trackers do not see.

    ``mouthClose`` shuts a jaw that stays open.
    """
    names = [name for name in space.ARKIT if not name.startswith(("eyeLook", "tongue"))]
    wanted = np.array(LEVELS, np.float32)
    return tuple(Sweep(name, np.stack([_shape(name, level) for level in LEVELS]), wanted) for name in names)


def _shape(name: str, level: float) -> Floats:
    return row(jawOpen=0.4, mouthClose=0.4 * level) if name == "mouthClose" else row(**{name: level})
