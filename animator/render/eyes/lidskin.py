"""The skin of a shut lid: the texture from which the lid is drawn once it lies over the ball.

All is done on strips along the rim of a lid: rows are px above the upper rim (or below the lower one), columns those of
the picture. What is stretched over the ball gets the colours of the lid without its lashes, kept near those of the
skin around, and the grain of the skin under the eye, which is of the same kind and lies in the same light. The lashes
of the open eye, which turn over with the lid, come to hang from its edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from animator.motion.rows.filters import smoothstep
from animator.render.kernels.arrays import Floats, f32

LASH_WIDTH = 0.010  # face widths: what is dark and narrower is a lash, not a crease
BROW_SHARE = 0.5  # share of the way to the brow over which the skin of the lid fades into the picture
FLAT_CONTRAST = 0.5  # share of its contrast that the stretched part of the lid keeps
# Shares of the skin's luma by which a lid may differ in light and in tint from the skin around.
MOST_LIGHT_OFFSET, MOST_TINT_OFFSET = 0.22, 0.06
LEAST_OFFSET = 4.0  # of 255, by which it may differ anyway
DARKEST_LID = 0.6  # of the luma of the skin under the eye: what is darker is no lid
LASH_CONTRAST = 12.0  # of 255, by which lashes are darker than the lid
# Shares by which a lid is darker at its edge and at its ends, and lighter in its middle.
EDGE_SHADE, END_SHADE, BALL_LIGHT = 0.14, 0.10, 0.05
LINE_HALF_WIDTH = 0.0055  # face widths, half width of the line where the lids meet
LASH_SHARE = 0.85  # how much of that line is lashes
MOST_GRAIN = 9.0  # of 255, at most
# Length and darkness of lashes that hang, of those that stand; at most
HANGING_LENGTH, HANGING_DARKNESS, MOST_HANGING_DARKNESS = 0.6, 0.8, 0.45


@dataclass(frozen=True, slots=True)
class Patch:
    """The part of the picture around an eye; all (h, w).

    ``above`` px above the edge of the lid, ``brow`` px below the brow, ``under`` px below where that edge goes when the
    eye shuts, ``within`` px from the nearer corner of the eye; ``band`` px above the edge that may hold lashes, liner
    and shadow; ``unit`` px of a face's width.
    """

    corner: tuple[int, int]
    pixels: Floats
    above: Floats
    brow: Floats
    under: Floats
    within: Floats
    band: float
    unit: float


def shut(patch: Patch) -> Floats:
    """(h, w, 3) of ``patch`` with the eye shut: the skin above the edge of the upper lid and under that of the lower
    one."""
    upper = _strip(patch.pixels, patch.above[0], -1, int(3 * patch.band) + 2)
    lower = _strip(patch.pixels, -patch.under[0], 1, int(1.6 * patch.band) + 2)
    brow = _strip(patch.brow[..., None], patch.above[0], -1, len(upper))[..., 0]
    clean = _without_lashes(upper, brow, patch)
    standing = f32((clean.mean(axis=2) - upper.mean(axis=2)).clip(0))
    lid = _lined(patch, _back(_stretched(_likely(clean, lower, patch.band), lower, patch), patch.above), upper)
    where = _where(patch)
    lashes = smoothstep(
        (lid.mean(axis=2) - patch.pixels.mean(axis=2)) / LASH_CONTRAST - 0.5
    )  # beyond the corners, these only
    where *= np.where(patch.within > 0, 1, lashes)
    made = patch.pixels + where[..., None] * (lid - patch.pixels)
    return _hanging(patch, made, standing).clip(0, 255)


def _strip(image: Floats, start: Floats, way: int, rows: int) -> Floats:
    """(rows, w, C) of ``image`` (h, w, C) from the heights ``start`` (w,) up or down, as ``way`` is -1 or 1."""
    y = f32(start[None] + way * np.arange(rows)[:, None])
    x = np.arange(image.shape[1], dtype=np.float32)[None] + np.zeros_like(y)
    seen = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32).reshape(rows, image.shape[1], -1)


def _back(strip: Floats, rows: Floats) -> Floats:
    """(h, w, 3) of a ``strip`` (n, w, 3) at ``rows`` (h, w) px from its start."""
    x = np.arange(rows.shape[1], dtype=np.float32)[None] + np.zeros_like(rows)
    return np.asarray(cv2.remap(strip, x, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _where(patch: Patch) -> Floats:
    """(h, w) 0 to 1: where the skin of the lid takes the place of the picture."""
    mask = smoothstep((1.9 * patch.band - patch.above) / (0.7 * patch.band))
    mask = mask * smoothstep((patch.within + 1.1 * patch.band) / (0.7 * patch.band))
    room = np.maximum(patch.above + patch.brow, 1.0)
    mask = mask * smoothstep(patch.brow / (BROW_SHARE * room))
    return f32(mask * np.clip(patch.above + 4, 0, 1) * np.clip(0.5 - patch.under, 0, 1))


def _across(values: Floats, sigma: float) -> Floats:
    """``values`` (n, w, C) smoothed along their rows."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigmaX=sigma, sigmaY=0.1), np.float32).reshape(values.shape)


