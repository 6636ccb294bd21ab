"""`Renderer`: a portrait and a motion row -> a frame."""

import numpy as np
from numpy.typing import NDArray

from animator.motion import space
from animator.portrait.portrait import Portrait
from animator.render import deform, holes, raster
from animator.render.body import Body, body
from animator.render.light import Light, light, relight
from animator.render.pose import Pose, pose

Frame = NDArray[np.uint8]
Motion = NDArray[np.float32]


class Renderer:
    """Draws one portrait; for one thread at a time. Same motion, same frame: nothing is remembered in between."""

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait
        self.size = portrait.size
        self._body = made = body(portrait)
        self._light = light(portrait, made)
        contours = portrait.contours
        self._openings = [
            (contours[f"{name}_upper"], contours[f"{name}_lower"]) for name in ("lips_inner", "eye_left", "eye_right")
        ]
        count = len(made.points)
        self._skirts = holes.skirts(portrait.vertices, self._openings, count)
        self._uv = np.concatenate([made.uv, self._skirts.uv])
        self._texture = raster.pack(portrait.picture)
        self._points = np.empty_like(made.points)
        self._xy = np.zeros_like(self._uv)
        self._shade = np.ones(len(self._uv), np.float32)
        self._facing = np.zeros((made.faces, 3), np.float32)
        self._triangles = np.concatenate([made.outer, self._skirts.triangles, made.face])
        self._keys = np.zeros(len(made.face), np.float32)
        x, y = portrait.view
        self._rest = np.ascontiguousarray(portrait.picture[y : y + self.size, x : x + self.size])
        self._centre = made.centre - np.float32(portrait.view)

    def draw(self, motion: Motion, out: Frame | None = None) -> Frame:
        """(64,) f32, see `animator.motion.space` -> (size, size, 3) uint8 RGB, in ``out`` if given."""
        if motion.shape != (space.SIZE,):
            raise ValueError(f"a motion row has the shape ({space.SIZE},), not {motion.shape}")
        frame = np.empty_like(self._rest) if out is None else out
        where = pose(motion, np.float32(self.portrait.pose), self.portrait.face_width)
        self._place(motion, where)
        np.copyto(frame, self._rest)
        raster.draw(frame, self._texture, self._xy, self._uv, self._shade, self._triangles)
        return frame

    def _place(self, motion: Motion, where: Pose) -> None:
        made, points = self._body, self._points
        weights = np.nan_to_num(motion[:52].astype(np.float32)).clip(-0.5, 1.5)
        deform.blend(made.points, made.shapes, weights, points)
        offset = made.pivot + where.shift - where.head @ made.pivot
        affine = np.column_stack([where.head, offset]).astype(np.float32)
        deform.move(points, made.head, made.torso, affine, where.torso)
        count = len(points)
        deform.project(points, made.camera, self._centre, self._xy[:count])
        cut = self._skirts
        holes.hem(self._xy, cut.root, cut.before, cut.after, cut.side, self._xy[count:])
        deform.normals(points, made.face, self._facing)
        lit = self._light
        relight(self._facing, lit.ambient, lit.direct, lit.rest, lit.strength, self._shade)
        self._shade[count:] = self._shade[cut.root]
        deform.far_to_near(points, made.face, self._keys, self._triangles[-len(made.face) :])


def warm(portrait: Portrait) -> None:
    """Compile all kernels, or load them from disk: seconds the first time on a machine, then a fraction of one."""
    Renderer(portrait).draw(np.zeros(space.SIZE, np.float32))
