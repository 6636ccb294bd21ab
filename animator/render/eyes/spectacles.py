"""Glasses as an overlay: they turn with the skull, and the face moves behind them.

The face is drawn from a picture without the frame, inpainted from the skin around it. The frame is a thin sheet in
front; over the face at rest, its colours reproduce the picture to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from animator.motion.rows.space import CAMERA
from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.surface import deform, raster
from animator.render.surface.body import Body

_CELL_WIDTH = 0.045  # face widths
_FILL_REACH = 0.012  # face widths around the frame that tell the colour of the skin behind it
_OPAQUE_CONTRAST = 40  # of 255, by which the frame differs from the skin where nothing shines through
# Landmarks with the distance in face widths from which the frame stands before them: bridge, corners of the eyes,
# cheekbones, ears.
_FRAME_DISTANCES = {168: 0.02, 33: 0.07, 263: 0.07, 50: 0.08, 280: 0.08, 105: 0.03, 334: 0.03, 234: 0.0, 454: 0.0}


@dataclass(frozen=True, slots=True)
class Glasses:
    """The frame: ``points`` (V, 3) in the space of `Body`, ``surface`` and ``triangles`` (T, 3) as `raster` has them,
    with a ``texture`` that holds its part of the picture only."""

    texture: raster.Texture
    points: Floats
    surface: raster.Surface
    triangles: Ints


def take_off(portrait: Portrait) -> Portrait:
    """``portrait`` with a picture in which skin is where the frame was; itself where there is none."""
    if not portrait.glasses.size:
        return portrait
    around = max(2, round(_FILL_REACH * portrait.face_width))
    bare = cv2.inpaint(portrait.picture, (portrait.glasses > 0).astype(np.uint8), around, cv2.INPAINT_TELEA)
    share = np.float32(1 / 255) * portrait.glasses[..., None]
    mixed = portrait.picture + share * (bare.astype(np.float32) - portrait.picture)
    return replace(portrait, picture=mixed.round().astype(np.uint8))


def put_on(portrait: Portrait, bare: Portrait, body: Body) -> Glasses | None:
    """The frame that `take_off` took off ``portrait`` to make it ``bare``; None where there is none."""
    if not portrait.glasses.size:
        return None
    return sheet((portrait.picture, bare.picture), portrait.glasses, partial(_depth, portrait, body), body)


def sheet(pictures: tuple[Image, Image], opaque: Image, depth: Callable[[Floats], Floats], body: Body) -> Glasses:
    """What makes the second of two ``pictures`` (n, n, 3) the first one where ``opaque`` (n, n), its least opacity, is
    not 0; ``depth`` gives the z (k,) of places (k, 2) px in them."""
    cell = _CELL_WIDTH * body.camera / CAMERA
    rows, columns = np.nonzero(opaque)
    left, top = columns.min(), rows.min()
    right, bottom = columns.max() + 1, rows.max() + 1
    area = np.s_[top:bottom, left:right]
    seen, behind = (picture[area].astype(np.int32) for picture in pictures)
    unlike = np.abs(seen - behind).max(axis=2)
    darkest = (255 * seen // np.maximum(behind, 1)).min(axis=2)  # less of what lies behind must shine through
    least = np.maximum(255 * unlike // _OPAQUE_CONTRAST, 255 - darkest).clip(0, 255)
    around = cv2.GaussianBlur(cv2.dilate(least.astype(np.float32), np.ones((3, 3), np.uint8)), (0, 0), 1.0)
    least = np.maximum(least, around.round().astype(np.int32))  # no grain of single pixels before a lid
    opacity = np.where(opaque[area] > 0, np.maximum(opaque[area], least), 0)[..., None]
    colour = np.where(opacity > 0, seen - (2 * behind * (255 - opacity) + 255) // 510, 0).clip(0, 255)
    texture = raster.pack(np.concatenate([colour, opacity], axis=2).astype(np.uint8))
    across, down = (np.linspace(-0.5, n - 0.5, round(n / cell) + 2) for n in (right - left, bottom - top))
    uv = f32(np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2))
    flat = uv + f32([left, top])
    triangles = _occupied(opaque[area], across, down)
    z = depth(flat)
    nearness = (body.camera - z) / body.camera
    points = f32(np.column_stack([(flat - body.centre) * nearness[:, None], z]))
    ones = np.ones(len(uv), np.float32)
    return Glasses(texture, points, raster.Surface(np.zeros_like(uv), uv, ones, ones), triangles)


def _depth(portrait: Portrait, body: Body, flat: Floats) -> Floats:
    """(n,) z of a sheet that bends around the face, at px (n, 2) of the picture."""
    ids, before = list(_FRAME_DISTANCES), np.array(list(_FRAME_DISTANCES.values()))
    known = body.points[ids, 2] + before * portrait.face_width
    bend = RBFInterpolator(portrait.landmarks[ids, :2], known, smoothing=portrait.face_width)
    return f32(bend(flat))


def _occupied(opacity: Image, across: Floats, down: Floats) -> Ints:
    """(T, 3) triangles of the cells between the grid's lines that hold a part of the frame."""
    columns = len(across)
    triangles: list[tuple[int, int, int]] = []
    for i in range(len(down) - 1):
        for j in range(columns - 1):
            low, high = np.floor([down[i], across[j]]).clip(0), np.ceil([down[i + 1], across[j + 1]])
            if opacity[int(low[0]) : int(high[0]) + 1, int(low[1]) : int(high[1]) + 1].any():
                a = i * columns + j
                triangles += [(a, a + 1, a + columns + 1), (a, a + columns + 1, a + columns)]
    return np.array(triangles, np.int32)


def draw(frame: Image, glasses: Glasses, skull: Floats, camera: float, centre: Floats) -> None:
    """Paint ``glasses`` over ``frame``, moved by ``skull`` (3, 4) and seen with the optical axis at ``centre`` (2,)."""
    moved = np.ascontiguousarray(glasses.points @ skull[:, :3].T + skull[:, 3], dtype=np.float32)
    surface = glasses.surface._replace(xy=np.empty_like(glasses.surface.xy))
    deform.project(moved, camera, centre, surface.xy)
    raster.draw_over(frame, glasses.texture, surface, glasses.triangles)