def _without_lashes(upper: Floats, brow: Floats, patch: Patch) -> Floats:
    """The strip ``upper`` without lashes and liner; ``brow`` (n, w) px that it lies below the brow."""
    reach = max(round(LASH_WIDTH * patch.unit / 2), 1)
    wide = cv2.morphologyEx(upper, cv2.MORPH_CLOSE, np.ones((1, 2 * reach + 1), np.uint8))
    clean = np.where((brow > 1.5)[..., None], _across(np.asarray(wide, np.float32), reach), upper)
    band = patch.band
    middle = patch.within[0] > 0.25 * patch.within.max()
    luma = clean[:, middle].mean(axis=(1, 2))
    first, last = max(int(0.22 * band), 1), max(int(0.75 * band), 2)
    bright = luma[first : max(int(1.2 * band), last + 1)].max()
    low = luma[: last + 1].min()
    reached = np.flatnonzero(luma[first:last] > low + 0.75 * (bright - low))
    base = first + (int(reached[0]) if len(reached) else last - first)
    skin = _across(clean[base : base + max(int(0.3 * band), 2)].mean(axis=0, keepdims=True), 0.5 * band)
    share = smoothstep((base + 0.25 * band - np.arange(len(clean))) / (0.25 * band))[:, None, None]
    return f32(clean + share * (skin - clean))


def _likely(clean: Floats, lower: Floats, band: float) -> Floats:
    """``clean`` with its colours kept near those of the skin above and under the eye, the strip ``lower``: brows,
    frames of glasses and what shines on them are not."""
    under = lower[int(0.4 * band) : int(1.5 * band) + 1]
    over = clean[int(0.2 * band) : int(1.3 * band) + 1]
    typical = np.median(under, axis=(0, 1))
    tint = np.linalg.norm((over - over.mean(axis=2, keepdims=True)) - (typical - typical.mean()), axis=2)
    like = (over.mean(axis=2) > DARKEST_LID * typical.mean()) & (tint < 2 * MOST_TINT_OFFSET * typical.mean())
    over = np.where(like[..., None], over, np.nan)
    skin = np.nanmedian(np.concatenate([over, under]), axis=0, keepdims=True).astype(np.float32)
    skin = _across(skin, 0.6 * band)
    luma = skin.mean(axis=2, keepdims=True)
    light = clean.mean(axis=2, keepdims=True) - luma
    tint = clean - skin - light
    size = np.linalg.norm(tint, axis=2, keepdims=True)
    light = light.clip(-MOST_LIGHT_OFFSET * luma - LEAST_OFFSET, MOST_LIGHT_OFFSET * luma + LEAST_OFFSET)
    return f32(skin + light + tint * np.minimum(1, (MOST_TINT_OFFSET * luma + LEAST_OFFSET) / np.maximum(size, 1e-3)))


