"""Eyes, drawn lids and mouths of N frames at once, painted into the openings between contours by exact area.

It does what `animator.render.eyes.eyeball`, `animator.render.eyes.lids` and `animator.render.mouth.cavity` do for one
frame, with their constants.
"""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from animator.render.eyes import eyeball
from animator.render.gpu.batch_deform import Motion, moved, projected, rigid
from animator.render.gpu.batch_raster import Texture, area, bilinear, draw_over, fragments
from animator.render.gpu.tables import Eyes, Geometry, Lids, Mouths, Piece
from animator.render.mouth import cavity as mouth
from animator.render.surface.holes import SUBPIXELS


class Opening(NamedTuple):
    """The Q pixels between the upper and lower contours of M openings.

    For each pixel (Q,): ``which`` opening it belongs to, its ``row`` and ``column`` in the frame, and the ``share`` of
    it that is open. For each opening, ``corner`` (M, 2): the first column and row of its bounding box.
    """

    which: Tensor
    row: Tensor
    column: Tensor
    share: Tensor
    corner: Tensor


class Looks(NamedTuple):
    """The eyes of N frames: ``moved`` (N, 2, 2), ``wide`` and ``shut`` (N, 2) and ``to_picture`` (N, 2, 2, 3) as in
    `animator.render.moment.Sight`; ``fade`` (N, 2): how far the lids look like shut ones, and ``hang`` (N, 2): how far
    their lashes hang."""

    moved: Tensor
    wide: Tensor
    shut: Tensor
    to_picture: Tensor
    fade: Tensor
    hang: Tensor


class Teeth(NamedTuple):
    """The teeth of N frames: ``to_picture`` (N, 2, 3) and ``lit`` (N,) as in `animator.render.moment.Moment`."""

    to_picture: Tensor
    lit: Tensor


