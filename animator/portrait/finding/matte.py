"""The person's matte: MediaPipe's selfie segmentation (Apache-2.0), sharpened along the edges of the picture.

The network misses collars, hats and wisps of hair, and sees islands of people in landscapes. So what touches the person
and differs from the background near it is added, and what does not touch the person is removed.
"""

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from animator.portrait.geometry.topology import FACE_OVAL
from animator.storage import asset

Floats = NDArray[np.float32]

_NETWORK_SIDE = 256
_NOSE_POINT = 4
_LEAST_COVERAGE = 0.6  # of the face
LEAST_OPACITY = 48  # of 255, from which a pixel counts as the person; low, since the network is unsure of ears
_PERSON_REACH = 0.10  # face widths around the person in which more of them is searched; what is beyond is background
_BACKGROUND_REACH = 0.12  # face widths around a pixel over which the background is averaged
# Lab, size of the bins of colours; least share of the background for a bin to be typical of it.
_COLOUR_CELL, _LEAST_COLOUR_SHARE = 6.0, 0.001
# Spreads of colour in Lab that tell a pixel from the background, which has at least so much
_UNLIKE_SPREADS, _LEAST_SPREAD = 3.0, 5.0


def person(picture: NDArray[np.uint8], points: Floats) -> tuple[NDArray[np.uint8], bool]:
    """(h, w, 3) RGB and landmarks (>= 468, 3) -> (h, w) uint8, 255 where the person surely is, and whether this is
    their real outline.

    If the network misses the face itself, as in many paintings, a bust drawn around the landmarks is returned.
    """
    height, width = picture.shape[:2]
    face = np.zeros((height, width), np.uint8)
    cv2.fillPoly(face, [points[list(FACE_OVAL), :2].round().astype(np.int32)], 255)
    seen = _segment(picture)
    if seen[face > 0].mean() < _LEAST_COVERAGE * 255:
        return np.maximum(_bust(picture.shape[:2], points), face), False
    width_of_face = float(np.linalg.norm(points[234, :2] - points[454, :2]))
    return _whole(picture, np.maximum(seen, face), points[_NOSE_POINT, :2], width_of_face), True


def _whole(picture: NDArray[np.uint8], seen: NDArray[np.uint8], nose: Floats, face_width: float) -> NDArray[np.uint8]:
    """``seen`` (h, w) plus everything connected to the ``nose`` (2,) px that stands out from the background."""
    size, half = picture.shape[1::-1], (picture.shape[1] // 2, picture.shape[0] // 2)
    small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor((small / 255).astype(np.float32), cv2.COLOR_RGB2LAB).astype(np.float32)
    clear = cv2.resize(seen, half, interpolation=cv2.INTER_AREA) < LEAST_OPACITY
    behind = cv2.distanceTransform(clear.astype(np.uint8), cv2.DIST_L2, 5) > _PERSON_REACH * face_width / 2
    mean, spread = _background(lab, behind.astype(np.float32), _BACKGROUND_REACH * face_width / 2)
    apart = np.linalg.norm((lab - mean) / (spread + _LEAST_SPREAD), axis=2)
    more = (apart > _UNLIKE_SPREADS) & ~_usual(lab, behind) & ~behind & behind.any()
    more = cv2.morphologyEx((more | ~clear).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))  # no lines
    theirs = (seen >= LEAST_OPACITY) | (cv2.resize(more, size, interpolation=cv2.INTER_NEAREST) > 0)
    _, parts = cv2.connectedComponents(theirs.astype(np.uint8), connectivity=4)
    column, row = nose.round().astype(int).clip(0, np.array(size) - 1)
    return np.where(parts == parts[row, column], np.where(seen < LEAST_OPACITY, 255, seen), 0).astype(np.uint8)


def _usual(lab: Floats, behind: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w): where ``lab`` (h, w, 3) has colours that are common ``behind`` (h, w) the person, such as the other half
    of a window."""
    level, red, yellow = ((lab + [0, 128, 128]) / _COLOUR_CELL).astype(np.intp).transpose(2, 0, 1)
    cells = (level * 64 + red) * 64 + yellow
    counts = np.bincount(cells[behind], minlength=int(cells.max()) + 1)
    return np.asarray(counts[cells] > _LEAST_COLOUR_SHARE * behind.sum())


def _background(lab: Floats, behind: Floats, reach: float) -> tuple[Floats, Floats]:
    """(h, w, 3) each: mean and spread of ``lab`` (h, w, 3) where ``behind`` (h, w) is 1, within ``reach`` px."""
    size = lab.shape[1::-1]
    half = (size[0] // 2, size[1] // 2)
    known = cv2.resize(np.dstack([behind, lab * behind[..., None], lab * lab * behind[..., None]]), half)
    near = cv2.GaussianBlur(known, (0, 0), reach / 2)
    mean, square = (near[..., at : at + 3] / (near[..., :1] + np.float32(1e-6)) for at in (1, 4))
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return cv2.resize(mean, size).astype(np.float32), cv2.resize(spread, size).astype(np.float32)


def _segment(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    network = Interpreter(model_content=asset("selfie_segmentation.tflite"), num_threads=1)
    network.allocate_tensors()
    small = cv2.resize(picture, (_NETWORK_SIDE, _NETWORK_SIDE), interpolation=cv2.INTER_AREA)
    network.set_tensor(network.get_input_details()[0]["index"], (small[None] / 255).astype(np.float32))
    network.invoke()
    coarse = network.get_tensor(network.get_output_details()[0]["index"])[0, :, :, 0]
    height, width = picture.shape[:2]
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) / 255).astype(np.float32)
    full = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    sharp = _guided(grey, full, radius=max(2, width // 100), softness=1e-3)
    return (sharp.clip(0, 1) * 255).round().astype(np.uint8)


def _bust(shape: tuple[int, ...], points: Floats) -> NDArray[np.uint8]:
    """An ellipse around head and hair, a neck and shoulders, with soft edges."""
    top, chin = points[10, :2], points[152, :2]
    tall, wide = float(np.linalg.norm(chin - top)), float(np.linalg.norm(points[234] - points[454]))
    angle = float(np.degrees(np.arctan2(top[0] - chin[0], chin[1] - top[1])))
    drawn = np.zeros(shape[:2], np.uint8)
    centre = (top + chin) / 2 - (chin - top) * 0.18
    cv2.ellipse(drawn, (centre.tolist(), (1.4 * wide, 1.6 * tall), angle), 255, -1)
    outline = [
        (-0.35, -0.2),
        (0.35, -0.2),
        (0.4, 0.25),
        (1.15, 0.6),
        (1.5, 3.0),
        (-1.5, 3.0),
        (-1.15, 0.6),
        (-0.4, 0.25),
    ]
    body = chin + np.array(outline, np.float32) * [wide, tall]
    cv2.fillPoly(drawn, [body.round().astype(np.int32)], 255)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 0.05 * wide), np.uint8)


def _guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int, softness: float
) -> NDArray[np.float32]:
    """Guided filter (He et al. 2010): ``values`` smoothed except across the edges of ``guide``."""
    window = (2 * radius + 1, 2 * radius + 1)
    mean_g, mean_v = cv2.blur(guide, window), cv2.blur(values, window)
    covariance = cv2.blur(guide * values, window) - mean_g * mean_v
    slope = covariance / (cv2.blur(guide * guide, window) - mean_g * mean_g + softness)
    offset = mean_v - slope * mean_g
    return np.asarray(cv2.blur(slope, window) * guide + cv2.blur(offset, window), np.float32)
