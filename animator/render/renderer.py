"""`Renderer`: a portrait and a motion row -> a frame."""

import numpy as np
from numpy.typing import NDArray

from animator.motion import space
from animator.portrait.portrait import Portrait
from animator.render import deform, eyes, holes, lids, mouth, raster
from animator.render.body import Body, body
from animator.render.light import Light, light, relight
from animator.render.pose import Pose, pose

Frame = NDArray[np.uint8]
Motion = NDArray[np.float32]
_OPENINGS = ("lips_inner", "eye_left", "eye_right")
_BLINKS = tuple(space.INDEX[f"eyeBlink{side}"] for side in ("Left", "Right"))
_WIDES = tuple(space.INDEX[f"eyeWide{side}"] for side in ("Left", "Right"))


class Renderer:
    """Draws one portrait; for one thread at a time. Same motion, same frame: nothing is remembered in between."""

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait
        self.size = portrait.size
        self._body = made = body(portrait)
        self._light = light(portrait, made)
        pairs = [tuple(portrait.contours[f"{name}_{part}"] for part in ("upper", "lower")) for name in _OPENINGS]
        fillers = holes.fillers(pairs)
        self._hem = hem = holes.hems(made.rim, [upper for upper, _ in pairs], len(made.uv))
        self._rim_hem, self._edge_hem = np.split(hem.triangles, [2 * len(made.rim)])
        beyond = np.empty((len(hem.root), 2), np.float32)
        holes.hem(made.uv, hem.root, hem.before, hem.after, beyond)
        self._uv = np.concatenate([made.uv, beyond])
        self._opacity = np.concatenate([np.ones(len(made.uv)), np.zeros(len(beyond))]).astype(np.float32)
        self._texture = raster.pack(portrait.picture)
        self._points = np.empty_like(made.points)
        self._xy = np.zeros_like(self._uv)
        self._shade = np.ones(len(self._uv), np.float32)
        self._facing = np.zeros((made.faces, 3), np.float32)
        self._around = np.concatenate([made.outer, fillers])
        self._near = made.face.copy()
        self._keys = np.zeros(len(made.face), np.float32)
        self._eyes = eyes.eyes(portrait, made)
        self._lids = lids.lids(portrait)
        self._mouth = mouth.mouth(portrait, made)
        x, y = portrait.view
        self._rest = np.ascontiguousarray(portrait.picture[y : y + self.size, x : x + self.size])
        self._centre = made.centre - np.float32(portrait.view)

    def draw(self, motion: Motion, out: Frame | None = None) -> Frame:
        """(64,) f32, see `animator.motion.space` -> (size, size, 3) uint8 RGB, in ``out`` if given."""
        if motion.shape != (space.SIZE,):
            raise ValueError(f"a motion row has the shape ({space.SIZE},), not {motion.shape}")
        frame = np.empty_like(self._rest) if out is None else out
        where = pose(motion, np.float32(self.portrait.pose), self.portrait.face_width)
        weights = np.nan_to_num(motion[: len(space.ARKIT)].astype(np.float32)).clip(-0.5, 1.5)
        turned = [
            eyes.turn(eye, (float(motion[at]), float(motion[at + 1])), where.head)
            for eye, at in zip(self._eyes, (space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW), strict=True)
        ]
        for eye, moved, blink in zip(self._eyes, turned, _BLINKS, strict=True):
            weights[blink] = eyes.lid(eye, moved, float(weights[blink]))
        self._place(weights, where)
        np.copyto(frame, self._rest)
        for lid, blink in zip(self._lids, _BLINKS, strict=True):
            lids.close(self._texture, lid, float(weights[blink]))
        surface = self._texture, self._xy, self._uv, self._shade
        raster.draw(frame, *surface, self._around)
        raster.draw_over(frame, *surface, self._opacity, self._rim_hem)
        raster.draw(frame, *surface, self._near)
        raster.draw_over(frame, *surface, self._opacity, self._edge_hem)
        for eye, moved, wide in zip(self._eyes, turned, _WIDES, strict=True):
            eyes.draw(frame, eye, self._xy, self._to_picture(where, eye.anchor), moved, float(weights[wide]))
        self._draw_mouth(frame, weights, where)
        return frame

    def _draw_mouth(self, frame: Frame, weights: Motion, where: Pose) -> None:
        jaw = np.tensordot(weights, self.portrait.jaw, 1).astype(np.float32)
        skull, made = self._skull(where), self._mouth
        parts = [(part, mouth.project(part, self._body, skull, jaw, self._centre)) for part in made.parts]
        mouth.draw(frame, made, parts, self._xy, self._to_picture(where, made.anchor), 1.0)

    def _place(self, weights: Motion, where: Pose) -> None:
        made, points = self._body, self._points
        deform.blend(made.points, made.shapes, weights, points)
        deform.move(points, made.head, made.torso, self._skull(where), where.torso)
        count = len(points)
        deform.project(points, made.camera, self._centre, self._xy[:count])
        hem = self._hem
        holes.hem(self._xy, hem.root, hem.before, hem.after, self._xy[count:])
        deform.normals(points, made.face, self._facing)
        lit = self._light
        relight(self._facing, lit.ambient, lit.direct, lit.rest, lit.strength, self._shade)
        self._shade[count:] = self._shade[hem.root]
        deform.far_to_near(points, made.face, self._keys, self._near)

    def _skull(self, where: Pose) -> Motion:
        """(3, 4) motion of what is rigid to the skull."""
        offset = self._body.pivot + where.shift - where.head @ self._body.pivot
        return np.column_stack([where.head, offset]).astype(np.float32)

    def _to_picture(self, where: Pose, anchor: Motion) -> Motion:
        """(2, 3) map from pixels of the frame to those of the picture, for what lies near ``anchor`` in the skull."""
        made, skull = self._body, self._skull(where)
        near = made.camera / (made.camera - anchor[2])
        points = anchor + np.float32([[0, 0, 0], [10, 0, 0], [0, 10, 0]])
        moved = np.ascontiguousarray(points @ skull[:, :3].T + skull[:, 3])
        seen = np.empty((3, 2), np.float32)
        deform.project(moved, made.camera, self._centre, seen)
        forward = np.column_stack([(seen[1:] - seen[0]).T / (10 * near), seen[0]])
        back = np.linalg.inv(forward[:, :2])
        home = anchor[:2] * near + made.centre
        return np.column_stack([back, home - back @ forward[:, 2]]).astype(np.float32)


def warm(portrait: Portrait) -> None:
    """Compile all kernels, or load them from disk: seconds the first time on a machine, then a fraction of one."""
    Renderer(portrait).draw(np.zeros(space.SIZE, np.float32))
