"""Shut lids of flat drawings: the drawn eye, its outline and its lashes give way to plain skin and one clean line."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.render.eyes.lidskin import Patch
from animator.render.kernels.arrays import Floats, f32

Mask = NDArray[np.bool_]

LEAST_INK, MOST_INK = 0.25, 0.6  # bands, breadth of the line of a drawn eye
_PALE_CONTRAST = 40.0  # of 255, by which a line above an eye differs from the skin
_DRAWN_CONTRAST = 28.0  # of 255: what differs more from the skin is drawn on it
_TOUCHING_PX = 5  # px across: what lies so near to the opening belongs to the eye
_LASH_REACH = 1.5  # bands round the opening that lashes may reach
_RIM_REACH = 0.4  # bands round the opening that are its outline, whatever it goes on to
_SOFT_EDGE_PX = 5  # px across the soft edge of what is taken off
_SKIN_RANGE = 0.3, 1.2  # bands round the lower half of an eye where there is skin
_PAINT_CONTRAST = 6.0  # of 255, by which paint differs from what it covers
_SEAM_PX = 3  # px across the end of the paint
_SEAM_CONTRAST = 16.0  # of 255, a step that is seen
_LEAST_SEAM_PX = 16  # px: a seam so short says nothing
_FILL_REACH = 0.8  # bands over which the skin round an eye goes on behind it


class Ink(NamedTuple):
    """The line above a drawn eye: ``colour`` (3,) and ``breadth`` px."""

    colour: Floats
    breadth: float


def plain(patch: Patch, opening: Mask) -> tuple[Floats, Ink]:
    """The skin (h, w, 3) without the eye whose ``opening`` (h, w) is given, and the line in which it shuts."""
    skin = _skin(patch, opening)
    drawn = np.abs(patch.pixels - skin).max(axis=2) > _DRAWN_CONTRAST
    outline = _touching(drawn, opening, patch.band)
    covered = _grown(outline | opening, _SOFT_EDGE_PX)
    return _filled(patch, ~covered & ~_grown(drawn, 3), covered, skin), _ink(patch, outline & ~opening, opening, skin)


def steps(patch: Patch, opening: Mask, closed: Floats) -> float:
    """Share, 0 to 1, of steps where the paint of a ``closed`` lid (h, w, 3) ends on the skin, 0 where it hardly ends
    there: what else is drawn is a step by itself."""
    drawn = np.abs(patch.pixels - _skin(patch, opening)).max(axis=2) > _DRAWN_CONTRAST
    painted = np.abs(closed - patch.pixels).max(axis=2) > _PAINT_CONTRAST
    inside, bare = _grown(opening, _TOUCHING_PX), painted | ~drawn
    found: list[Floats] = []
    for start, end in ((np.s_[:-_SEAM_PX], np.s_[_SEAM_PX:]), (np.s_[:, :-_SEAM_PX], np.s_[:, _SEAM_PX:])):
        seam = (painted[start] != painted[end]) & ~inside[start] & ~inside[end] & bare[start] & bare[end]
        found.append(np.abs(closed[start] - closed[end]).max(axis=2)[seam])
    seen = np.concatenate(found)
    return float((seen > _SEAM_CONTRAST).mean()) if len(seen) > _LEAST_SEAM_PX else 0.0


def _skin(patch: Patch, opening: Mask) -> Floats:
    """(3,) the colour that there is most of under an eye."""
    away = np.asarray(cv2.distanceTransform((~opening).astype(np.uint8), cv2.DIST_L2, 5))
    rows = np.flatnonzero(opening.any(axis=1))
    lower = np.arange(len(opening)) > (rows.mean() if len(rows) else 0)
    ring = (away > _SKIN_RANGE[0] * patch.band) & (away < _SKIN_RANGE[1] * patch.band) & lower[:, None]
    return np.median(patch.pixels[ring] if ring.any() else patch.pixels.reshape(-1, 3), axis=0)


def _touching(drawn: Mask, opening: Mask, band: float) -> Mask:
    """What of the ``drawn`` belongs to the eye: it touches its ``opening`` and ends near it. Of what goes on, as hair
    that hangs over an eye, only the part next to it is taken."""
    away = np.asarray(cv2.distanceTransform((~opening).astype(np.uint8), cv2.DIST_L2, 5))
    _, parts = cv2.connectedComponents((drawn & ~opening).astype(np.uint8))
    touching = np.isin(parts, np.setdiff1d(parts[_grown(opening, _TOUCHING_PX)], [0]))
    beyond = np.isin(parts, np.setdiff1d(parts[away > _LASH_REACH * band], [0]))
    return touching & (~beyond | (away < _RIM_REACH * band))


def _grown(mask: Mask, across: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def _filled(patch: Patch, known: Mask, covered: Mask, skin: Floats) -> Floats:
    """``patch.pixels`` where what is ``covered`` is like the ``known`` skin around, or like ``skin`` (3,)."""
    weight, sigma = known.astype(np.float32), _FILL_REACH * patch.band
    near = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-4
    fill = (cv2.GaussianBlur(patch.pixels * weight[..., None], (0, 0), sigma) + 1e-4 * f32(skin)) / near
    return f32(np.where(covered[..., None], fill, patch.pixels))


def _ink(patch: Patch, outline: Mask, opening: Mask, skin: Floats) -> Ink:
    """The line in the dark colours of the ``outline``, as broad as it is above the eye; one of an eye that has none,
    a mere dot, is of its own colour, and of its lightest where the ``skin`` (3,) is as dark: a robot's screen."""
    least, most = LEAST_INK * patch.band, MOST_INK * patch.band
    above = outline & (patch.above > 0) & (patch.within > 0)
    colour = _darkest(patch.pixels[above], 25)
    if colour is None or np.abs(skin - colour).max() < _PALE_CONTRAST:
        dark, dim = _darkest(patch.pixels[opening], 15), _darkest(255 - patch.pixels[opening], 15)
        if dark is None or dim is None:
            return Ink(f32(skin), least)
        return Ink(f32(dark if np.abs(skin - dark).max() > _PALE_CONTRAST else 255 - dim), least)
    middle = above.sum(axis=0)[patch.within[0] > 0.5 * patch.within.max()]
    return Ink(f32(colour), float(np.clip(np.median(middle), least, most)) if len(middle) else least)


def _darkest(pixels: Floats, percent: float) -> Floats | None:
    """(3,) the mean of the darkest ``percent`` of ``pixels`` (n, 3); None where there are none."""
    luma = pixels.mean(axis=1)
    return pixels[luma <= np.percentile(luma, percent)].mean(axis=0) if len(luma) else None
