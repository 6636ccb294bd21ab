"""The skin of closed lids: what an open eye's picture does not show.

When a lid closes, the few pixels between its crease and its edge are stretched over the whole eye, and lashes would
smear into streaks. So a second texture without lashes, filled from the skin above and ended by a thin line of lashes,
is faded in while the eye shuts.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from animator.portrait.portrait import Portrait
from animator.render.arrays import Floats
from animator.render.lookup import below_line
from animator.render.raster import Texture, pack

BAND = 0.05  # face widths above the edge of the lid that may hold lashes, liner and shadow
_BROWS = {"left": (285, 295, 282, 283, 276), "right": (46, 53, 52, 65, 55)}  # lower edge of the brow, left to right
FADE = (0.15, 0.75)  # closure between which the texture changes
CHEEK = 0.5  # share of the cheek in the colour of the lid
_CHEEKS = {"left": (347, 330, 280, 425, 329), "right": (118, 101, 50, 205, 100)}
LINE = 0.95  # px, half width of the line of lashes
_LANES = np.uint64(0x00FF00FF00FF00FF)
_HALF = np.uint64(0x0080008000800080)


@dataclass(frozen=True, slots=True)
class Lid:
    """A part of the packed texture: its ``corner`` (x, y), and what it shows with the eye ``opened`` and ``shut``."""

    corner: tuple[int, int]
    opened: Texture
    shut: Texture


def lids(portrait: Portrait) -> tuple[Lid, Lid]:
    """Textures for the left and the right eye."""
    return _lid(portrait, "left"), _lid(portrait, "right")


def close(texture: Texture, lid: Lid, closure: float) -> None:
    """Set the part of ``texture`` that belongs to ``lid`` to what it shows at ``closure``, 0 to 1."""
    t = min(max((closure - FADE[0]) / (FADE[1] - FADE[0]), 0.0), 1.0)
    share = round(256 * t * t * (3 - 2 * t))
    x, y = lid.corner
    mixed = lid.opened * np.uint64(256 - share) + lid.shut * np.uint64(share) + _HALF
    texture[y : y + lid.shut.shape[0], x : x + lid.shut.shape[1]] = (mixed >> np.uint64(8)) & _LANES


def _lid(portrait: Portrait, side: str) -> Lid:
    upper = portrait.vertices[portrait.contours[f"eye_{side}_upper"], :2].astype(np.float32)
    lower = portrait.vertices[portrait.contours[f"eye_{side}_lower"], :2].astype(np.float32)
    brow = portrait.landmarks[list(_BROWS[side]), :2].astype(np.float32)
    room = float(np.median(upper[2:-2, 1]) - np.median(brow[:, 1]))
    band = float(np.clip(0.45 * room, 0.025 * portrait.face_width, BAND * portrait.face_width))
    height, width = portrait.picture.shape[:2]
    low = (upper.min(axis=0) - (2.5 * band, room + 4)).clip(0, (width - 16, height - 16))
    high = np.maximum(upper.max(axis=0), lower.max(axis=0)) + (2.5 * band, 4)
    left, top = (int(v) for v in low)
    right, bottom = (int(v) for v in high.clip(low + 16, (width, height)))
    opened = portrait.picture[top:bottom, left:right]
    pixels = opened.astype(np.float32)
    above, under_brow, under_lid = (np.empty(pixels.shape[:2], np.float32) for _ in range(3))
    for line, out in ((upper, above), (brow, under_brow), (lower, under_lid)):
        below_line(line, left, top, out)
    above = -above
    xs = np.arange(left, right, dtype=np.float32)[None] + np.zeros_like(above)
    within = np.minimum(xs - upper[0, 0], upper[-1, 0] - xs)  # px from the nearer corner of the eye
    plain = _plain(pixels, above, under_brow, band, _cheek(portrait, side))
    plain *= (1 - 0.10 * np.clip(1 - above / band, 0, 1) ** 2)[..., None]
    line = np.exp(-((above / LINE) ** 2)) * np.clip(within / (0.12 * (upper[-1, 0] - upper[0, 0])), 0, 1)
    plain += (_lash(pixels, above, within) - plain) * (0.8 * line)[..., None]
    mask = np.clip((1.9 * band - above) / (0.9 * band), 0, 1) * np.clip(1 + within / (0.8 * band), 0, 1)
    mask *= np.clip(above + 4, 0, 1) * np.clip(0.5 - under_lid, 0, 1)
    mask = (mask * mask * (3 - 2 * mask))[..., None]
    closed = (pixels + mask * (plain - pixels)).round().clip(0, 255).astype(np.uint8)
    inner = np.s_[1:-1, 1:-1]
    return Lid((left + 1, top + 1), pack(opened)[inner], pack(closed)[inner])


def _cheek(portrait: Portrait, side: str) -> Floats:
    """(3,) the colour of the skin under the eye."""
    points = portrait.landmarks[list(_CHEEKS[side]), :2].round().astype(np.int32)
    mask = cv2.fillConvexPoly(np.zeros(portrait.picture.shape[:2], np.uint8), cv2.convexHull(points), (1,))
    return np.median(portrait.picture[mask > 0], axis=0)


def _plain(pixels: Floats, above: Floats, under_brow: Floats, band: float, cheek: Floats) -> Floats:
    """The lid (h, w, 3) without lashes and liner, going on below its edge, with the grain of the skin above it.

    The skin around an open eye is in its own shadow, which a lid that lies over the ball leaves: so it is drawn
    towards the ``cheek``.
    """
    luma = pixels.mean(axis=2)
    clean = (above > 0.6 * band) & (under_brow > 1.5)
    if clean.sum() < 20:
        clean = above > 0.6 * band
    near = clean & (above < 2.5 * band)
    if near.any():
        clean &= luma >= np.percentile(luma[near], 35)
    skin = _skin(pixels, clean.astype(np.float32), 0.5 * band)
    skin += CHEEK * (0.92 * cheek - skin)
    dark = np.clip((skin.mean(axis=2) - luma - 4) / 14, 0, 1)
    own = ((above > 0.5) & (under_brow > 1)).astype(np.float32) * (1 - dark)
    mixed = skin + own[..., None] * (pixels - skin)
    smooth = cv2.GaussianBlur(mixed, (0, 0), sigmaX=1.5, sigmaY=2.5)
    fine = (pixels - cv2.GaussianBlur(pixels, (0, 0), 1.5)) * clean[..., None]
    return smooth + 0.7 * np.roll(fine, round(1.3 * band), axis=0).clip(-10, 10)


def _skin(pixels: Floats, known: Floats, sigma: float) -> Floats:
    """``pixels`` (h, w, 3) where ``known`` (h, w) is 1, and what lies near in the rest."""
    total, weight = np.zeros_like(pixels), np.zeros_like(known)
    for wider in (1, 2, 4):  # near pixels count most, far ones where there are no others
        share = cv2.GaussianBlur(known, (0, 0), wider * sigma)
        total += cv2.GaussianBlur(pixels * known[..., None], (0, 0), wider * sigma) * 0.05 ** (wider // 2)
        weight += share * 0.05 ** (wider // 2)
    return total / np.maximum(weight, 1e-6)[..., None]


def _lash(pixels: Floats, above: Floats, within: Floats) -> Floats:
    """(3,) the dark colour of the edge of the lid."""
    edge = pixels[(np.abs(above) < 1.5) & (within > 0)]
    if not len(edge):  # an eye in profile has hardly an edge
        edge = pixels.reshape(-1, 3)
    luma = edge.mean(axis=1)
    return edge[luma <= np.percentile(luma, 25)].mean(axis=0)
