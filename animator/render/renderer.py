"""`Renderer`: a portrait and a motion row -> a frame."""

import numpy as np

from animator.motion import space
from animator.portrait.portrait import Portrait
from animator.render import deform, eyes, glasses, holes, lids, lips, mouth, raster
from animator.render.arrays import Floats, Image, f32
from animator.render.body import body
from animator.render.light import light, relight
from animator.render.pose import Pose, pose

_FORWARD = 0.03  # face widths
_SHADE_OF_ROUND_LIPS = 0.85
_OPENINGS = ("lips_inner", "eye_left", "eye_right")
_BLINKS = tuple(space.INDEX[f"eyeBlink{side}"] for side in ("Left", "Right"))
_WIDES = tuple(space.INDEX[f"eyeWide{side}"] for side in ("Left", "Right"))
_GAZES = (space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW)


class Renderer:
    """Draws one portrait; for one thread at a time. Same motion, same frame: nothing is remembered in between."""

    def __init__(self, portrait: Portrait) -> None:
        """Builds mesh, layers and textures of ``portrait``."""
        self.portrait = portrait
        self.size = portrait.size
        self._body = made = body(portrait)
        bare = glasses.take_off(portrait)
        self._glasses = glasses.put_on(portrait, bare, made)
        self._light = light(bare, made)
        self._eyes = eyes.eyes(bare, made)
        self._lids = lids.lids(bare)
        self._lips = lips.lips(portrait, made.points)
        self._mouth = mouth.mouth(bare, made)
        self._texture = raster.pack(bare.picture)
        x, y = portrait.view
        self._rest = np.ascontiguousarray(bare.picture[y : y + self.size, x : x + self.size])
        self._centre = made.centre - f32(portrait.view)
        contours = portrait.contours
        pairs = [(contours[f"{name}_upper"], contours[f"{name}_lower"]) for name in _OPENINGS]
        count = len(made.points)
        self._hem = hem = holes.hems(made.rim, [upper for upper, _ in pairs], count)
        self._rim_hem, self._edge_hem = np.split(hem.triangles, [2 * len(made.rim)])
        self._around = np.concatenate([made.outer, holes.fillers(pairs)])
        self._near = made.face.copy()
        # A closed lid and a closed upper lip lie over the lower ones, whichever is nearer by a hair.
        on_top = np.isin(made.face, np.concatenate([upper for upper, _ in pairs])).any(axis=1)
        self._forward = f32(on_top * _FORWARD * portrait.face_width)
        beyond = np.empty((len(hem.root), 2), np.float32)
        holes.hem(made.uv, hem.root, hem.before, hem.after, beyond)
        uv = np.concatenate([made.uv, beyond])
        opacity = f32(np.arange(len(uv)) < count)
        self._surface = raster.Surface(np.zeros_like(uv), uv, np.ones_like(opacity), opacity)
        self._still, self._some = uv - f32(portrait.view), np.empty_like(self._around)
        self._points, self._facing = np.empty_like(made.points), np.empty((made.faces, 3), np.float32)

    def draw(self, motion: Floats, out: Image | None = None) -> Image:
        """(64,) f32, see `animator.motion.space` -> (size, size, 3) uint8 RGB, in ``out`` if given."""
        if motion.shape != (space.SIZE,):
            raise ValueError(f"a motion row has the shape ({space.SIZE},), not {motion.shape}")
        motion = np.nan_to_num(motion, posinf=0, neginf=0).astype(np.float32)
        where = pose(motion, self.portrait.pose, self.portrait.face_width)
        turned = [
            eyes.turn(eye, (float(motion[at]), float(motion[at + 1])), where.head)
            for eye, at in zip(self._eyes, _GAZES, strict=True)
        ]
        weights = self._weights(motion, turned)
        self._place(weights, where)
        frame = np.empty_like(self._rest) if out is None else out
        self._draw_surface(frame, weights)
        xy = self._surface.xy
        for eye, moved, wide in zip(self._eyes, turned, _WIDES, strict=True):
            eyes.draw(frame, eye, xy, self._to_picture(where, eye.anchor), (moved, float(weights[wide])))
        for lid, blink in zip(self._lids, _BLINKS, strict=True):
            lids.draw(frame, lid, xy, float(weights[blink]))
        jaw = np.tensordot(weights, self.portrait.jaw, 1).astype(np.float32)
        parts = mouth.place(self._mouth, self._body, self._skull(where), jaw, self._centre)
        seen = self._to_picture(where, self._mouth.anchor), 1 - _SHADE_OF_ROUND_LIPS * lips.roundness(weights) ** 2
        mouth.draw(frame, self._mouth, parts, xy, seen)
        if self._glasses:
            glasses.draw(frame, self._glasses, self._skull(where), self._body.camera, self._centre)
        return frame

    def _weights(self, motion: Floats, turned: list[Floats]) -> Floats:
        """(52,) of the shapes, with the lids going along with the eyes."""
        weights = motion[: len(space.ARKIT)].clip(-0.5, 1.5)
        for eye, moved, blink in zip(self._eyes, turned, _BLINKS, strict=True):
            weights[blink] = eyes.lid(eye, moved, float(weights[blink]))
        return weights

    def _draw_surface(self, frame: Image, weights: Floats) -> None:
        """The picture, moved: surroundings, face, and soft edges where the one ends before the other."""
        for lid, blink in zip(self._lids, _BLINKS, strict=True):
            lids.close(self._texture, lid, float(weights[blink]))
        np.copyto(frame, self._rest)
        moved = deform.moving(self._surface.xy, self._still, self._around, self._some)
        raster.draw(frame, self._texture, self._surface, self._some[:moved])
        raster.draw_over(frame, self._texture, self._surface, self._rim_hem)
        raster.draw(frame, self._texture, self._surface, self._near)
        raster.draw_over(frame, self._texture, self._surface, self._edge_hem)

    def _place(self, weights: Floats, where: Pose) -> None:
        """Vertices on the screen, their shade, and the order of the face's triangles."""
        made, points, surface, hem = self._body, self._points, self._surface, self._hem
        deform.blend(made.points, made.shapes, weights, points)
        lips.meet(points, self._lips, weights)
        deform.move(points, made.head, made.torso, self._skull(where), where.torso)
        count = len(points)
        deform.project(points, made.camera, self._centre, surface.xy[:count])
        holes.hem(surface.xy, hem.root, hem.before, hem.after, surface.xy[count:])
        deform.normals(points, made.face, self._facing)
        relight(self._facing, self._light, surface.shade)
        surface.shade[count:] = surface.shade[hem.root]
        deform.far_to_near(points, made.face, self._forward, self._near)

    def _skull(self, where: Pose) -> Floats:
        """(3, 4) motion of what is rigid to the skull."""
        offset = self._body.pivot + where.shift - where.head @ self._body.pivot
        return np.column_stack([where.head, offset]).astype(np.float32)

    def _to_picture(self, where: Pose, anchor: Floats) -> Floats:
        """(2, 3) map from pixels of the frame to those of the picture, for what lies near ``anchor`` in the skull."""
        made, skull = self._body, self._skull(where)
        near = made.camera / (made.camera - anchor[2])
        points = anchor + f32([[0, 0, 0], [10, 0, 0], [0, 10, 0]])
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
