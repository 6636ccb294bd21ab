"""The clean plate: the still background behind the person, filled in, and the person's cutout in front of it.

The person takes a narrow margin along, for wisps of hair and pixels that the edge mixes. Farther out they dissolve into
the plate, which is the picture itself there; behind them it is filled in from all sides, from the edge inwards (Telea
2004, "An image inpainting technique based on the fast marching method"), and grain is mirrored there.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.motion.rows.filters import smoothstep
from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, Image, Ints, f32
from animator.render.surface import raster
from animator.render.surface.follow import nearest_person

MARGIN = 0.03  # face widths around the person that are taken along whole
FEATHER = 0.06  # face widths beyond, over which they dissolve
_FILL_REACH = 0.06  # face widths round a pixel behind the person that tell its colour
_GRAIN_SIZE = 0.015  # face widths: what is finer is mirrored there
_MOST_GRAIN = 8.0  # of 255: what is fine and stronger is no grain but the edge of a thing, of which no ghost is wanted


def opacity(portrait: Portrait) -> Image:
    """(n, n) uint8 of the person in the picture; of all of it where nobody was outlined."""
    if not portrait.outlined:
        return np.full(portrait.person.shape, 255, np.uint8)
    away, _ = nearest_person(portrait)
    return (255 * (1 - smoothstep((away / portrait.face_width - MARGIN) / FEATHER))).round().astype(np.uint8)


def plate(picture: Image, opaque: Image, face_width: float) -> Image:
    """(n, n, 3): the ``picture`` (n, n, 3) with background where ``opaque`` (n, n) is not 0.

    Where it is between, only as far as a colour of the person before it can still give the picture.
    """
    seen = opaque == 0
    if not seen.any():
        return picture
    smooth = _fill(picture, ~seen, _FILL_REACH * face_width)
    known = f32(seen)[..., None]
    sigma = _GRAIN_SIZE * face_width
    low = cv2.GaussianBlur(picture * known, (0, 0), sigma)
    fine = picture - low / (cv2.GaussianBlur(known, (0, 0), sigma)[..., None] + 1e-3)
    grain = fine.clip(-_MOST_GRAIN, _MOST_GRAIN) * known
    row, column = _mirrored(seen)
    share = (255 - opaque)[..., None] / 255 + 1e-6
    darkest, brightest = 255 - (255.01 - picture) / share, (picture + 0.01) / share
    behind = (smooth + grain[row, column]).clip(darkest, brightest).clip(0, 255)
    return np.where(seen[..., None], picture, behind.round()).astype(np.uint8)


def cutout(picture: Image, behind: Image, opaque: Image) -> raster.Texture:
    """The picture (n, n, 3) as a texture as ``opaque`` (n, n) as the person, which over the plate ``behind`` gives the
    picture again, to the last bit."""
    seen, through = picture.astype(np.int32), 255 - opaque[..., None].astype(np.int32)
    colour = (seen - (2 * through * behind + 255) // 510).clip(0, 255)
    return raster.pack(np.concatenate([colour, 255 - through], axis=2).astype(np.uint8))


def split(opaque: Image, flat: Floats, triangles: Ints) -> tuple[Ints, Ints]:
    """Those of ``triangles`` (T, 3) with corners ``flat`` (V, 2) px that are wholly, and that are partly `opaque`."""
    corners = flat[triangles]
    middle = corners.mean(axis=1)
    reach = np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1) + 1
    column, row = middle.round().astype(np.int32).clip(0, np.array(opaque.shape[::-1]) - 1).T
    to_clear, to_person = (
        cv2.distanceTransform(np.pad(part.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 5)[row + 1, column + 1]
        for part in (opaque == 255, opaque == 0)
    )
    whole = to_clear > reach
    return triangles[whole], triangles[~whole & (to_person <= reach)]


def _fill(picture: Image, hole: NDArray[np.bool_], reach: float) -> Floats:
    """(n, n, 3): ``picture`` (n, n, 3) with lines led into the ``hole`` (n, n) over ``reach`` px, at half the size."""
    size = hole.shape[::-1]
    half = (size[0] // 2, size[1] // 2)
    small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(hole.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0
    filled = cv2.inpaint(small, inside.astype(np.uint8), reach / 2, cv2.INPAINT_TELEA)
    return f32(cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR))


def _mirrored(seen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column (n, n) on the far side of the nearest pixel that is ``seen`` (n, n)."""
    _, labels = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = np.asarray(labels, np.intp)
    places = np.zeros((int(numbers.max()) + 1, 2), np.intp)
    places[numbers[seen]] = np.argwhere(seen)
    height, width = seen.shape
    row, column = np.mgrid[:height, :width]
    nearest = places[numbers]
    return (2 * nearest[..., 0] - row).clip(0, height - 1), (2 * nearest[..., 1] - column).clip(0, width - 1)
