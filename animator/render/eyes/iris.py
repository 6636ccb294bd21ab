"""The whole iris: the part that the lids hide is inpainted from its other parts at the same radius."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.render.kernels.arrays import Floats


def completed(
    clear: Floats, inside: NDArray[np.bool_], distance: Floats, radius: float, centre: Floats
) -> tuple[Floats, Floats]:
    """The whole iris (h, w, 4) without its highlight, and the highlight (h, w, 3).

    ``clear`` (h, w, 3) is the eye without shadows, ``inside`` (h, w) where its lids leave it open, ``distance`` (h, w)
    that from the ``centre`` (x, y, radius) of the iris, ``radius`` how large it is drawn; all in px.
    """
    known = inside & (distance < radius + 1)
    rings = np.minimum(distance.astype(int), int(radius) + 2)
    typical = np.zeros((int(radius) + 3, 3), np.float32)
    for ring in range(len(typical)):
        here = known & (rings == ring)
        if here.sum() >= 3:
            typical[ring] = np.median(clear[here], axis=0)
        else:
            typical[ring] = typical[ring - 1] if ring else np.median(clear[known], axis=0) if known.any() else 40.0
    ring = np.clip(distance - 0.5, 0, len(typical) - 1.001)
    part = (ring % 1)[..., None]
    smooth = typical[ring.astype(int)] * (1 - part) + typical[ring.astype(int) + 1] * part
    colour = np.where(known[..., None], clear, smooth)
    ys, xs = np.mgrid[: clear.shape[0], : clear.shape[1]].astype(np.float32)
    mirrored = (np.float32(2 * centre[0]) - xs, np.float32(2 * centre[1]) - ys)
    for map_x, map_y in ((mirrored[0], mirrored[1]), (mirrored[0], ys), (xs, mirrored[1])):
        seen = cv2.remap(known.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR) > 0.99
        image = cv2.remap(clear, map_x, map_y, cv2.INTER_LINEAR)
        colour = np.where((~known & seen)[..., None], 0.5 * image + 0.5 * smooth, colour)
    excess = (colour - smooth).mean(axis=2)
    bright = (excess > 28) & (distance < 0.95 * radius)
    spot = cv2.GaussianBlur(cv2.dilate(bright.astype(np.float32), np.ones((3, 3), np.uint8)), (0, 0), 0.8)[..., None]
    plain = (1 - spot) * colour + spot * smooth
    shine = np.where(inside[..., None], np.maximum(colour - plain, 0), 0)
    alpha = np.clip((radius + 0.9 - distance) / 1.8, 0, 1)
    alpha = alpha * alpha * (3 - 2 * alpha)
    return np.concatenate([plain, alpha[..., None]], axis=2).astype(np.float32), shine.astype(np.float32)
