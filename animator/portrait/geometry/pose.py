"""Head rotations: angles have the signs of `animator.control`; matrices have the axes x right, y up, z towards the
viewer."""

import numpy as np
from numpy.typing import NDArray

from animator.portrait.geometry.topology import POINTS, canonical

Floats = NDArray[np.float32]

FLIP_Y = np.array([1, -1, 1], np.float32)  # between the axes of pictures (y down) and of heads (y up)


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """(3, 3): rotates a head that faces the viewer by ``pitch``, then ``yaw``, then ``roll``, in degrees."""
    return exact_rotation(yaw, pitch, roll).astype(np.float32)


def exact_rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """`rotation` in double precision, for numerical derivatives."""
    a, b, c = np.radians([-pitch, yaw, -roll])
    x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return np.array(z) @ np.array(y) @ np.array(x)


def angles(matrix: Floats) -> tuple[float, float, float]:
    """The inverse of `rotation`: (yaw, pitch, roll) in degrees."""
    a = np.arctan2(matrix[2, 1], matrix[2, 2])
    b = np.arctan2(-matrix[2, 0], np.hypot(matrix[2, 1], matrix[2, 2]))
    c = np.arctan2(matrix[1, 0], matrix[0, 0])
    yaw, pitch, roll = np.degrees([b, -a, -c])
    return float(yaw), float(pitch), float(roll)


def align(source: Floats, target: Floats, weights: Floats) -> tuple[float, Floats, Floats]:
    """Scale, rotation (3, 3) and translation (3,) that map ``source`` (n, 3) onto ``target`` (n, 3) (Umeyama 1991)."""
    w = (weights / weights.sum())[:, None].astype(np.float64)
    source_mean, target_mean = (w * source).sum(axis=0), (w * target).sum(axis=0)
    a, b = source - source_mean, target - target_mean
    u, s, vt = np.linalg.svd((w * b).T @ a)
    sign = np.array([1.0, 1.0, np.linalg.det(u @ vt)])
    turn = (u * sign) @ vt
    scale = float((s * sign).sum() / (w * a * a).sum())
    return scale, turn.astype(np.float32), (target_mean - scale * turn @ source_mean).astype(np.float32)


def pose(points: Floats) -> tuple[float, float, float]:
    """Head pose (yaw, pitch, roll) in degrees from landmarks (>= 468, 3) in px (y down, z towards the camera)."""
    face = canonical()
    _, turn, _ = align(face.vertices, points[:POINTS] * FLIP_Y, face.weights)
    return angles(turn)
