"""The skin of closed lids, which a picture of open eyes does not show.

When a lid closes, the few pixels between its crease and its edge are stretched over the whole eye, and lashes would
smear into streaks. So a second texture, which `animator.render.eyes.lidskin` makes, is faded in while the eye shuts. In
a drawing the lid is of one colour, and the line is the drawn one.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.space import INDEX
from animator.portrait.portrait import Portrait
from animator.render.eyes.lidskin import Patch, shut
from animator.render.kernels.arrays import Floats, Image, Ints, Real, f32
from animator.render.kernels.jit import kernel
from animator.render.kernels.lookup import below_line, mix
from animator.render.surface.holes import covered
from animator.render.surface.raster import Texture, pack

BAND = 0.05  # face widths above the edge of the lid that may hold lashes, liner and shadow
_BROWS = {"left": (285, 295, 282, 283, 276), "right": (46, 53, 52, 65, 55)}  # lower edge of the brow, left to right
FADE = (0.08, 0.55)  # closure between which the texture changes
HANG = (0.6, 0.95)  # closure between which the lashes arrive under the eye
LEAST_INK, MOST_INK = 0.25, 0.6  # bands, breadth of the line of a drawn eye
_PAINT = 6.0  # of 255, by which paint differs from what it covers
_OVER = 3  # px across the end of the paint
_SEAM = 16.0  # of 255, a step that is seen
_SEAMLESS = 0.5  # share of such steps, below which paint is used: 0 to 0.43 in drawings, 0.59 to 1 in photographs
_PALE = 40.0  # of 255, by which a line above an eye differs from the skin
_LANES = np.uint64(0x00FF00FF00FF00FF)
_HALF = np.uint64(0x0080008000800080)


class Ink(NamedTuple):
    """The line above a drawn eye: ``colour`` (3,) and ``breadth`` px."""

    colour: Floats
    breadth: float


@dataclass(frozen=True, slots=True)
class Lid:
    """A part of the packed texture: its ``corner`` (x, y), and what it shows with the eye ``opened`` and ``shut``.

    Where it is ``late`` (h, w), it changes when the lashes arrive there. ``edge`` are the vertices of the upper lid's
    edge, along which a drawing has ``ink``.
    """

    corner: tuple[int, int]
    opened: Texture
    shut: Texture
    late: NDArray[np.bool_]
    edge: Ints
    ink: Ink | None


def lids(portrait: Portrait) -> tuple[Lid, Lid]:
    """Textures for the left and the right eye."""
    patches = [_patch(portrait, side) for side in ("left", "right")]
    made = [_plain(patch) for patch in patches] if portrait.drawing.lids else []
    if not made or not all(_blends(patch, closed) for patch, (closed, _) in zip(patches, made, strict=True)):
        made = [(shut(patch), None) for patch in patches]
    left, right = zip(patches, made, strict=True)
    return _lid(portrait, "left", left[0], *left[1]), _lid(portrait, "right", right[0], *right[1])


def close(texture: Texture, lid: Lid, closure: float) -> None:
    """Set the part of ``texture`` that belongs to ``lid`` to what it shows at ``closure``, 0 to 1."""
    share, late = (np.uint64(round(256 * part)) for part in (fade(closure), fade(closure, HANG)))
    x, y = lid.corner
    shares = np.where(lid.late, late, share)
    mixed = lid.opened * (np.uint64(256) - shares) + lid.shut * shares + _HALF
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


def fade(closure: float, between: tuple[float, float] = FADE) -> float:
    """How far, 0 to 1, a lid has faded to its shut texture, which it does ``between`` two closures."""
    t = min(max((closure - between[0]) / (between[1] - between[0]), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _patch(portrait: Portrait, side: str) -> Patch:
    rim = portrait.contours[f"eye_{side}_upper"]
    upper, lower = (_line(portrait.vertices[portrait.contours[f"eye_{side}_{lid}"]]) for lid in ("upper", "lower"))
    shut = _line(portrait.vertices[rim] + portrait.shapes[INDEX[f"eyeBlink{side.title()}"], rim])
    brow = _line(portrait.landmarks[list(_BROWS[side])])
    room = float(np.median(upper[2:-2, 1]) - np.median(brow[:, 1]))
    band = float(np.clip(0.6 * room, 0.025 * portrait.face_width, BAND * portrait.face_width))
    height, width = portrait.picture.shape[:2]
    low = (upper.min(axis=0) - (2.5 * band, room + 4)).clip(0, (width - 16, height - 16))
    high = np.maximum.reduce([line.max(axis=0) for line in (upper, lower, shut)]) + (2.5 * band, 1.7 * band + 4)
    left, top = (int(v) for v in low)
    right, bottom = (int(v) for v in high.clip(low + 16, (width, height)))
    below_lid, below_brow, below_eye = (np.empty((bottom - top, right - left), np.float32) for _ in range(3))
    for line, out in ((upper, below_lid), (brow, below_brow), (shut, below_eye)):
        below_line(line, left, top, out)
    xs = np.arange(left, right, dtype=np.float32)[None]
    within = np.minimum(xs - upper[0, 0], upper[-1, 0] - xs) + np.zeros_like(below_lid)
    pixels = portrait.picture[top:bottom, left:right].astype(np.float32)
    return Patch((left, top), pixels, -below_lid, below_brow, below_eye, within, band, portrait.face_width)


def _line(points: Floats) -> Floats:
    return np.ascontiguousarray(points[:, :2], np.float32)


def _lid(portrait: Portrait, side: str, patch: Patch, closed: Floats, ink: Ink | None) -> Lid:
    seen = patch.pixels.astype(np.uint8)
    made = closed.round().clip(0, 255).astype(np.uint8)
    rows, columns = (np.flatnonzero((seen != made).any(axis=(axis, 2))) for axis in (1, 0))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 1)
    x, y = patch.corner
    changed = np.s_[top:bottom, left:right]
    textures = [pack(image[changed])[1:-1, 1:-1] for image in (seen, made)]
    upper = portrait.contours[f"eye_{side}_upper"]
    late = ((patch.above < 0) & (patch.under > -0.5))[changed] & (ink is None)
    return Lid((x + left + 1, y + top + 1), textures[0], textures[1], late, upper, ink)


def _blends(patch: Patch, closed: Floats) -> bool:
    """Whether a lid ``closed`` (h, w, 3) of one colour looks like its surroundings: hardly a step where its paint ends,
    or, where nothing needed paint, like the skin above it."""
    painted = np.abs(closed - patch.pixels).max(axis=2) > _PAINT
    eye = (patch.above < 0) & (patch.under < 0.5) & (patch.within > 0)
    eye = cv2.dilate(eye.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    steps: list[Floats] = []
    for start, end in ((np.s_[:-_OVER], np.s_[_OVER:]), (np.s_[:, :-_OVER], np.s_[:, _OVER:])):
        seam = (painted[start] != painted[end]) & ~eye[start] & ~eye[end]
        steps.append(np.abs(closed[start] - closed[end]).max(axis=2)[seam])
    if not any(len(part) for part in steps):
        lid = closed[(patch.above > 0) & (patch.above < patch.band) & (patch.within > 0)]
        steps = [np.abs(lid - np.median(lid, axis=0)).max(axis=1)] if len(lid) else []
    return bool(steps) and float((np.concatenate(steps) > _SEAM).mean()) < _SEAMLESS


def _plain(patch: Patch) -> tuple[Floats, Ink]:
    """The lid (h, w, 3) of a drawing without the line above the eye, and that line."""
    around = (patch.above > 1.2 * patch.band) & (patch.brow > 2)
    if not around.any():
        around = np.abs(patch.under - 0.45 * patch.band) < 0.3 * patch.band
    skin = np.median(patch.pixels[around], axis=0)
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


def _lash(patch: Patch) -> Floats:
    """(3,) the dark colour of the lid's edge and lashes."""
    edge = patch.pixels[(np.abs(patch.above) < 1.5) & (patch.within > 0)]
    if not len(edge):  # an eye in profile has hardly an edge
        edge = patch.pixels.reshape(-1, 3)
    luma = edge.mean(axis=1)
    return edge[luma <= np.percentile(luma, 25)].mean(axis=0)
