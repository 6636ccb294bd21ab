"""How far each part of the picture goes along with the head and with the torso.

The person does by how high up they are; the background with the person, less and less with the distance. Cut out by a
matte, it would show a glow. How it yields is solved for as a sheet under tension that is stiff along the picture's own
lines: a curtain or a hat's brim leans as a whole and the plain wall beside it gives way (after content-aware warping,
Wang et al. 2008, "Optimized scale-and-stretch for image resizing").
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from animator.portrait.portrait import Portrait
from animator.render.arrays import Floats, Ints, f32

NECK = 0.52  # face heights below the chin over which the head's motion fades
CLOSE = 0.08  # face widths around the person that belong to them: wisps of hair, the matte's errors
REACH = 0.20  # face widths over which the background's share is forgotten
STILL = 0.05  # share below which the background stays where it is
STIFF = 400.0  # resistance along the clearest lines, that of a plain surface being 1
PINNED = (1.2, 1.2, 1.2, 2.0)  # margins on the left, above, on the right, below: shoulders end at the frame
CHIN = 152
_CLEAR = 12.0  # mean change of luma a pixel that makes a line clear
_SPREAD = 0.03  # face widths over which lines are gathered


def smoothstep(x: Floats) -> Floats:
    """0 up to 0, 1 from 1, and smooth in between."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def follow(portrait: Portrait, flat: Floats, outer: Ints, faces: int) -> tuple[Floats, Floats]:
    """(V,) each, 0 to 1: how much the vertices ``flat`` (V, 2) px follow the head and the torso.

    The first ``faces`` vertices are the face, all head; the triangles ``outer`` (T, 3) hold the others together.
    """
    height, width = portrait.picture.shape[:2]
    column, row = flat.round().astype(np.int32).clip(0, (width - 1, height - 1)).T
    away, level = _nearest_person(portrait)
    below_chin = level[row, column] - portrait.vertices[CHIN, 1]
    head = 1 - smoothstep(below_chin / (NECK * portrait.face_height))
    head[:faces] = 1
    inset = _inset(portrait, flat)
    held = (away[row, column] < CLOSE * portrait.face_width) | (inset == 0)
    held[:faces] = True
    shares = np.stack([head, 1 - head], axis=1) * inset[:, None]
    shares[:faces] = (1, 0)
    shares = _solve(portrait, flat, outer, held, shares)
    return f32(shares[:, 0]), f32(shares[:, 1])


def _solve(portrait: Portrait, flat: Floats, outer: Ints, held: NDArray[np.bool_], shares: Floats) -> Floats:
    """``shares`` (V, 2) with those of vertices that are not ``held`` (V,) in equilibrium with their neighbours."""
    corners = flat[outer].astype(np.float64)
    opposite = corners[:, [2, 0, 1]] - corners[:, [1, 2, 0]]
    area = 0.5 * (opposite[:, 0, 0] * opposite[:, 1, 1] - opposite[:, 0, 1] * opposite[:, 1, 0])
    gradients = np.stack([-opposite[..., 1], opposite[..., 0]], axis=2) / (2 * area[:, None, None])
    tension = _tension(portrait, corners.mean(axis=1))
    local = np.einsum("tid,tde,tje,t->tij", gradients, tension, gradients, np.abs(area))
    local += np.eye(3) * (np.abs(area) / 3 / (REACH * portrait.face_width) ** 2)[:, None, None]
    rows, columns = np.repeat(outer, 3, axis=1).ravel(), np.tile(outer, (1, 3)).ravel()
    system = coo_array((local.ravel(), (rows, columns)), (len(flat), len(flat))).tocsc()
    free = np.setdiff1d(np.unique(outer), np.nonzero(held)[0])
    fixed = np.nonzero(held)[0]
    solved = shares.astype(np.float64)
    solved[free] = splu(system[free][:, free]).solve(-(system[free][:, fixed] @ solved[fixed]))
    solved[free] = (solved[free] - STILL) / (1 - STILL)
    return solved.clip(0, 1)


def _tension(portrait: Portrait, at: Floats) -> Floats:
    """(N, 2, 2): resistance at px ``at`` (N, 2) to yielding, 1 and more along the lines of the background."""
    grey = cv2.cvtColor(portrait.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    spread = _SPREAD * portrait.face_width
    grey = cv2.GaussianBlur(grey, (0, 0), spread / 4)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)
    column, row = at.round().astype(np.int32).clip(0, np.array(grey.shape[::-1]) - 1).T
    xx, yy, xy = (cv2.GaussianBlur(v, (0, 0), spread)[row, column] for v in (dx * dx, dy * dy, dx * dy))
    coherent = np.hypot(xx - yy, 2 * xy)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2  # along the line, across the change
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    stiff = STIFF * (coherent / _CLEAR**2).clip(0, 1)
    return np.eye(2) + stiff[:, None, None] * along[:, :, None] * along[:, None, :]


def _nearest_person(portrait: Portrait) -> tuple[Floats, Floats]:
    """(H, W) px to the nearest pixel of the person, and the row of that pixel."""
    matte = (portrait.person >= 128).astype(np.uint8)
    outline = portrait.vertices[portrait.contours["face_oval"], :2].round().astype(np.int32)
    cv2.fillPoly(matte, [outline], (1,))
    away, labels = cv2.distanceTransformWithLabels(1 - matte, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = np.asarray(labels, np.intp)
    rows = np.zeros(int(labels.max()) + 1, np.float32)
    rows[labels[matte > 0]] = np.nonzero(matte)[0]
    return np.asarray(away, np.float32), rows[labels]


def _inset(portrait: Portrait, flat: Floats) -> Floats:
    """0 on the border of the picture, which must not come into view, rising to 1 within `PINNED` of its margins.

    Below, the border is where the source ends: there the shoulders would be seen to end.
    """
    height, width = portrait.picture.shape[:2]
    left, top = portrait.view
    margins = f32([left, top, width - portrait.size - left, height - portrait.size - top])
    ends = f32([width - 1, max(portrait.real[3], top + portrait.size) - 1])
    inset = np.concatenate([flat, ends - flat], axis=1)
    return smoothstep(inset / np.maximum(margins * f32(PINNED), 1)).min(axis=1)
