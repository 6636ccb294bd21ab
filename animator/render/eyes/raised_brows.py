"""Brows of drawings that lie by themselves: sheets that rise and fall over a face that stays as it is.

The face is drawn from a picture without them, with skin in their place; over the face at rest they give the picture to
the last bit.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from animator.motion.rows.space import INDEX
from animator.portrait.geometry.topology import BROW_LOWER_EDGES, BROW_UPPER_EDGES
from animator.portrait.portrait import Portrait
from animator.render.eyes.spectacles import Glasses, sheet
from animator.render.eyes.spectacles import draw as draw_sheet
from animator.render.kernels.arrays import Floats, Image, f32
from animator.render.surface.body import Body

BROW_SHAPES = [INDEX[f"brow{name}"] for name in ("DownLeft", "DownRight", "InnerUp", "OuterUpLeft", "OuterUpRight")]
_NOSE_ROOT = 168
_SKIN_RING = 5, 9  # px round a brow in which its skin is seen
_NEAREST = 4  # vertices of the face that tell how deep a place of it lies


@dataclass(frozen=True, slots=True)
class Brows:
    """Both brows: a ``sheet``, and (5, V, 3) by which its points move at weight 1 of `BROW_SHAPES`."""

    sheet: Glasses
    shapes: Floats


def take_off(portrait: Portrait) -> Portrait:
    """``portrait`` with a picture in which skin is where the brows were; itself where none lie by themselves."""
    if not portrait.brows.size:
        return portrait
    picture = portrait.picture.copy()
    count, parts = cv2.connectedComponents((portrait.brows > 0).astype(np.uint8))
    for number in range(1, count):
        brow = (parts == number).astype(np.uint8)
        near, far = (cv2.dilate(brow, np.ones((across, across), np.uint8)) for across in _SKIN_RING)
        ring = portrait.picture[(far > 0) & (near == 0) & (portrait.brows == 0)]
        picture[brow > 0] = np.median(ring, axis=0)
    return replace(portrait, picture=picture)


def put_on(portrait: Portrait, bare: Portrait, body: Body) -> Brows | None:
    """The brows that `take_off` took off ``portrait`` to make it ``bare``; None where it took none off."""
    if not portrait.brows.size:
        return None

    def depth(places: Floats) -> Floats:
        away = np.linalg.norm(places[:, None] - body.uv[None, : body.faces], axis=2)
        return body.points[np.argsort(away, axis=1)[:, :_NEAREST], 2].mean(axis=1)

    made = sheet((portrait.picture, bare.picture), np.minimum(portrait.brows, 1), depth, body)
    return Brows(made, _shapes(made.points, body))


def _shapes(points: Floats, body: Body) -> Floats:
    """(5, V, 3): each of the ``points`` (V, 3) goes as both edges of its brow do at its place along the brow."""
    left = points[:, 0] > body.points[_NOSE_ROOT, 0]
    shapes = np.zeros((len(BROW_SHAPES), *points.shape), np.float32)
    for side, here in (("left", left), ("right", ~left)):
        edges = [list(edge[side]) for edge in (BROW_LOWER_EDGES, BROW_UPPER_EDGES)]
        level = (body.shapes[BROW_SHAPES][:, edges[0]] + body.shapes[BROW_SHAPES][:, edges[1]]) / 2
        along = body.points[edges, 0].mean(axis=0)
        order = np.argsort(along)
        for number, axis in np.ndindex(len(BROW_SHAPES), 3):
            shapes[number, here, axis] = np.interp(points[here, 0], along[order], level[number, order, axis])
    return shapes


def hold_face(body: Body) -> None:
    """Keeps the face of ``body`` as it is, in place, when its brows move."""
    body.shapes[BROW_SHAPES] = 0


def draw(frame: Image, brows: Brows, seen: tuple[Floats, Floats], camera: float, centre: Floats) -> None:
    """Paint ``brows`` over ``frame``; ``seen``: the ARKit weights (52,) and the motion of the skull (3, 4); the optical
    axis is at ``centre`` (2,)."""
    weights, skull = seen
    moved = brows.sheet.points + np.tensordot(weights[BROW_SHAPES], brows.shapes, 1)
    draw_sheet(frame, replace(brows.sheet, points=f32(moved)), skull, camera, centre)
