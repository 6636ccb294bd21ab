"""Rasterises the triangles of many frames at once: spans are enumerated rather than looped over.

It follows the rules of `animator.render.surface.raster`, and so gives the same pixels: the spans of a triangle from row
to row, premultiplied colours, and painter's order, in which the last triangle wins. Every (triangle, row) and then
every (triangle, pixel) is one element of a long tensor, so that meshes of unequal sizes cost no more than equal ones.
"""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from typing import NamedTuple

import torch
from torch import Tensor

_SLIVER_AREA = 1e-3  # px^2, twice the area that a triangle must exceed to be drawn


class Corners(NamedTuple):
    """Triangles of N frames: ``xy`` (N, T, 3, 2) px of the frame, ``uv`` (N, T, 3, 2) px of the texture, ``shade`` and
    ``opacity`` (N, T, 3), all f32."""

    xy: Tensor
    uv: Tensor
    shade: Tensor
    opacity: Tensor


class Texture(NamedTuple):
    """``texels`` (P, h, w, 4) uint8, colours premultiplied by opacity; ``which`` (N,): the texture of each frame."""

    texels: Tensor
    which: Tensor


def draw(frames: Tensor, texture: Texture, corners: Corners) -> None:
    """Paint into ``frames`` (N, h, w, 3) f32 in 0 to 255, in place, as if everything were opaque."""
    pixel, triangle = _pixels(corners.xy, frames)
    top = torch.full((frames[..., 0].numel(),), -1, dtype=torch.int64, device=frames.device)
    top.scatter_reduce_(0, pixel, triangle, "amax")
    pixel = (top >= 0).nonzero()[:, 0]
    colour, _ = _colours(frames, texture, corners, pixel, top[pixel])
    frames.view(-1, 3)[pixel] = colour.clamp(max=255.0)


def draw_over(frames: Tensor, texture: Texture, corners: Corners) -> None:
    """As `draw`, but what lies behind shines through where texture or surface are not opaque."""
    pixel, triangle = _pixels(corners.xy, frames)
    if not len(pixel):
        return
    pixel, order = pixel.sort(stable=True)
    triangle = triangle[order]
    colour, opacity = _colours(frames, texture, corners, pixel, triangle)
    place = torch.arange(len(pixel), device=pixel.device)
    begins = torch.ones_like(pixel, dtype=torch.bool)
    begins[1:] = pixel[1:] != pixel[:-1]
    layer = place - torch.where(begins, place, 0).cummax(0).values
    flat = frames.view(-1, 3)
    for number in range(int(layer.max()) + 1):
        now = (layer == number).nonzero()[:, 0]
        at = pixel[now]
        flat[at] = (colour[now] + flat[at] * (1 - opacity[now, None])).clamp(max=255.0)


