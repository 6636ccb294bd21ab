"""`BatchRenderer`: frames of many faces in one go, on a GPU."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from animator.portrait.portrait import Portrait
from animator.render.eyes import lids
from animator.render.eyes.raised_brows import BROW_SHAPES
from animator.render.gpu import batch_deform, openings
from animator.render.gpu.batch_deform import Motion, Placed
from animator.render.gpu.batch_raster import Corners, Texture, draw, draw_over
from animator.render.gpu.openings import Looks, Teeth
from animator.render.gpu.tables import Geometry, Piece, pick, tables, unpacked
from animator.render.kernels.arrays import Floats, Image
from animator.render.layers import Layers, layers
from animator.render.moment import Moment, Sight, moment
from animator.render.mouth import tongue
from animator.render.mouth.meeting import shutting, turned_out
from animator.render.surface import wrinkles
from animator.render.surface.sharp import STEPS

_SIDES = ("left", "right")


class BatchRenderer:
    """Draws ``portraits`` of one size on ``device``; for one thread at a time. The same motion gives the same frame.

    What a row of motion means is worked out on the CPU, see `animator.render.moment`; from there on all frames are
    processed at once. Frames differ from those of `animator.render.Renderer` by rounding only.
    """

    def __init__(self, portraits: Sequence[Portrait], device: torch.device) -> None:
        """Uploads the layers of ``portraits``, some 10 MB each. Raises ValueError when they differ in size."""
        if len({(portrait.size, portrait.picture.shape) for portrait in portraits}) != 1:
            raise ValueError("A batch wants portraits of one size, and at least one of them.")
        self.portraits, self.size = tuple(portraits), portraits[0].size
        self._device = device
        self._made: list[Layers] = [layers(portrait) for portrait in portraits]
        self._tables = tables(self._made, device)
        self._edges = max(len(made.lips.edge) for made in self._made)

    @torch.inference_mode()
    def draw_many(self, motions: Floats, faces: Sequence[int]) -> Image:
        """Rows of motion (N, 64), see `animator.motion.rows.space`, for the portraits numbered ``faces`` (N,) ->
        (N, size, size, 3) uint8 RGB."""
        chosen = [self._made[number] for number in faces]
        now = [moment(made, row) for made, row in zip(chosen, motions, strict=True)]
        return self._draw(chosen, now, torch.tensor(faces, device=self._device)).cpu().numpy()

    def number(self, portrait: Portrait) -> int:
        """The number of ``portrait`` for `draw_many`."""
        return next(number for number, each in enumerate(self.portraits) if each is portrait)

    def _draw(self, chosen: list[Layers], now: list[Moment], which: Tensor) -> Tensor:
        """(N, size, size, 3) uint8."""
        made, contours = self._tables, self._tables.contours
        geometry, motion, looks = pick(made.geometry, which), self._motion(chosen, now), self._looks(now)
        placed = batch_deform.place(geometry, motion)
        share = self._upload(np.array([m.sharp for m in now]) / STEPS)
        frames = self._surface((geometry, placed), motion.weights, self._picture(looks, share, which), which)
        upper, lower = (
            torch.stack([placed.xy[:, contours[f"eye_{side}_{lid}"]] for side in _SIDES], 1)
            for lid in ("upper", "lower")
        )
        openings.draw_eyes(frames, pick(made.eyes, which), (upper, lower), looks)
        if made.inked:
            openings.draw_lids(frames, pick(made.lids, which), upper, looks.fade)
        if made.brows:
            part, texels, shapes = pick(made.brows[0], which), made.brows[1], made.brows[2][which]
            raised = part.points + torch.einsum("ns,nsvd->nvd", motion.weights[:, BROW_SHAPES], shapes)
            _draw_sheet(frames, part._replace(points=raised), Texture(texels, which), (motion.skull, geometry))
        rims = placed.xy[:, contours["lips_inner_upper"]], placed.xy[:, contours["lips_inner_lower"]]
        mouths, parts = pick(made.mouth, which), [(pick(part, which), Texture(t, which)) for part, t in made.parts]
        seen = [(*both, openings.within_mouth(both[0], mouths, geometry, motion)) for both in parts]
        openings.draw_mouth(frames, mouths, seen, rims, self._teeth(now))
        self._put_out_tongues(frames, chosen, now, placed)
        if made.glasses:
            part, texels = pick(made.glasses[0], which), made.glasses[1]
            _draw_sheet(frames, part, Texture(texels, which), (motion.skull, geometry))
        return (frames + 0.5).to(torch.uint8)

    def _surface(self, mesh: tuple[Geometry, Placed], weights: Tensor, picture: Texture, which: Tensor) -> Tensor:
        """(N, size, size, 3) f32: see `animator.render.renderer`."""
        all_ = self._tables
        frames, (made, placed) = all_.still[which].float(), mesh
        draw_over(frames, Texture(all_.cutout, which), batch_deform.corners(made, placed, made.edge))
        draw(frames, picture, batch_deform.corners(made, placed, made.around))
        draw_over(frames, picture, batch_deform.corners(made, placed, made.rim_hem))
        draw(frames, picture, batch_deform.corners(made, placed, placed.near))
        if all_.lines:
            lines, texels = pick(all_.lines[0], which), all_.lines[1]
            activity = (lines.cause @ weights[..., None])[..., 0].clamp(max=1)
            shown = (activity * (activity > wrinkles.LEAST_ACTIVITY)).gather(1, lines.group)
            surface = batch_deform.corners(made, placed, lines.triangles)
            seen = surface.xy * (shown > 0)[..., None, None]
            opacity = lines.opacity * shown[..., None]
            draw_over(frames, Texture(texels, which), surface._replace(xy=seen, opacity=opacity))
        draw_over(frames, picture, batch_deform.folds(made, placed))
        draw_over(frames, picture, batch_deform.corners(made, placed, made.edge_hem))
        return frames

    def _picture(self, looks: Looks, share: Tensor, which: Tensor) -> Texture:
        """The texture of each frame: the picture, sharpened by ``share`` (N,), with lids closed as ``looks`` say."""
        made = pick(self._tables.lids, which)
        plain, sharp = (texels[which].float() for texels in (self._tables.picture, self._tables.sharp))
        texels = (plain + share[:, None, None, None] * (sharp - plain) + 0.5).to(torch.uint8)
        base = self._tables.picture.flatten(1, 2)
        flat = texels.view(len(texels), -1, 4)
        frames = torch.arange(len(texels), device=texels.device)[:, None]
        for side in range(2):
            at = made.texel[:, side]
            fade = torch.where(made.late[:, side] > 0, looks.hang[:, side, None], looks.fade[:, side, None])
            change = fade[..., None] * made.change[:, side]
            flat[frames, at] = (base[which[:, None], at] + change + 0.5).to(torch.uint8)
        return Texture(texels, frames[:, 0])

    def _put_out_tongues(self, frames: Tensor, chosen: list[Layers], now: list[Moment], placed: Placed) -> None:
        for number, (made, moment_) in enumerate(zip(chosen, now, strict=True)):
            if moment_.weights[tongue.TONGUE_OUT] < tongue.LEAST_OUT_WEIGHT:
                continue
            surface = tongue.put_out(made.tongue, made.mouth, placed.xy[number].cpu().numpy(), moment_.weights)
            if surface:
                corners = Corners(*(self._upload(part[made.tongue.triangles][None]) for part in surface))
                texels = self._upload(unpacked(made.tongue.texture)[None])
                first = torch.zeros(1, dtype=torch.int64, device=self._device)
                draw_over(frames[number : number + 1], Texture(texels, first), corners)

    def _motion(self, chosen: list[Layers], now: list[Moment]) -> Motion:
        lips = [_lips(made, moment_.weights, self._edges) for made, moment_ in zip(chosen, now, strict=True)]
        rows = [(m.weights, m.skull, m.torso, m.jaw, m.tip, *both) for m, both in zip(now, lips, strict=True)]
        return Motion(*(self._upload(np.stack(column)) for column in zip(*rows, strict=True)))

    def _looks(self, now: list[Moment]) -> Looks:
        rows = [
            [(*_seen(eye), lids.fade(eye.shut), lids.fade(eye.shut, lids.HANG_RANGE)) for eye in m.eyes] for m in now
        ]
        columns = zip(*(zip(*row, strict=True) for row in rows), strict=True)
        return Looks(*(self._upload(np.array(column)) for column in columns))

    def _teeth(self, now: list[Moment]) -> Teeth:
        return Teeth(self._upload(np.stack([m.to_picture for m in now])), self._upload(np.array([m.lit for m in now])))

    def _upload(self, array: Floats | Image) -> Tensor:
        kept = array if array.dtype == np.uint8 else array.astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(kept)).to(self._device)


def _draw_sheet(frames: Tensor, part: Piece, texture: Texture, seen: tuple[Tensor, Geometry]) -> None:
    """Paint a sheet over ``frames``; ``seen``: the skull's motion (N, 3, 4), which moves it, and the camera."""
    skull, made = seen
    xy = batch_deform.projected(batch_deform.moved(part.points, skull), made.camera, made.centre)
    draw_over(frames, texture, batch_deform.rigid(part, xy))


def _seen(eye: Sight) -> tuple[Floats, float, float, Floats]:
    return eye.moved, eye.wide, eye.shut, eye.to_picture


def _lips(made: Layers, weights: Floats, edges: int) -> tuple[Floats, Floats]:
    """(2 L, 3) px by which the lips are moved to close them, see `shutting`, and (``edges``, 2) px by which they are
    `turned_out`, padded with zeros."""
    ends: list[Floats] = []
    for rim in (made.lips.upper, made.lips.lower):
        ends.append(made.body.points[rim] + np.tensordot(weights, made.body.shapes[:, rim], 1))
    apart = ends[1] - ends[0]
    shut = shutting(apart, made.lips, weights)
    turned = turned_out(apart, made.lips, shut)
    return shut, np.pad(turned, ((0, edges - len(turned)), (0, 0)))
