"""Textures of closed lids, which a picture of open eyes does not show.

When a lid closes, the few pixels between its crease and its edge are stretched over the whole eye, and lashes would
smear into streaks. So a second texture, which `animator.render.eyes.lidskin` makes, is faded in while the eye shuts, or
the one of `animator.render.eyes.drawn_lids` for drawings, whose lids end in the drawn line.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.space import INDEX
from animator.portrait.geometry.topology import BROW_LOWER_EDGES
from animator.portrait.portrait import Portrait
from animator.render.eyes.drawn_lids import Ink, plain, steps
from animator.render.eyes.lidskin import Patch, shut
from animator.render.kernels.arrays import Floats, Image, Ints, Real, f32
from animator.render.kernels.jit import kernel
from animator.render.kernels.lookup import below_line, mix
from animator.render.surface.holes import coverage, covered
from animator.render.surface.raster import Texture, pack

BAND_HEIGHT = 0.05  # face widths above the edge of the lid that may hold lashes, liner and shadow
# Lower edge of the brow, left to right
_BROW_EDGES = {"left": BROW_LOWER_EDGES["left"], "right": BROW_LOWER_EDGES["right"][::-1]}
FADE_RANGE = (0.08, 0.55)  # closure between which the texture changes
HANG_RANGE = (0.6, 0.95)  # closure between which the lashes arrive under the eye
# Largest share of visible steps at the seam of a painted lid: up to .04 in drawings, from .1 in photographs.
_MOST_STEPS = 0.07
_LANE_MASK = np.uint64(0x00FF00FF00FF00FF)
_LANE_HALF = np.uint64(0x0080008000800080)


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
    made = _painted(patches, _openings(portrait, patches)) if portrait.drawing.lids else None
    made = made or [(shut(patch), None) for patch in patches]
    left, right = zip(patches, made, strict=True)
    return _lid(portrait, "left", left[0], *left[1]), _lid(portrait, "right", right[0], *right[1])


def close(texture: Texture, lid: Lid, closure: float) -> None:
    """Set the part of ``texture`` that belongs to ``lid`` to what it shows at ``closure``, 0 to 1."""
    share, late = (np.uint64(round(256 * part)) for part in (fade(closure), fade(closure, HANG_RANGE)))
    x, y = lid.corner
    shares = np.where(lid.late, late, share)
    mixed = lid.opened * (np.uint64(256) - shares) + lid.shut * shares + _LANE_HALF
    texture[y : y + lid.shut.shape[0], x : x + lid.shut.shape[1]] = (mixed >> np.uint64(8)) & _LANE_MASK


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


def fade(closure: float, between: tuple[float, float] = FADE_RANGE) -> float:
    """How far, 0 to 1, a lid has faded to its shut texture, which it does ``between`` two closures."""
    t = min(max((closure - between[0]) / (between[1] - between[0]), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _patch(portrait: Portrait, side: str) -> Patch:
    rim = portrait.contours[f"eye_{side}_upper"]
    upper, lower = (_line(portrait.vertices[portrait.contours[f"eye_{side}_{lid}"]]) for lid in ("upper", "lower"))
    shut = _line(portrait.vertices[rim] + portrait.shapes[INDEX[f"eyeBlink{side.title()}"], rim])
    brow = _line(portrait.landmarks[list(_BROW_EDGES[side])])
    room = float(np.median(upper[2:-2, 1]) - np.median(brow[:, 1]))
    band = float(np.clip(0.6 * room, 0.025 * portrait.face_width, BAND_HEIGHT * portrait.face_width))
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


def _painted(patches: list[Patch], openings: list[NDArray[np.bool_]]) -> list[tuple[Floats, Ink]] | None:
    """Painted lids of drawings; None where they do not match their surroundings, which are then no flat drawing."""
    made = [plain(patch, opening) for patch, opening in zip(patches, openings, strict=True)]
    both = zip(patches, openings, made, strict=True)
    return made if max(steps(patch, opening, lid) for patch, opening, (lid, _) in both) < _MOST_STEPS else None


def _openings(portrait: Portrait, patches: list[Patch]) -> list[NDArray[np.bool_]]:
    """(h, w) what lies between the lids, in the patches of the left and the right eye."""
    found: list[NDArray[np.bool_]] = []
    for side, patch in zip(("left", "right"), patches, strict=True):
        upper, lower = (portrait.vertices[portrait.contours[f"eye_{side}_{lid}"], :2] for lid in ("upper", "lower"))
        share = np.zeros(patch.pixels.shape[:2], np.float32)
        coverage(f32(upper), f32(lower), patch.corner, share)
        found.append(share > 0)
    return found


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
