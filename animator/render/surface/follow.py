"""How far each part of the picture follows the head and the torso, by its height on the person.

What lies beside the person, such as wisps of hair, follows the nearest part of the person. Where the outline was only
guessed, everything does, less with the distance: a sharp edge would cut hats in two.
"""

import cv2
import numpy as np

from animator.motion.rows.filters import smoothstep
from animator.portrait.finding.matte import LEAST_OPACITY
from animator.portrait.portrait import Portrait
from animator.render.kernels.arrays import Floats, f32

NECK_REACH = 0.52  # face heights below the chin over which the head's motion fades
RING_RANGE = (0.08, 0.40)  # face widths from a person guessed at, between which the background's share is forgotten
PINNED_MARGINS = (1.2, 1.2, 1.2, 2.0)  # margins on the left, above, on the right, below: shoulders end at the frame
CHIN_POINT = 152


def follow(portrait: Portrait, flat: Floats, faces: int) -> tuple[Floats, Floats]:
    """(V,) each, 0 to 1: how much the vertices ``flat`` (V, 2) px follow the head and the torso.

    The first ``faces`` vertices are the face, all head.
    """
    height, width = portrait.picture.shape[:2]
    column, row = flat.round().astype(np.int32).clip(0, (width - 1, height - 1)).T
    away, level = nearest_person(portrait)
    below_chin = level[row, column] - portrait.vertices[CHIN_POINT, 1]
    head = 1 - smoothstep(below_chin / (NECK_REACH * portrait.face_height))
    share = _inset(portrait, flat)
    if not portrait.outlined:
        share *= 1 - smoothstep(
            (away[row, column] / portrait.face_width - RING_RANGE[0]) / (RING_RANGE[1] - RING_RANGE[0])
        )
    shares = np.stack([head, 1 - head], axis=1) * share[:, None]
    shares[:faces] = (1, 0)
    return f32(shares[:, 0]), f32(shares[:, 1])


def nearest_person(portrait: Portrait) -> tuple[Floats, Floats]:
    """(H, W) px to the nearest pixel of the person, and the row of that pixel."""
    matte = (portrait.person >= LEAST_OPACITY).astype(np.uint8)
    outline = portrait.vertices[portrait.contours["face_oval"], :2].round().astype(np.int32)
    cv2.fillPoly(matte, [outline], (1,))
    away, labels = cv2.distanceTransformWithLabels(1 - matte, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = np.asarray(labels, np.intp)
    rows = np.zeros(int(labels.max()) + 1, np.float32)
    rows[labels[matte > 0]] = np.nonzero(matte)[0]
    return np.asarray(away, np.float32), rows[labels]


def _inset(portrait: Portrait, flat: Floats) -> Floats:
    """0 on the border of the picture, which must not come into view, rising to 1 over `PINNED_MARGINS` of its margins.

    Below, the border is where the source ends: there the shoulders would be seen to end.
    """
    height, width = portrait.picture.shape[:2]
    left, top = portrait.view
    margins = f32([left, top, width - portrait.size - left, height - portrait.size - top])
    ends = f32([width - 1, max(portrait.real[3], top + portrait.size) - 1])
    inset = np.concatenate([flat, ends - flat], axis=1)
    return smoothstep(inset / np.maximum(margins * f32(PINNED_MARGINS), 1)).min(axis=1)