def opening(upper: Tensor, lower: Tensor, size: int) -> Opening:
    """The openings between the contours ``upper`` and ``lower`` (M, L, 2) px, in frames of ``size`` px."""
    both = torch.cat([upper, lower], 1)
    corner = (both.amin(1).trunc() - 1).clamp(min=0)
    width, height = (both.amax(1).trunc() + 3 - corner).clamp(1, size).amax(0).long().tolist()
    place = (torch.stack([upper, lower], 1) - corner[:, None, None]) * SUBPIXELS + (SUBPIXELS / 2 - 0.5)
    a, b, d, c = place[:, 0, :-1], place[:, 0, 1:], place[:, 1, :-1], place[:, 1, 1:]
    pieces = torch.cat([torch.stack([a, b, c], 2), torch.stack([a, c, d], 2)], 1)
    flat = pieces.flatten(0, 1)
    number, row, column = fragments(flat * (area(flat) > 0)[:, None, None], SUBPIXELS * height, SUBPIXELS * width)
    fine = torch.zeros((len(upper), SUBPIXELS * height, SUBPIXELS * width), device=upper.device)
    fine[number // pieces.shape[1], row, column] = 1
    share = avg_pool2d(fine[:, None], SUBPIXELS)[:, 0]
    which, row, column = share.nonzero(as_tuple=True)
    there = corner.long()[which]
    found = Opening(which, row + there[:, 1], column + there[:, 0], share[which, row, column], corner.long())
    inside = ((found.row < size) & (found.column < size)).nonzero()[:, 0]
    which, row, column, share = (part[inside] for part in found[:4])
    return Opening(which, row, column, share, found.corner)


def draw_eyes(frames: Tensor, made: Eyes, lids: tuple[Tensor, Tensor], looks: Looks) -> None:
    """Paint both eyes into each of ``frames`` (N, h, w, 3), between the upper and lower ``lids``, (N, 2, L, 2) px
    each."""
    upper, lower = (lid.flatten(0, 1) for lid in lids)
    made, looks = Eyes(*(v.flatten(0, 1) for v in made)), Looks(*(v.flatten(0, 1) for v in looks))
    found = opening(upper, lower, frames.shape[1])
    which = found.which
    shut = looks.shut.clamp(0, 1)
    kept = torch.exp(-(looks.moved**2).sum(-1) / eyeball.FORGET_PX**2) * (1 - looks.wide.clamp(0, 1)) * (1 - shut)
    x, y = found.column.float(), found.row.float()
    dim = _side(upper, found, (eyeball.CORNER_BRIGHTNESS, eyeball.CORNER_WIDTH))
    slit = ((shut - eyeball.SLIT_RANGE[0]) / (eyeball.SLIT_RANGE[1] - eyeball.SLIT_RANGE[0])).clamp(0, 1)
    depth = made.shadow * ((1 - shut).clamp(min=0.3) + eyeball.SLIT_DEEPENING * slit)
    t = ((y - _height_at(upper[which], x)) / depth[which]).clamp(0, 1)
    dim = dim * (eyeball.SHADOW_BRIGHTNESS + (1 - eyeball.SHADOW_BRIGHTNESS) * t * (2 - t))
    dim = (1 - (made.shading * (1 + eyeball.SLIT_DARKENING * slit))[which] * (1 - dim))[:, None]
    place = _local(looks.to_picture, made.corner, found)

    def seen(first: int, last: int, along: float) -> Tensor:
        return _layer(made.layers[..., first:last], made.size, which, place - along * looks.moved[which])

    white, iris, shine, detail = seen(0, 3, 0), seen(3, 7, 1), seen(7, 10, eyeball.SHINE_SHARE), seen(10, 13, 0)
    colour = white + iris[:, 3:] * (iris[:, :3] - white)
    shining = 1 - made.shading * shut
    colour = (colour + shining[which, None] * shine) * dim + kept[which, None] * detail
    mix(frames, found._replace(which=which // 2), colour, found.share * (shut <= eyeball.SHUT_CLOSURE)[which])


def draw_lids(frames: Tensor, made: Lids, edge: Tensor, fade: Tensor) -> None:
    """Paint the lines of drawn lids along ``edge`` (N, 2, L, 2) px, as far as ``fade`` (N, 2) lets them show."""
    (way,) = torch.gradient(edge, dim=2)
    up = torch.stack([way[..., 1], -way[..., 0]], -1) / (way.norm(dim=-1, keepdim=True) + 1e-3)
    along = torch.linspace(0, 4, edge.shape[2], device=edge.device)
    taper = torch.minimum(along, along.flip(0)).clamp(0, 1)[:, None]
    above = edge + made.breadth[..., None, None] * taper * up
    found = opening(above.flatten(0, 1), (edge - 0.7 * up).flatten(0, 1), frames.shape[1])
    share = (8 * fade).clamp(max=1) * (made.breadth > 0)
    colour = made.ink.flatten(0, 1)[found.which]
    mix(frames, found._replace(which=found.which // 2), colour, found.share * share.flatten()[found.which])


def draw_mouth(
    frames: Tensor, made: Mouths, parts: list[tuple[Piece, Texture, Tensor]], rims: tuple[Tensor, Tensor], teeth: Teeth
) -> None:
    """Paint the mouth into each of ``frames``, between the ``rims`` (N, L, 2) px: ``parts``, each with the px (N, V, 2)
    to which its points are projected."""
    upper, lower = rims
    found = opening(upper, lower, frames.shape[1])
    which = found.which
    if not len(which):
        return
    corner = found.corner
    height = int((found.row - corner[which, 1]).max()) + 1
    width = int((found.column - corner[which, 0]).max()) + 1
    canvas = made.cavity[:, None, None].repeat(1, 2 * height, 2 * width, 1)
    for part, texture, xy in parts:
        draw_over(canvas, texture, rigid(part, 2 * (xy - corner[:, None]) + 0.5))
    canvas = canvas.view(len(canvas), height, 2, width, 2, 3).mean((2, 4))
    x, y = found.column.float(), found.row.float()
    dim = _side(upper, found, (mouth.CORNER_LIGHT, mouth.CORNER_WIDTH))
    lip, chin = (_height_at(rim[which], x) for rim in rims)
    gap = (chin - lip) / (mouth.SLIT_GAP * made.unit)[which]
    lit = teeth.lit[which] * (mouth.SLIT_LIGHT + (1 - mouth.SLIT_LIGHT) * gap.clamp(0, 1))
    line = 1 - (gap * (mouth.SLIT_GAP / mouth.LINE_GAP)).clamp(0, 1)
    lit = lit * (1 - made.shadow[which] * (1 - mouth.LINE_LIGHT) * line)
    t = ((y - lip) / (chin - lip).clamp(min=0.1)).clamp(0, 1)
    lit = lit * (1 + made.shadow[which] * mouth.LIGHT_SLANT * (2 * t - 1) * (1 - lit))
    t = ((y - lip) / (mouth.UNDER_LIP_DEPTH * made.unit)[which]).clamp(0, 1)
    dim = dim * (mouth.UNDER_LIP_LIGHT + (1 - mouth.UNDER_LIP_LIGHT) * t * (2 - t))
    dim = (1 + made.shadow[which] * (dim - 1))[:, None]
    place = _local(teeth.to_picture, made.corner, found)
    layers = _layer(made.layers, made.size, which, place)
    cavity, lit = made.cavity[which], lit[:, None]
    red = made.shadow[which, None] * torch.tensor(mouth.REDDENING, device=x.device)
    colour = canvas[which, found.row - corner[which, 1], found.column - corner[which, 0]]
    colour = cavity + dim * (1 - red * (1 - dim)) * (colour - cavity).clamp(min=0)
    colour = colour + layers[:, 3:4] * (layers[:, :3] - colour)
    colour = cavity + lit * (1 - red * (1 - lit)) * (colour - cavity)
    there, kept = _between(made, rims, teeth, found, (place, layers[:, 8]))
    mix(frames, found, colour + kept[:, None] * (there - colour), found.share)


def _between(
    made: Mouths, rims: tuple[Tensor, Tensor], teeth: Teeth, found: Opening, solid: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """What the picture itself shows between its lips, for the Q pixels ``found``: colour (Q, 3) and opacity (Q,).

    ``solid``: where the rigid teeth would be, px of the layers (Q, 2), and how far a pixel belongs to them (Q,).
    """
    now, (place, hard), which, x = torch.stack(rims, 1), solid, found.which, found.column.float()
    back = now @ teeth.to_picture[:, None, :, :2].transpose(-1, -2) + teeth.to_picture[:, None, None, :, 2]
    gap, before = ((of[:, 0] - of[:, 1]).norm(dim=-1) for of in (back, made.rims))
    change = (gap - before).abs().amax(1) / (mouth.FORGET_CHANGE * made.unit)
    slip = (back - made.rims)[..., 1].abs().amax((1, 2)) / (mouth.FORGET_SLIP * made.unit)
    moved = torch.stack([now[..., :1].expand_as(back), back - made.rims], -1)[which]
    shifts = [torch.stack([_height_at(moved[:, rim, :, axis], x) for axis in (0, 1)], 1) for rim in (0, 1)]
    lip, chin = (_height_at(now[which, rim], x) for rim in (0, 1))
    t = ((found.row - lip) / (chin - lip).clamp(min=0.1)).clamp(0, 1)[:, None]
    shift = shifts[0] + t * (shifts[1] - shifts[0])
    there = _layer(made.layers[..., 4:], made.size, which, place - (1 - hard[:, None]) * shift)
    return there[:, :3], torch.exp(-(change**2) - slip**2)[which] * there[:, 3] * (
        1 - (there[:, 4] - hard).clamp(min=0)
    )


def within_mouth(part: Piece, made: Mouths, geometry: Geometry, motion: Motion) -> Tensor:
    """The projection of a part of the mouth, (N, V, 2) px, see `animator.render.mouth.cavity.place`."""
    jaw = motion.jaw * part.jaw[:, None, None]
    tip = (motion.tip[:, None] * part.tip)[..., None]
    points = part.points + (1 - tip) * moved(part.points, jaw) + tip * part.rise[:, None]
    far = geometry.camera[:, None]
    nearness = ((far - points[..., 2]) / far)[..., None]
    space = torch.cat([(points[..., :2] - made.centre[:, None]) * nearness, points[..., 2:]], -1)
    return projected(moved(space, motion.skull), geometry.camera, geometry.centre)


def mix(frames: Tensor, found: Opening, colour: Tensor, share: Tensor) -> None:
    """Blend ``colour`` (Q, 3) into the pixels ``found`` of ``frames``."""
    height, width = frames.shape[1:3]
    pixel = (found.which * height + found.row) * width + found.column
    flat = frames.view(-1, 3)
    old = flat[pixel]
    flat[pixel] = (old + share[:, None] * (colour - old)).clamp(0, 255)


def _side(upper: Tensor, found: Opening, dark: tuple[float, float]) -> Tensor:
    """(Q,) brightness, lower towards the corners; ``dark``: that in the corners, and the share of the width over which
    it rises to 1."""
    first, last = upper[found.which, 0, 0], upper[found.which, -1, 0]
    x = found.column.float()
    reach = ((last - first) * dark[1]).clamp(min=1)
    t = (torch.minimum(x - first, last - x) / reach).clamp(0, 1)
    return dark[0] + (1 - dark[0]) * t * (2 - t)


def _height_at(line: Tensor, x: Tensor) -> Tensor:
    """y of the polylines ``line`` (Q, L, 2), ordered from left to right, at ``x`` (Q,)."""
    beyond = (x[:, None] <= line[:, 1:, 0]).to(torch.int8)
    i = beyond.argmax(1)
    number = torch.arange(len(line), device=line.device)
    (x0, y0), (x1, y1) = line[number, i].unbind(1), line[number, i + 1].unbind(1)
    run = x1 - x0
    part = torch.where(run > 1e-6, (x - x0) / run, 0.0).clamp(0, 1)
    return torch.where(beyond.any(1), y0 + part * (y1 - y0), line[:, -1, 1])


def _local(to_picture: Tensor, corner: Tensor, found: Opening) -> Tensor:
    """The pixels ``found`` as (Q, 2) px of the layers, which begin at ``corner`` (M, 2) of the picture; ``to_picture``
    (M, 2, 3) maps the frame to the picture."""
    at = torch.stack([found.column, found.row, torch.ones_like(found.row)], 1).float()
    return (to_picture[found.which] @ at[..., None])[..., 0] - corner[found.which]


def _layer(layers: Tensor, size: Tensor, which: Tensor, place: Tensor) -> Tensor:
    """(Q, C): ``layers`` (M, h, w, C), of which ``size`` (M, 2) is used, interpolated at ``place`` (Q, 2) px."""
    most = size[which].flip(1) - 1.001
    height, width = layers.shape[1:3]
    texels = layers.flatten(0, 2)
    return bilinear(texels, which * (height * width), width, torch.minimum(place.clamp(min=0), most))
