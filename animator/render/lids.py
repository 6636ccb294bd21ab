"""The skin of closed lids: what an open eye's picture does not show.

When a lid closes, the few pixels between its crease and its edge are stretched over the whole eye, and lashes would
smear into streaks. So a second texture without lashes, filled in between the skin above and that under the eye and
ended by a thin line of lashes, is faded in while the eye shuts. In a drawing the lid is of one colour, and the line is
the drawn one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from animator.portrait.portrait import Portrait
from animator.render.arrays import Floats, Image, Ints, Real, f32
from animator.render.holes import covered
from animator.render.jit import kernel
from animator.render.lookup import below_line, mix
from animator.render.raster import Texture, pack

BAND = 0.05  # face widths above the edge of the lid that may hold lashes, liner and shadow
_BROWS = {"left": (285, 295, 282, 283, 276), "right": (46, 53, 52, 65, 55)}  # lower edge of the brow, left to right
FADE = (0.08, 0.55)  # closure between which the texture changes
EDGE = 0.10  # by which the lid darkens towards its lashes
LASHES = 12.0  # of 255, by which lashes and liner are darker than the skin
LEAST_INK, MOST_INK = 0.25, 0.6  # bands, breadth of the line of a drawn eye
_PALE = 40.0  # of 255, by which a line above an eye differs from the skin
LINE = 0.0045  # face widths, half width of the line of lashes
_LANES = np.uint64(0x00FF00FF00FF00FF)
_HALF = np.uint64(0x0080008000800080)


class Ink(NamedTuple):
    """The line above a drawn eye: ``colour`` (3,) and ``breadth`` px."""

    colour: Floats
    breadth: float


@dataclass(frozen=True, slots=True)
class Lid:
    """A part of the packed texture: its ``corner`` (x, y), and what it shows with the eye ``opened`` and ``shut``.

    ``edge`` are the vertices of the upper lid's edge, along which a drawing has ``ink``.
    """

    corner: tuple[int, int]
    opened: Texture
    shut: Texture
    edge: Ints
    ink: Ink | None


def lids(portrait: Portrait) -> tuple[Lid, Lid]:
    """Textures for the left and the right eye."""
    flat = portrait.drawing.lids
    return _lid(portrait, "left", flat), _lid(portrait, "right", flat)


def close(texture: Texture, lid: Lid, closure: float) -> None:
    """Set the part of ``texture`` that belongs to ``lid`` to what it shows at ``closure``, 0 to 1."""
    share = round(256 * fade(closure))
    x, y = lid.corner
    mixed = lid.opened * np.uint64(256 - share) + lid.shut * np.uint64(share) + _HALF
    texture[y : y + lid.shut.shape[0], x : x + lid.shut.shape[1]] = (mixed >> np.uint64(8)) & _LANES


def draw(frame: Image, lid: Lid, xy: Floats, closure: float) -> None:
    """Paint the line of a drawn ``lid`` into ``frame`` at ``closure``, 0 to 1; ``xy`` (V, 2) px."""
    share = fade(closure)
    if not lid.ink or share == 0:
        return
    edge = xy[lid.edge]
    way = np.gradient(edge, axis=0)
    up = np.stack([way[:, 1], -way[:, 0]], axis=1) / (np.linalg.norm(way, axis=1, keepdims=True) + 1e-3)
    taper = np.minimum(np.linspace(0, 4, len(edge)), np.linspace(4, 0, len(edge))).clip(0, 1)[:, None]
    corner, covers = covered(f32(edge + lid.ink.breadth * taper * up), f32(edge - 0.7 * up), frame)
    _tint(frame, covers, corner, lid.ink.colour, np.float32(min(8 * share, 1)))


@kernel
def _tint(frame: Image, covers: Floats, corner: tuple[int, int], colour: Floats, share: Real) -> None:
    for row in range(covers.shape[0]):
        for column in range(covers.shape[1]):
            mix(frame, row + corner[1], column + corner[0], colour, share * covers[row, column])


def fade(closure: float) -> float:
    """How far, 0 to 1, a lid has taken on the looks of a shut one."""
    t = min(max((closure - FADE[0]) / (FADE[1] - FADE[0]), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@dataclass(frozen=True, slots=True)
class _Patch:
    """The part of the picture around an upper lid; all (h, w).

    ``above`` px above the edge of the lid, ``brow`` px below the brow, ``under`` px below the lower lid, ``within`` px
    from the nearer corner of the eye; ``band`` px above the edge that may hold lashes, liner and shadow.
    """

    corner: tuple[int, int]
    pixels: Floats
    above: Floats
    brow: Floats
    under: Floats
    within: Floats
    band: float


def _patch(portrait: Portrait, side: str) -> _Patch:
    upper, lower = (_line(portrait.vertices[portrait.contours[f"eye_{side}_{lid}"]]) for lid in ("upper", "lower"))
    brow = _line(portrait.landmarks[list(_BROWS[side])])
    room = float(np.median(upper[2:-2, 1]) - np.median(brow[:, 1]))
    band = float(np.clip(0.6 * room, 0.025 * portrait.face_width, BAND * portrait.face_width))
    height, width = portrait.picture.shape[:2]
    low = (upper.min(axis=0) - (2.5 * band, room + 4)).clip(0, (width - 16, height - 16))
    high = np.maximum(upper.max(axis=0), lower.max(axis=0)) + (2.5 * band, 0.5 * band + 4)
    left, top = (int(v) for v in low)
    right, bottom = (int(v) for v in high.clip(low + 16, (width, height)))
    below_lid, below_brow, below_eye = (np.empty((bottom - top, right - left), np.float32) for _ in range(3))
    for line, out in ((upper, below_lid), (brow, below_brow), (lower, below_eye)):
        below_line(line, left, top, out)
    xs = np.arange(left, right, dtype=np.float32)[None]
    within = np.minimum(xs - upper[0, 0], upper[-1, 0] - xs) + np.zeros_like(below_lid)
    pixels = portrait.picture[top:bottom, left:right].astype(np.float32)
    return _Patch((left, top), pixels, -below_lid, below_brow, below_eye, within, band)


def _line(points: Floats) -> Floats:
    return np.ascontiguousarray(points[:, :2], np.float32)


def _lid(portrait: Portrait, side: str, flat: bool) -> Lid:
    patch = _patch(portrait, side)
    closed, ink = _plain(patch) if flat else (_shut(patch, LINE * portrait.face_width), None)
    mask = np.ones_like(patch.above) if flat else _where(patch)
    mask = (mask * mask * (3 - 2 * mask))[..., None]
    shut = (patch.pixels + mask * (closed - patch.pixels)).round().clip(0, 255).astype(np.uint8)
    inner = np.s_[1:-1, 1:-1]
    left, top = patch.corner
    upper = portrait.contours[f"eye_{side}_upper"]
    return Lid((left + 1, top + 1), pack(patch.pixels.astype(np.uint8))[inner], pack(shut)[inner], upper, ink)


def _where(patch: _Patch) -> Floats:
    """(h, w) where the lid without lashes takes the place of the picture: 0 to 1."""
    mask = np.clip((1.9 * patch.band - patch.above) / (0.6 * patch.band), 0, 1)
    mask *= np.clip((patch.within + 1.3 * patch.band) / (0.6 * patch.band), 0, 1)
    return mask * np.clip(patch.above + 4, 0, 1) * np.clip(0.5 - patch.under, 0, 1)


def _shut(patch: _Patch, line: float) -> Floats:
    """The lid (h, w, 3) over the ball, with the grain of the skin above it, ended by lashes ``line`` px thick."""
    own = _own(patch)
    plain = _filled(patch.pixels, own, patch.above, _edge(patch))
    own = cv2.GaussianBlur(cv2.erode(own, np.ones((3, 3), np.uint8)), (0, 0), 0.8)
    plain += own[..., None] * (patch.pixels - plain)
    fine = (patch.pixels - cv2.GaussianBlur(patch.pixels, (0, 0), 1.5)) * own[..., None]
    plain += 0.7 * np.roll(fine, round(1.1 * patch.band), axis=0).clip(-6, 6) * (1 - own)[..., None]
    plain *= (1 - EDGE * np.clip(1 - patch.above / patch.band, 0, 1) ** 3)[..., None]
    taper = np.clip(patch.within / (0.24 * patch.within.max()), 0, 1)
    dark = 0.8 * taper * np.exp(-((patch.above / line) ** 2))
    return plain + (_lash(patch) - plain) * dark[..., None]


def _edge(patch: _Patch) -> Floats:
    """(w, 3) colours of the skin right under the eye, which those of the lid come close to where the two meet."""
    soft = cv2.GaussianBlur(patch.pixels, (0, 0), 0.25 * patch.band)
    rows = np.abs(patch.under - 0.45 * patch.band).argmin(axis=0)
    colours = soft[rows, np.arange(len(rows))]
    return np.asarray(cv2.GaussianBlur(colours[None], (0, 0), 0.3 * patch.band)[0], np.float32)


def _own(patch: _Patch) -> Floats:
    """(h, w) 1 where the picture shows the skin of the lid, 0 at lashes, liner, their shadow, and in the eye."""
    above, band = patch.above, patch.band
    luma = patch.pixels.mean(axis=2)
    clear = ((above > 0.6 * band) & (patch.brow > 1.5)).astype(np.float32)
    skin = cv2.GaussianBlur(clear * luma, (0, 0), band) / np.maximum(cv2.GaussianBlur(clear, (0, 0), band), 1e-3)
    near = (np.abs(above) < 1.3 * band) & (patch.within > -1.3 * band) & (patch.brow > 1)
    hidden = near & (luma < skin - LASHES)
    hidden |= (above < 0.55 * band) & (patch.within > -0.2 * band)
    hidden |= (above < 0.3 * band) & (patch.within > -0.5 * band)
    return 1 - cv2.dilate(hidden.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)


def _filled(pixels: Floats, own: Floats, above: Floats, edge: Floats) -> Floats:
    """``pixels`` (h, w, 3) where ``own`` (h, w) is 1; elsewhere as smooth as can be (Laplace's equation) between those
    and the colours ``edge`` (w, 3) along the edge of the lid."""
    weight = cv2.GaussianBlur(own, (0, 0), 2.0)[..., None]
    smooth = cv2.GaussianBlur(pixels * own[..., None], (0, 0), 2.0) / np.maximum(weight, 1e-6)
    known = np.where((above < 0.5)[..., None], edge[None], np.where(weight > 1e-3, smooth, pixels))
    free = (own < 0.5) & (above >= 0.5)
    free[[0, -1]] = free[:, [0, -1]] = False
    number = np.full(free.shape, -1)
    number[free] = np.arange(free.sum())
    ys, xs = np.nonzero(free)
    total = np.zeros((len(ys), 3))
    entries = [(np.arange(len(ys)), np.arange(len(ys)), np.full(len(ys), 4.0))]
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beside = number[ys + dy, xs + dx]
        inner = beside >= 0
        entries.append((np.flatnonzero(inner), beside[inner], np.full(inner.sum(), -1.0)))
        total[~inner] += known[ys + dy, xs + dx][~inner]
    filled = known.astype(np.float32)
    if len(ys):
        rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        filled[free] = splu(coo_array((values, (rows, columns)), (len(ys), len(ys))).tocsc()).solve(total)
    return filled


def _plain(patch: _Patch) -> tuple[Floats, Ink]:
    """The lid (h, w, 3) of a drawing without the line above the eye, and that line."""
    around = (patch.above > 1.2 * patch.band) & (patch.brow > 2)
    skin = np.median(patch.pixels[around], axis=0) if around.any() else _edge(patch).mean(axis=0)
    lash = _lash(patch)
    if np.abs(skin - lash).max() < _PALE:  # no line above the eye: a dot, whose own colour will do
        inside = patch.pixels[(patch.above < 0) & (patch.under < 0) & (patch.within > 0)]
        if len(inside):
            lash = inside[inside.mean(axis=1) <= np.percentile(inside.mean(axis=1), 15)].mean(axis=0)
        return patch.pixels, Ink(f32(lash), LEAST_INK * patch.band)
    apart = skin - lash
    ink = ((skin - patch.pixels) @ apart / max(float(apart @ apart), 1.0)).clip(0, 1)
    ink[(patch.above < 0) & (patch.under < 0.5) & (patch.within > 0)] = 0
    ink *= (patch.brow > 1) & (patch.under < patch.band) & (patch.within > -2 * patch.band)
    _, parts = cv2.connectedComponents((ink > 0.3).astype(np.uint8))
    ink *= np.isin(parts, parts[(np.abs(patch.above - 1) < 1.5) & (patch.within > 0)])
    over = (ink * (patch.above > 0) * (patch.above < 2 * patch.band)).sum(axis=0)
    middle = over[patch.within[0] > 0.25 * patch.within.max()]
    breadth = float(np.median(middle)) if len(middle) else 0.0
    there = cv2.dilate((ink > 0.3).astype(np.float32), np.ones((5, 5), np.uint8))[..., None]
    line = Ink(f32(lash), min(max(breadth, LEAST_INK * patch.band), MOST_INK * patch.band))
    return (patch.pixels + there * (skin - patch.pixels)).astype(np.float32), line


def _lash(patch: _Patch) -> Floats:
    """(3,) the dark colour of the edge of the lid."""
    edge = patch.pixels[(np.abs(patch.above) < 1.5) & (patch.within > 0)]
    if not len(edge):  # an eye in profile has hardly an edge
        edge = patch.pixels.reshape(-1, 3)
    luma = edge.mean(axis=1)
    return edge[luma <= np.percentile(luma, 25)].mean(axis=0)
