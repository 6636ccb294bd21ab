"""The layers of an eye in a flat drawing: one colour for the sclera, and an iris of whatever shape was drawn."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.render.kernels.arrays import Floats, f32

_IRIS_REACH = 1.5  # radii around the iris' centre that may belong to it
_LEAST_SIZE_RATIO = 0.75  # of the radius: an iris that is seen as large is the one that was found
_OPAQUE_SHARE = 0.9  # share of a pixel that shows the colour of the iris itself


def layers(
    pixels: Floats, share: Floats, distance: Floats, radius: float, hue: Floats
) -> tuple[Floats, Floats, Floats]:
    """White (h, w, 3), iris (h, w, 4) and highlight (h, w, 3) of the eye in ``pixels`` (h, w, 3).

    ``share`` (h, w) is what its lids leave open of a pixel, ``distance`` (h, w) px that from the centre of the iris,
    ``radius`` px its size, ``hue`` (3,) the colour of the white. Highlights belong to the iris and move with it.
    """
    iris = _colour(pixels, share, distance, radius)
    apart = iris - hue
    seen = ((pixels - hue) @ apart / max(float(apart @ apart), 1.0)).clip(0, 1)
    open_part = cv2.erode((share > 0.99).astype(np.float32), np.ones((3, 3), np.uint8))
    _, parts = cv2.connectedComponents((seen * open_part > 0.3).astype(np.uint8))
    own = np.isin(parts, np.setdiff1d(parts[distance < 0.5 * radius], [0])).astype(np.uint8)
    seen = seen * cv2.dilate(own, np.ones((3, 3), np.uint8))
    disc = ((_circle(seen * open_part > 0.5, distance, radius) + 0.9) / 1.8).clip(0, 1)
    near = (_IRIS_REACH * radius + 0.5 - distance).clip(0, 1)
    alpha = open_part * near * seen + (1 - open_part) * disc
    solid = (open_part * (seen > _OPAQUE_SHARE) * near)[..., None]
    weight = cv2.GaussianBlur(solid, (0, 0), 1.5)[..., None]
    spread = cv2.GaussianBlur(pixels * solid, (0, 0), 1.5) + 1e-3 * iris
    colour = solid * pixels + (1 - solid) * spread / (weight + 1e-3)
    white = np.empty_like(pixels)
    white[:] = hue
    return white, f32(np.concatenate([colour, alpha[..., None]], axis=2)), np.zeros_like(pixels)


def _circle(body: NDArray[np.bool_], distance: Floats, radius: float) -> Floats:
    """(h, w) px by which a pixel lies within the circle round the ``body`` (h, w) of an iris, or within the one of the
    ``radius`` that was found if that is of another size."""
    (x, y), wide = cv2.minEnclosingCircle(np.argwhere(body)[:, ::-1].astype(np.float32)) if body.any() else ((0, 0), 0)
    if not _LEAST_SIZE_RATIO < wide / radius < 1 / _LEAST_SIZE_RATIO:
        return radius - distance
    ys, xs = np.mgrid[: body.shape[0], : body.shape[1]]
    return f32(wide - np.hypot(xs - x, ys - y))


def _colour(pixels: Floats, share: Floats, distance: Floats, radius: float) -> Floats:
    """(3,) the most frequent colour of the iris."""
    inside = pixels[(share > 0.99) & (distance < 0.9 * radius)]
    return np.median(inside, axis=0) if len(inside) else f32([40, 40, 40])
