"""Landmarks of a tracked face -> channels of motion, solved frame by frame with the blendshapes of a fitted head.

The neutral face is the median of the calmest frames of the clip. Each frame is aligned to it by its rigid points
(Umeyama 1991); non-negative ARKit weights explain the remaining displacement (ridge least squares).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from animator.evaluate.tracking.solving import solver
from animator.evaluate.tracking.track import lid_gaps
from animator.motion.behaviour.channels import CHANNELS, to_upper
from animator.motion.rows.space import ARKIT, CAMERA, INDEX
from animator.motion.voice.mouth_net import from_weights
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.pose import FLIP_Y, align, angles, pose
from animator.portrait.geometry.topology import POINTS, canonical
from animator.portrait.shaping.head_fit import fit
from animator.portrait.shaping.lip_shapes import fit_mouth

Floats = NDArray[np.float32]

CALM_FRAMES = 5  # frames that make the neutral face
SHUT_GAP = 0.25  # share of the open gap between the lids below which they are closed
BLINK_LIMIT = 0.35  # share of a blink above which the iris is hidden
PIVOT_HEIGHT = 0.22  # face heights over the chin: what moves least when a head turns
_MOUTH_SHAPES = [name for name in ARKIT if name.startswith(("mouth", "jaw"))]
_BROW_SHAPES = [name for name in ARKIT if name.startswith(("brow", "cheekSquint", "eyeSquint", "eyeWide", "noseSneer"))]
_SOLVED_SHAPES = [INDEX[name] for name in (*_MOUTH_SHAPES, *_BROW_SHAPES)]
KNOWN_COLUMNS = np.array(
    [name.startswith("speech.") or not name.startswith(("mouth", "jaw", "eyeBlink")) for name in CHANNELS], np.bool_
)


@dataclass(frozen=True, slots=True)
class Rest:
    """The neutral face of a clip: ``points`` (468, 3) px, y up; ``shapes`` (52, 468, 3) px at weight 1; ``width`` px;
    ``pivot`` (3,) px, what moves least when the head turns; ``lids``: gap over eye width."""

    points: Floats
    shapes: Floats
    width: float
    pivot: Floats
    lids: float


def channels(faces: Sequence[FaceLandmarks], looks: Floats) -> Floats:
    """The faces of consecutive frames at 25 fps, with their gaze relative to the head, ``looks`` (frames, 2) in degrees
    (yaw, pitch) -> (frames, len(CHANNELS)) float32. Head and gaze are relative to their medians over the clip; the
    mouth channels are the means of both sides.
    """
    rest = rest_of(faces)
    solve = solver(rest.shapes[_SOLVED_SHAPES], rest.width)
    weights, heads = np.zeros((len(faces), len(ARKIT)), np.float32), np.zeros((len(faces), 6))
    blinks = np.zeros(len(faces), np.float32)
    for i, face in enumerate(faces):
        points = face.points[:POINTS] * FLIP_Y
        scale, turn, shift = align(rest.points, points, canonical().weights)
        weights[i, _SOLVED_SHAPES] = solve(((points - shift) @ turn / scale - rest.points).astype(np.float32))
        moved = (scale * rest.pivot @ turn.T + shift - rest.pivot) / rest.width
        heads[i] = *angles(turn), moved[0], moved[1], CAMERA * (1 - 1 / scale)
        blinks[i] = np.clip((1 - float(lid_gaps(face.points).mean()) / rest.lids) / (1 - SHUT_GAP), 0, 1)
    heads = np.asarray(savgol_filter(heads - np.median(heads, axis=0), 7, 2, axis=0), np.float32)
    gaze = _bridged(looks - np.median(looks, axis=0), blinks) + heads[:, :2]
    mouth = np.stack([from_weights(row) for row in weights])
    return np.column_stack([mouth, to_upper(weights), blinks, heads, gaze]).astype(np.float32)


def _bridged(looks: Floats, blinks: Floats) -> Floats:
    """The gaze, interpolated over the frames in which the eyes are closing, closed or opening."""
    shut = np.flatnonzero(blinks > BLINK_LIMIT)
    seen = np.setdiff1d(np.arange(len(looks)), np.concatenate([shut - 1, shut, shut + 1]))
    if not len(seen):
        return np.zeros_like(looks)
    return np.stack([np.interp(np.arange(len(looks)), seen, axis[seen]) for axis in looks.T], axis=1).astype(np.float32)


def rest_of(faces: Sequence[FaceLandmarks]) -> Rest:
    """The neutral face of consecutive ``faces``: the median of the `CALM_FRAMES` calmest, and the head fitted to it."""
    columns = [INDEX[name] for name in (*_MOUTH_SHAPES, "eyeBlinkLeft", "eyeBlinkRight", "browInnerUp")]
    turned = [sum(map(abs, pose(face.points))) / 30 for face in faces]
    calm = np.argsort([face.blendshapes[columns].sum() + turn for face, turn in zip(faces, turned, strict=True)])[
        :CALM_FRAMES
    ]
    first = faces[calm[0]].points
    laid = [first]
    for i in calm[1:]:
        scale, turn, shift = align(faces[i].points[:POINTS], first[:POINTS], canonical().weights)
        laid.append((scale * faces[i].points @ turn.T + shift).astype(np.float32))
    points = np.median(laid, axis=0).astype(np.float32)
    width = float(np.linalg.norm(points[234] - points[454]))
    head = fit(points, faces[calm[0]].blendshapes)
    shapes, _ = fit_mouth(head.vertices, (head.shapes, head.jaw, head.left), pose(points), width)
    flat = points[:POINTS] * FLIP_Y
    pivot = flat[152] + PIVOT_HEIGHT * (flat[10] - flat[152])
    pivot[2] = head.ear_depth
    gaps = [float(lid_gaps(face.points).mean()) for face in faces]
    return Rest(flat, shapes[:, :POINTS] * FLIP_Y, width, pivot, float(np.percentile(gaps, 80)))
