"""Fits a head to the landmarks of a picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.motion.space import INDEX
from animator.portrait.topology import POINTS, RINGS, mesh

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FittedHead:
    """See the fields of the same names in `animator.portrait.portrait.Portrait`."""

    vertices: Floats
    shapes: Floats
    jaw: Floats
    eyeballs: Floats
    teeth: Floats
    ear_depth: float


def subdivide(points: Floats) -> Floats:
    """Values at the 468 points -> values at all vertices of the mesh."""
    return np.concatenate([points[:POINTS], points[mesh().parents].mean(axis=1)]).astype(np.float32)


def fit(picture: NDArray[np.uint8], points: Floats) -> FittedHead:
    points = points[:POINTS]
    shapes = np.zeros((52, POINTS, 3), np.float32)
    height = np.linalg.norm(points[10] - points[152])
    down = (points[152] - points[10]) / height
    along = (points - (points[13] + points[14]) / 2) @ down / height
    low = np.isin(np.arange(POINTS), RINGS["lips_inner_lower"] + RINGS["lips_outer_lower"]) & ~np.isin(
        np.arange(POINTS), (61, 291, 78, 308)
    )
    weight = np.clip(along / 0.12, 0, 1)
    weight[low] = 1
    shapes[INDEX["jawOpen"]] = weight[:, None] * down * height * 0.16
    for side in ("left", "right"):
        up, lo = list(RINGS[f"eye_{side}_upper"]), list(RINGS[f"eye_{side}_lower"])
        shapes[INDEX["eyeBlink" + side.title()], up] = (points[lo] - points[up]) * 1.03
        corner = 291 if side == "left" else 61
        near = np.exp(-((np.linalg.norm(points - points[corner], axis=1) / (0.12 * height)) ** 2))
        out = points[corner] - points[0]
        shapes[INDEX["mouthSmile" + side.title()]] = (
            near[:, None] * (out / np.linalg.norm(out) * 0.05 - down * 0.05) * height
        )
    jaw = np.zeros((52, 3, 4), np.float32)
    jaw[INDEX["jawOpen"], :, 3] = down * height * 0.16
    eyeballs = []
    for side in ("left", "right"):
        ring = points[list(RINGS[f"eye_{side}_upper"] + RINGS[f"eye_{side}_lower"])]
        radius = np.linalg.norm(ring[0] - ring[8]) * 0.42
        eyeballs.append([*(ring.mean(axis=0) - [0, 0, radius]), radius])
    return FittedHead(
        subdivide(points),
        np.stack([subdivide(shape) for shape in shapes]),
        jaw,
        np.array(eyeballs, np.float32),
        (points[13] + down * 0.02 * height).astype(np.float32),
        float((points[234, 2] + points[454, 2]) / 2),
    )