def fragments(xy: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Every pixel of the triangles ``xy`` (M, 3, 2) px, in the order of the triangles: the number of the triangle, the
    row and the column, (F,) each."""
    x, y = xy.unbind(-1)
    low, high = y.amin(1).ceil().clamp(min=0), y.amax(1).ceil().clamp(max=height)
    seen = (area(xy).abs() > _SLIVER_AREA) & (low < high) & (x.amax(1) > 0) & (x.amin(1) < width)
    which = seen.nonzero()[:, 0]
    low, rows = low[which].long(), (high - low)[which].long()
    x, y = x[which], y[which]
    order = y.argsort(dim=1, stable=True)
    (x0, x1, x2), (y0, y1, y2) = x.gather(1, order).unbind(1), y.gather(1, order).unbind(1)
    long, upper, lower = _run(x0, y0, x2, y2), _run(x0, y0, x1, y1), _run(x1, y1, x2, y2)
    number, row = _counted(rows)
    row = row + low[number]
    edges = torch.stack([x0, y0, x1, y1, long, upper, lower], 1)[number]
    x0, y0, x1, y1, long, upper, lower = edges.unbind(1)
    at = row.to(x.dtype)
    left = x0 + (at - y0) * long
    right = torch.where(at < y1, x0 + (at - y0) * upper, x1 + (at - y1) * lower)
    first = torch.minimum(left, right).ceil().clamp(min=0)
    last = torch.maximum(left, right).ceil().clamp(max=width)
    span, column = _counted((last - first).clamp(min=0).long())
    return which[number[span]], row[span], column + first.long()[span]


def area(xy: Tensor) -> Tensor:
    """(M,) twice the area of triangles (M, 3, 2), positive where clockwise with y down."""
    (x0, x1, x2), (y0, y1, y2) = (part.unbind(-1) for part in xy.unbind(-1))
    return (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)


def bilinear(texels: Tensor, start: Tensor, stride: Tensor | int, place: Tensor) -> Tensor:
    """(F, C) f32: ``texels`` (M, C), interpolated at ``place`` (F, 2), column and row in an image that begins at texel
    ``start`` (F,) and whose rows are ``stride`` texels long."""
    whole = place.floor()
    (fx, fy), (column, row) = (place - whole)[..., None].unbind(1), whole.long().unbind(1)
    first = start + row * stride + column
    top = texels[first] * (1 - fx) + texels[first + 1] * fx
    low = texels[first + stride] * (1 - fx) + texels[first + stride + 1] * fx
    return top + fy * (low - top)


def _counted(counts: Tensor) -> tuple[Tensor, Tensor]:
    """``counts`` (M,), items of each owner -> the owner of every item and the item's number there, (sum,) each."""
    owner = torch.repeat_interleave(counts)
    number = torch.arange(len(owner), device=counts.device) - (counts.cumsum(0) - counts)[owner]
    return owner, number


def _run(x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor) -> Tensor:
    return torch.where(y1 > y0, (x1 - x0) / (y1 - y0), 0.0)


def _pixels(xy: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
    """The triangles' pixels: numbers of the pixel in all ``frames`` and of the triangle in ``xy`` (N, T, 3, 2), (F,)
    each."""
    height, width = frames.shape[1:3]
    triangle, row, column = fragments(xy.flatten(0, 1), height, width)
    frame = triangle // max(xy.shape[1], 1)
    return (frame * height + row) * width + column, triangle


def _colours(
    frames: Tensor, texture: Texture, corners: Corners, pixel: Tensor, triangle: Tensor
) -> tuple[Tensor, Tensor]:
    """Shaded and premultiplied colour (F, 3) and opacity (F,) of the pixels ``pixel`` (F,) in ``triangle`` (F,)."""
    height, width = frames.shape[1:3]
    xy, uv = corners.xy.flatten(0, 1)[triangle], corners.uv.flatten(0, 1)[triangle]
    light = torch.stack([corners.shade, corners.opacity], -1).flatten(0, 1)[triangle]
    at = torch.stack([pixel % width, pixel // width % height], 1).to(xy.dtype)
    (bx, by), (cx, cy), (px, py) = ((p - xy[:, 0]).unbind(1) for p in (xy[:, 1], xy[:, 2], at))
    whole = bx * cy - cx * by
    shares = torch.stack([(px * cy - cx * py) / whole, (bx * py - px * by) / whole], 1)[..., None]
    place, shaded = (v[:, 0] + (shares * (v[:, 1:] - v[:, :1])).sum(1) for v in (uv, light))
    place = torch.minimum(torch.maximum(place, uv.amin(1)), uv.amax(1)) + 1
    texels = texture.texels
    start = texture.which[pixel // (width * height)] * (texels.shape[1] * texels.shape[2])
    texel = bilinear(texels.view(-1, 4), start, texels.shape[2], place)
    shade, opacity = shaded[:, 0], shaded[:, 1].clamp(0, 1)
    return texel[:, :3] * (shade * opacity)[:, None], texel[:, 3] * opacity / 255
