"""`Renderer`: a portrait and a motion row -> a frame."""

import numpy as np

from animator.motion.rows import space
from animator.portrait.portrait import Portrait
from animator.render.eyes import eyeball, lids, raised_brows, spectacles
from animator.render.kernels.arrays import Floats, Image
from animator.render.layers import layers
from animator.render.moment import Moment, moment
from animator.render.mouth import cavity, meeting, tongue
from animator.render.surface import deform, holes, raster, sharp, wrinkles
from animator.render.surface.light import relight


class Renderer:
    """Draws one portrait; for one thread at a time. Same motion, same frame: nothing is remembered in between."""

    def __init__(self, portrait: Portrait) -> None:
        """Builds what ``portrait`` is drawn from, or shares it with other faces of the same portrait."""
        self.portrait = portrait
        self.size = portrait.size
        self._made = made = layers(portrait)
        self._texture, self._sharp = made.texture.copy(), 0  # closed lids are painted into it
        uv = made.mesh.uv.copy()  # lips that part turn out
        self._surface = raster.Surface(np.zeros_like(uv), uv, np.ones_like(made.mesh.opacity), made.mesh.opacity)
        self._points = np.empty_like(made.body.points)
        self._facing = np.empty((made.body.faces, 3), np.float32)
        self._near = made.body.face.copy()
        self._fold, self._fold_triangles = holes.fold_surface()

    def draw(self, motion: Floats, out: Image | None = None) -> Image:
        """(64,) f32, see `animator.motion.rows.space` -> (size, size, 3) uint8 RGB, in ``out`` if given."""
        made, xy = self._made, self._surface.xy
        now = moment(made, motion)
        self._place(now)
        frame = np.empty_like(made.still) if out is None else out
        self._draw_surface(frame, now)
        for eye, seen in zip(made.eyes, now.eyes, strict=True):
            eyeball.draw(frame, eye, xy, seen.to_picture, (seen.moved, seen.wide, seen.shut))
        for lid, seen in zip(made.lids, now.eyes, strict=True):
            lids.draw(frame, lid, xy, seen.shut)
        if made.brows:
            raised_brows.draw(frame, made.brows, (now.weights, now.skull), made.body.camera, made.centre)
        parts = cavity.place(made.mouth, made.body, (now.skull, now.jaw, now.tip), made.centre)
        cavity.draw(frame, made.mouth, parts, xy, (now.to_picture, now.lit))
        tongue.draw(frame, made.tongue, made.mouth, xy, now.weights)
        if made.glasses:
            spectacles.draw(frame, made.glasses, now.skull, made.body.camera, made.centre)
        return frame

    def draw_many(self, motions: Floats, out: Image | None = None) -> Image:
        """(n, 64) -> (n, size, size, 3), in ``out`` if given: `draw`, one after the other."""
        frames = np.empty((len(motions), self.size, self.size, 3), np.uint8) if out is None else out
        for motion, frame in zip(motions, frames, strict=True):
            self.draw(motion, frame)
        return frames

    def _draw_surface(self, frame: Image, now: Moment) -> None:
        """The person, moved, before the still background: surroundings, face, and soft edges where the one ends before
        the other."""
        made = self._made
        if now.sharp != self._sharp:
            sharp.mix(made.texture, made.sharp, now.sharp, self._texture)
            self._sharp = now.sharp
        for lid, seen in zip(made.lids, now.eyes, strict=True):
            lids.close(self._texture, lid, seen.shut)
        np.copyto(frame, made.still)
        raster.draw_over(frame, made.cutout, self._surface, made.mesh.edge)
        raster.draw(frame, self._texture, self._surface, made.mesh.around)
        raster.draw_over(frame, self._texture, self._surface, made.mesh.rim_hem)
        raster.draw(frame, self._texture, self._surface, self._near)
        if made.wrinkles:
            wrinkles.draw(frame, made.wrinkles, self._surface, now.weights)
        folds = holes.fold(self._surface, self._points, made.mesh.creases, self._fold)
        raster.draw_over(frame, self._texture, self._fold, self._fold_triangles[: 2 * folds])
        raster.draw_over(frame, self._texture, self._surface, made.mesh.edge_hem)

    def _place(self, now: Moment) -> None:
        """Vertices on the screen, their shade, and the order of the face's triangles."""
        layers, points, surface = self._made, self._points, self._surface
        made, mesh = layers.body, layers.mesh
        deform.blend(made.points, made.shapes, now.weights, points)
        turned = meeting.meet(points, layers.lips, now.weights)
        surface.uv[mesh.rims] = mesh.uv[mesh.rims] + turned[mesh.rim_of]
        deform.move(points, made.head, made.torso, now.skull, now.torso)
        count = len(points)
        deform.project(points, made.camera, layers.centre, surface.xy[:count])
        holes.hem(surface.xy, mesh.hem.root, mesh.hem.before, mesh.hem.after, surface.xy[count:])
        deform.normals(points, made.face, self._facing)
        relight(self._facing, layers.light, surface.shade)
        surface.shade[count:] = surface.shade[mesh.hem.root]
        deform.far_to_near(points, made.face, mesh.forward, self._near)


def warm(portrait: Portrait) -> None:
    """Compile all kernels, or load them from disk: half a minute the first time on a machine, then a fraction of a
    second. A face at rest needs only some of them: one that turns away is drawn sharpened, one that speaks has a mouth
    inside, and a lid that comes down covers the eye."""
    motions = np.zeros((3, space.SIZE), np.float32)
    for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "browInnerUp", "tongueOut"):
        motions[1:, space.INDEX[name]] = (0.5, 1.0)
    motions[1:, space.HEAD_YAW] = (10.0, -10.0)
    Renderer(portrait).draw_many(motions)