def _stretched(clean: Floats, lower: Floats, patch: Patch) -> Floats:
    """The strip ``clean`` as it looks on the ball: its own contrasts fainter, its light that of a ball, the grain that
    of the skin under the eye, the strip ``lower``."""
    band, row = patch.band, np.arange(len(clean), dtype=np.float32)[:, None]
    near = smoothstep((1.8 * band - row) / (1.0 * band))[..., None]
    flat = _across(clean[: int(1.4 * band) + 1].mean(axis=0, keepdims=True), 0.5 * band)
    under = _across(lower[int(0.35 * band) : int(0.8 * band) + 1].mean(axis=0, keepdims=True), 0.4 * band)
    lid = clean + (1 - FLAT_CONTRAST) * near * (flat - clean)
    lid = lid + 0.5 * smoothstep(1 - row / band)[..., None] * (under - lid)
    gap = (-patch.above[0] - patch.under[0]).clip(0)[None]  # px that the lid falls
    height = row + gap * (1 - np.exp(-0.5 * (row / (0.8 * band)) ** 2))  # of the shut lid over its edge
    part = height / (gap + band)
    light = BALL_LIGHT * np.exp(-(((part - 0.5) / 0.3) ** 2)) - EDGE_SHADE * (1 - part).clip(0) ** 4
    inside = (patch.within[0] / (0.35 * patch.within.max())).clip(-1, 1)[None]
    light = light - END_SHADE * (1 - np.abs(inside)) ** 2
    return f32(lid * (1 + near * light[..., None]) + near * _grain(lower, height, band, patch.unit))


def _grain(lower: Floats, height: Floats, band: float, unit: float) -> Floats:
    """(n, w, 3) fine detail of the strip ``lower`` at ``height`` (n, w) px of a shut lid; no finer across the lid than
    it can be along the way that it is stretched."""
    fine = cv2.GaussianBlur(lower, (0, 0), 1.0) - cv2.GaussianBlur(lower, (0, 0), max(0.008 * unit, 2.5))
    first, last = int(0.4 * band), len(lower) - 1
    span = max(last - first, 1)
    folded = np.abs((height + span) % (2 * span) - span)
    return _back(f32(fine.clip(-MOST_GRAIN, MOST_GRAIN)), f32(first + folded))


def _lined(patch: Patch, lid: Floats, upper: Floats) -> Floats:
    """``lid`` (h, w, 3) with the line of lashes along its edge, in the dark colours of the strip ``upper``."""
    inside = patch.within[0] > 0.1 * patch.within.max()
    rows = upper[: max(int(0.3 * patch.band), 2), inside if inside.any() else slice(None)].reshape(-1, 3)
    luma = rows.mean(axis=1)
    lash = rows[luma <= np.percentile(luma, 15)].mean(axis=0)
    taper = np.clip(patch.within / (0.4 * patch.within.max()), 0, 1) ** 0.7
    line = LINE_HALF_WIDTH * patch.unit * (0.6 + 0.4 * taper)
    dark = taper * (
        LASH_SHARE * np.exp(-((patch.above / line) ** 2)) + 0.2 * np.exp(-((patch.above / (3.5 * line)) ** 2))
    )
    return lid + (lash - lid) * np.minimum(dark, 1)[..., None]


def _hanging(patch: Patch, skin: Floats, standing: Floats) -> Floats:
    """``skin`` (h, w, 3) with the lashes (n, w), which are ``standing`` so much darker than it over the open eye."""
    down = np.maximum(patch.under, 0) / HANGING_LENGTH
    dark = _back(f32(cv2.GaussianBlur(standing, (0, 0), 0.6)), f32(down))
    dark *= np.clip(patch.under + 0.5, 0, 1) * smoothstep(1.3 - down / patch.band)
    dark *= smoothstep(1 + patch.within / (0.3 * patch.band))
    seam = 0.35 * np.exp(-((patch.under / (LINE_HALF_WIDTH * patch.unit)) ** 2)) * (patch.under > -0.5)
    seam *= np.clip(patch.within / (0.4 * patch.within.max()), 0, 1)
    luma = np.maximum(skin.mean(axis=2), 1)
    return skin * (1 - (np.minimum(HANGING_DARKNESS * dark / luma, MOST_HANGING_DARKNESS) + seam))[..., None]
