"""Kernels from weights and a pose to vertices on the screen, their normals and their order."""

import numpy as np

from animator.render.kernels.arrays import Floats, Ints
from animator.render.kernels.jit import kernel


@kernel
def blend(points: Floats, shapes: Floats, weights: Floats, out: Floats) -> None:
    """``out`` (V, 3) = ``points`` + sum of ``weights`` (S,) times ``shapes`` (S, V, 3), the zero ones skipped."""
    out[:] = points
    for k in range(weights.shape[0]):
        weight = weights[k]
        if weight != np.float32(0.0):
            for i in range(out.shape[0]):
                out[i, 0] += weight * shapes[k, i, 0]
                out[i, 1] += weight * shapes[k, i, 1]
                out[i, 2] += weight * shapes[k, i, 2]


@kernel
def move(points: Floats, head: Floats, torso: Floats, affine: Floats, sway: Floats) -> None:
    """Carry ``points`` (V, 3) along: by ``affine`` (3, 4) as far as ``head`` (V,), by ``sway`` (3,) as ``torso``."""
    for i in range(points.shape[0]):
        x, y, z, h, t = points[i, 0], points[i, 1], points[i, 2], head[i], torso[i]
        for d in range(3):
            there = affine[d, 0] * x + affine[d, 1] * y + affine[d, 2] * z + affine[d, 3]
            points[i, d] += h * (there - points[i, d]) + t * sway[d]


@kernel
def project(points: Floats, camera: float, centre: Floats, out: Floats) -> None:
    """``out`` (V, 2) px: ``points`` (V, 3) seen from (0, 0, ``camera``), with the optical axis at ``centre`` (2,)."""
    for i in range(points.shape[0]):
        scale = np.float32(camera) / max(np.float32(camera) - points[i, 2], np.float32(0.1 * camera))
        out[i, 0] = points[i, 0] * scale + centre[0]
        out[i, 1] = points[i, 1] * scale + centre[1]


@kernel
def normals(points: Floats, triangles: Ints, out: Floats) -> None:
    """``out`` (N, 3): unit normals towards the camera at the first ``points`` from clockwise ``triangles`` (T, 3)."""
    out[:] = np.float32(0.0)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        length = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + np.float32(1e-6)
        out[i, 0] /= length
        out[i, 1] /= length
        out[i, 2] /= length


@kernel
def far_to_near(points: Floats, triangles: Ints, forward: Floats, out: Ints) -> None:
    """``out`` (T, 3): ``triangles`` (T, 3) sorted by the depth of ``points``, brought ``forward`` (T,) px."""
    keys = np.empty(triangles.shape[0], np.float32)
    for t in range(triangles.shape[0]):
        depth = points[triangles[t, 0], 2] + points[triangles[t, 1], 2] + points[triangles[t, 2], 2]
        keys[t] = depth * np.float32(1 / 3) + forward[t]
    order = np.argsort(keys)
    for t in range(triangles.shape[0]):
        out[t, 0], out[t, 1], out[t, 2] = triangles[order[t], 0], triangles[order[t], 1], triangles[order[t], 2]
