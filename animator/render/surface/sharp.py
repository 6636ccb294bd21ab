"""Sharpening that makes up in advance for the blur of bilinear sampling.

A picture that moves by parts of a pixel is softer than a still one: bilinear samples at all phases keep, on average,
2/3 + cos(w)/3 of the power at the frequency w. So a face that has left its place is drawn from a texture that has as
much more of the fine detail; one at rest from the picture itself.
"""

import cv2
import numpy as np

from animator.render.kernels.arrays import Floats, Image, Whole
from animator.render.kernels.jit import kernel
from animator.render.surface.raster import Texture

SHARPENING = 0.2  # by which (1 - cos w) is raised in each direction
_OVERSHOOT = 5.0  # of 255 that edges may go beyond their surroundings: more is a halo
_MOVED_PX = 1.0  # px from its place at which a face is always drawn between pixels
STEPS = 8


def sharpened(picture: Image) -> Image:
    """(h, w, 3), more of the detail in ``picture``."""
    line = np.array([-SHARPENING / 2, 1 + SHARPENING, -SHARPENING / 2], np.float32)
    fine = cv2.sepFilter2D(picture, cv2.CV_32F, line, line, borderType=cv2.BORDER_REPLICATE)
    around = np.ones((3, 3), np.uint8)
    low, high = (
        cv2.erode(picture, around) - np.float32(_OVERSHOOT),
        cv2.dilate(picture, around) + np.float32(_OVERSHOOT),
    )
    return fine.clip(low, high).clip(0, 255).round().astype(np.uint8)


def step(skull: Floats, points: Floats) -> int:
    """0 to `STEPS`: how far a face at ``points`` (n, 3) px has left its place by ``skull`` (3, 4)."""
    off = points @ skull[:, :3].T + skull[:, 3] - points
    return round(STEPS * min(float(np.linalg.norm(off, axis=1).mean()) / _MOVED_PX, 1.0))


@kernel
def mix(plain: Texture, sharp: Texture, share: Whole, out: Texture) -> None:
    """``out`` (h, w): ``share`` of `STEPS` of ``sharp`` (h, w) and the rest of ``plain`` (h, w)."""
    one, other, half = np.uint64(STEPS - share), np.uint64(share), np.uint64(0x0004000400040004)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            mixed = plain[row, column] * one + sharp[row, column] * other + half
            out[row, column] = (mixed >> np.uint64(3)) & np.uint64(0x00FF00FF00FF00FF)
