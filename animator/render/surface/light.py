"""Relighting by ratio: when the head turns, its brightness changes as the picture's own light says.

The face's luma is fitted once as a + b . n over its normals n; a vertex whose normal changes is multiplied by the ratio
of the new value to the old one. So a face at rest keeps the picture's light untouched.
"""

from typing import NamedTuple

import cv2
import numpy as np

from animator.motion.rows.filters import smoothstep
from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats
from animator.render.kernels.jit import kernel
from animator.render.surface.body import Body
from animator.render.surface.deform import normals

STRENGTH = 0.8
DARKEST_RATIO, BRIGHTEST_RATIO = 0.6, 1.35
_RIM_REACH = 0.12  # face widths over which the effect sets in from the face's rim


class Light(NamedTuple):
    """``ambient`` + ``direct`` (3,) . n is the luma at a normal n; (F,) ``rest``, its values at rest, ``strength``."""

    ambient: float
    direct: Floats
    rest: Floats
    strength: Floats


def light(portrait: Portrait, body: Body) -> Light:
    """Fit the light of the picture on the face."""
    found = np.zeros((body.faces, 3), np.float32)
    normals(body.points, body.face, found)
    grey = cv2.GaussianBlur(cv2.cvtColor(portrait.picture, cv2.COLOR_RGB2GRAY), (0, 0), portrait.face_width / 40)
    x, y = body.uv[: body.faces].round().astype(int).clip(0, grey.shape[0] - 1).T
    luma = grey[y, x].astype(np.float64)
    seen = np.unique(body.face)
    system = np.column_stack([np.ones(len(seen)), found[seen]])
    weight = np.ones(len(seen))
    solution = np.zeros(4)
    for _ in range(5):  # reweighted, so that brows, lips and shadows do not pass for light
        ridge = np.diag([0, 1, 1, 1]) * 0.02 * len(seen)
        weighted = system * weight[:, None]
        solution = np.linalg.solve(weighted.T @ system + ridge, weighted.T @ luma[seen])
        error = np.abs(luma[seen] - system @ solution)
        weight = 1 / np.maximum(error, 4.0)
        weight /= weight.mean()
    rim = body.uv[body.rim]
    distance = np.linalg.norm(body.uv[: body.faces, None] - rim[None], axis=2).min(axis=1)
    strength = STRENGTH * smoothstep(distance / (_RIM_REACH * portrait.face_width))
    if portrait.drawing.skin:
        strength[:] = 0  # flat colours have no light of their own
    for name, contour in portrait.contours.items():
        if name.startswith("lips_inner"):
            strength[contour] = 0
    direct = solution[1:].astype(np.float32)
    floor = 0.15 * float(np.median(luma))
    rest = np.maximum(solution[0] + found @ direct, floor).astype(np.float32)
    return Light(float(solution[0]), direct, rest, strength.astype(np.float32))


@kernel
def relight(facing: Floats, lit: Light, out: Floats) -> None:
    """``out`` (V,): factor on the colour of the first F vertices, from their new normals ``facing`` (F, 3)."""
    direct = lit.direct
    for i in range(facing.shape[0]):
        now = np.float32(lit.ambient)
        now += direct[0] * facing[i, 0] + direct[1] * facing[i, 1] + direct[2] * facing[i, 2]
        ratio = np.float32(1.0) + lit.strength[i] * (now / lit.rest[i] - np.float32(1.0))
        out[i] = min(max(ratio, np.float32(DARKEST_RATIO)), np.float32(BRIGHTEST_RATIO))
