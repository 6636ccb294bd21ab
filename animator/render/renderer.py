"""`Renderer`: a portrait and a motion row -> a frame."""

import numpy as np

from animator.motion import space
from animator.portrait.portrait import Portrait
from animator.render import deform, eyes, glasses, holes, lids, lips, mouth, raster, tongue, wrinkles
from animator.render.arrays import Floats, Image, f32
from animator.render.layers import layers
from animator.render.light import relight
from animator.render.pose import Pose, pose

_SHADE_OF_ROUND_LIPS = 0.95
_BLINKS = tuple(space.INDEX[f"eyeBlink{side}"] for side in ("Left", "Right"))
_WIDES = tuple(space.INDEX[f"eyeWide{side}"] for side in ("Left", "Right"))
_GAZES = (space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW)


class Renderer:
    """Draws one portrait; for one thread at a time. Same motion, same frame: nothing is remembered in between."""

    def __init__(self, portrait: Portrait) -> None:
        """Builds what ``portrait`` is drawn from, or shares it with other faces of the same portrait."""
        self.portrait = portrait
        self.size = portrait.size
        self._made = made = layers(portrait)
        self._texture = made.texture.copy()  # closed lids are painted into it
        self._surface = raster.Surface(np.zeros_like(made.uv), made.uv, np.ones_like(made.opacity), made.opacity)
        self._points = np.empty_like(made.body.points)
        self._facing = np.empty((made.body.faces, 3), np.float32)
        self._near = made.body.face.copy()
        self._fold, self._fold_triangles = holes.fold_surface()

    def draw(self, motion: Floats, out: Image | None = None) -> Image:
        """(64,) f32, see `animator.motion.space` -> (size, size, 3) uint8 RGB, in ``out`` if given."""
        if motion.shape != (space.SIZE,):
            raise ValueError(f"a motion row has the shape ({space.SIZE},), not {motion.shape}")
        made, xy = self._made, self._surface.xy
        motion = np.nan_to_num(motion, posinf=0, neginf=0).astype(np.float32)
        where = pose(motion, self.portrait.pose, self.portrait.face_width)
        turned = [
            eyes.turn(eye, (float(motion[at]), float(motion[at + 1])), where.head)
            for eye, at in zip(made.eyes, _GAZES, strict=True)
        ]
        weights = self._weights(motion, turned)
        self._place(weights, where)
        frame = np.empty_like(made.still) if out is None else out
        self._draw_surface(frame, weights)
        for eye, moved, wide, blink in zip(made.eyes, turned, _WIDES, _BLINKS, strict=True):
            state = moved, float(weights[wide]), float(weights[blink])
            eyes.draw(frame, eye, xy, self._to_picture(where, eye.anchor), state)
        for lid, blink in zip(made.lids, _BLINKS, strict=True):
            lids.draw(frame, lid, xy, float(weights[blink]))
        jaw = np.tensordot(weights, self.portrait.jaw, 1).astype(np.float32)
        parts = mouth.place(made.mouth, made.body, self._skull(where), jaw, made.centre)
        seen = self._to_picture(where, made.mouth.anchor), 1 - _SHADE_OF_ROUND_LIPS * lips.roundness(weights) ** 2
        mouth.draw(frame, made.mouth, parts, xy, seen)
        tongue.draw(frame, made.tongue, made.mouth, xy, weights)
        if made.glasses:
            glasses.draw(frame, made.glasses, self._skull(where), made.body.camera, made.centre)
        return frame

    def _weights(self, motion: Floats, turned: list[Floats]) -> Floats:
        """(52,) of the shapes, with the lids going along with the eyes."""
        weights = motion[: len(space.ARKIT)].clip(-0.5, 1.5)
        for eye, moved, blink in zip(self._made.eyes, turned, _BLINKS, strict=True):
            weights[blink] = eyes.lid(eye, moved, float(weights[blink]))
        return weights

    def _draw_surface(self, frame: Image, weights: Floats) -> None:
        """The person, moved, before the still background: surroundings, face, and soft edges where the one ends before
        the other."""
        made = self._made
        for lid, blink in zip(made.lids, _BLINKS, strict=True):
            lids.close(self._texture, lid, float(weights[blink]))
        np.copyto(frame, made.still)
        raster.draw_over(frame, made.cutout, self._surface, made.edge)
        raster.draw(frame, self._texture, self._surface, made.around)
        raster.draw_over(frame, self._texture, self._surface, made.rim_hem)
        raster.draw(frame, self._texture, self._surface, self._near)
        if made.wrinkles:
            wrinkles.draw(frame, made.wrinkles, self._surface, weights)
        folds = holes.fold(self._surface, self._points, made.creases, self._fold)
        raster.draw_over(frame, self._texture, self._fold, self._fold_triangles[: 2 * folds])
        raster.draw_over(frame, self._texture, self._surface, made.edge_hem)

    def _place(self, weights: Floats, where: Pose) -> None:
        """Vertices on the screen, their shade, and the order of the face's triangles."""
        layers, points, surface = self._made, self._points, self._surface
        made, hem = layers.body, layers.hem
        deform.blend(made.points, made.shapes, weights, points)
        lips.meet(points, layers.lips, weights)
        deform.move(points, made.head, made.torso, self._skull(where), where.torso)
        count = len(points)
        deform.project(points, made.camera, layers.centre, surface.xy[:count])
        holes.hem(surface.xy, hem.root, hem.before, hem.after, surface.xy[count:])
        deform.normals(points, made.face, self._facing)
        relight(self._facing, layers.light, surface.shade)
        surface.shade[count:] = surface.shade[hem.root]
        deform.far_to_near(points, made.face, layers.forward, self._near)

    def _skull(self, where: Pose) -> Floats:
        """(3, 4) motion of what is rigid to the skull."""
        offset = self._made.body.pivot + where.shift - where.head @ self._made.body.pivot
        return np.column_stack([where.head, offset]).astype(np.float32)

    def _to_picture(self, where: Pose, anchor: Floats) -> Floats:
        """(2, 3) map from pixels of the frame to those of the picture, for what lies near ``anchor`` in the skull."""
        made, skull = self._made.body, self._skull(where)
        near = made.camera / (made.camera - anchor[2])
        points = anchor + f32([[0, 0, 0], [10, 0, 0], [0, 10, 0]])
        moved = np.ascontiguousarray(points @ skull[:, :3].T + skull[:, 3])
        seen = np.empty((3, 2), np.float32)
        deform.project(moved, made.camera, self._made.centre, seen)
        forward = np.column_stack([(seen[1:] - seen[0]).T / (10 * near), seen[0]])
        back = np.linalg.inv(forward[:, :2])
        home = anchor[:2] * near + made.centre
        return np.column_stack([back, home - back @ forward[:, 2]]).astype(np.float32)


def warm(portrait: Portrait) -> None:
    """Compile all kernels, or load them from disk: seconds the first time on a machine, then a fraction of one."""
    Renderer(portrait).draw(np.zeros(space.SIZE, np.float32))
