"""Estimates, without drawing, what a tracker would see of motion rows: figures of motion take milliseconds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from animator.evaluate.measure import Figures, measure, seam_roughness
from animator.evaluate.tracking.lip_figures import Phoneme
from animator.evaluate.tracking.track import Track
from animator.motion.rows import space
from animator.motion.rows.space import INDEX
from animator.units import FPS, Motion, Samples

Floats = NDArray[np.float32]

# Fitted to tracked videos of five people, photographs and a painting (correlation .85 to .97 with what was tracked).
# Distances of the eyes per unit of weight; a name without a side stands for the mean of both.
_OPENING_GAINS = {
    "jawOpen": 0.37, "mouthClose": -0.37, "mouthLowerDown": 0.06, "mouthUpperUp": 0.04, "mouthFunnel": 0.03,
    "mouthPucker": -0.12, "mouthRollLower": -0.15,
}  # fmt: skip
_WIDTH_GAINS = {
    "mouthSmile": 0.1, "mouthStretch": 0.12, "mouthDimple": 0.04, "mouthFunnel": -0.22, "mouthPucker": -0.32,
}  # fmt: skip
_BROW_GAINS = {"browInnerUp": 0.06, "browOuterUp": 0.16, "browDown": -0.13, "eyeSquint": -0.05}
_OPEN_LID_GAP, _CLOSING_SEEN_SHARE = 0.34, 0.65  # lid gap over eye width; the share of it that a tracker sees closing
_REST_WIDTH, _REST_BROW = 0.95, 0.45
_LIFT_GAINS = {space.HEAD_PITCH: 0.019, space.HEAD_Y: 2.6, space.HEAD_Z: 0.85}
# Distance of the eyes' centres over that of their outer corners (.66 to .70 in 28 clips of GRID).
_EYE_CENTRE_DISTANCE = 0.68
_CLOSED_RATIO = 0.9  # mouthClose over the jaw, from which the lips touch


def motion_figures(
    rows: Motion, audio: Samples | None, phonemes: Sequence[Phoneme] = (), window: int | None = None
) -> Figures:
    """The figures of `animator.evaluate.measure.measure` for motion (n, 64) at 25 fps that says ``audio``.

    ``audio`` (m,) mono at 24 kHz belongs to the rows without delay. ``phonemes``: what is said when, to count closed
    bilabials. ``window``: frames that the generator makes at a time, to compare the borders with what lies between.
    """
    track = observed(rows)
    figures = measure(track, audio, phonemes)
    figures["opening_p95"] = float(np.percentile(track.opening, 95)) * _EYE_CENTRE_DISTANCE
    if window:
        figures["seam_roughness"] = seam_roughness(rows, window)
    return figures


def observed(rows: Motion) -> Track:
    """(n, 64) motion -> the track of an average face with that motion."""
    jaw, close = rows[:, INDEX["jawOpen"]], rows[:, INDEX["mouthClose"]]
    opening = np.where(close > _CLOSED_RATIO * np.maximum(jaw, 1e-6), 0.0, np.maximum(_sum(rows, _OPENING_GAINS), 0.0))
    sides = [_REST_BROW + _sum(rows, _BROW_GAINS, side) for side in ("Left", "Right")]
    lids = _OPEN_LID_GAP * (
        1 - _CLOSING_SEEN_SHARE * rows[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].clip(0, 1)
    )
    lift = sum((gain * rows[:, column] for column, gain in _LIFT_GAINS.items()), np.zeros(len(rows), np.float32))
    head = rows[:, space.HEAD_YAW : space.HEAD_ROLL + 1]
    parts = (opening, _REST_WIDTH + _sum(rows, _WIDTH_GAINS), lids, np.stack(sides, 1), head, lift)
    return Track(float(FPS), *(part.astype(np.float32) for part in parts))


def _sum(rows: Motion, gains: dict[str, float], side: str = "") -> Floats:
    """(n,): the sum of weights times ``gains``; of names that have sides, ``side``, or the mean of both."""
    total = np.zeros(len(rows), np.float32)
    for name, gain in gains.items():
        names = [name] if name in INDEX else [name + side] if side else [name + "Left", name + "Right"]
        total += gain * rows[:, [INDEX[each] for each in names]].mean(axis=1)
    return total
