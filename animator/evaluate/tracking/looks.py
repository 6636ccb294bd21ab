"""How well a video preserves its picture (identity, background, sharpness), and whether it jumps in time."""

import cv2
import numpy as np
from numpy.typing import NDArray

from animator.evaluate.tracking.identity import Descriptor, weights
from animator.evaluate.tracking.lip_figures import Figures
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.pose import align
from animator.portrait.geometry.topology import FACE_OVAL, POINTS, RINGS, canonical
from animator.portrait.portrait import Portrait

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

IDENTITY_STEP = 3  # frames between those whose identity is compared
CHUNK_FRAMES = 2  # frames that a live face makes at a time
JUMP_SIGMAS = 6.0  # sigmas of the change from frame to frame
BACKGROUND_GAP = 0.06  # of the frame's side: so far from the person the background begins
_PLAIN_ENERGY = 4.0  # energy of skin without texture, such as that of flat drawings, on which sharpness means little
_EDGE_PX = 12  # px around lips and eyes that count to them
_FACE_WIDTH = 192  # px that a face is wide where its sharpness is measured


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one shape; 99 when they are equal."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return min(99.0, 10 * float(np.log10(255**2 / max(error, 1e-12))))


class Looks:
    """Watches a video frame by frame and compares it with its portrait; `figures` sums it up."""

    def __init__(self, portrait: Portrait) -> None:
        x, y = portrait.view
        view = np.s_[y : y + portrait.size, x : x + portrait.size]
        self._rest, person = portrait.picture[view], portrait.person[view] > 127
        self._points = portrait.landmarks - np.array([x, y, 0], np.float32)
        reach = int(BACKGROUND_GAP * portrait.size) * 2 + 1
        self._far = cv2.dilate(person.astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0
        found = weights()
        self._describe = Descriptor(found) if found else None
        self._who = self._describe and self._describe(self._rest, self._points)
        self._sharp = sharpness(self._rest, self._points)
        self._first_psnr: float | None = None
        self._before: Floats | None = None
        self._alike: list[float] = []
        self._sharpness: list[float] = []
        self._changes: list[tuple[float, float]] = []

    def __call__(self, number: int, image: Image, face: FaceLandmarks | None) -> None:
        """Take the next frame."""
        if image.shape != self._rest.shape:
            image = np.asarray(cv2.resize(image, self._rest.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
        if self._first_psnr is None:
            self._first_psnr = psnr(image, self._rest)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        if self._before is not None:
            change = np.abs(grey - self._before)
            self._changes.append((float(change.mean()), float(change[self._far].mean()) if self._far.any() else 0.0))
        self._before = grey
        if face:
            self._sharpness.append((sharpness(image, face.points) + _PLAIN_ENERGY) / (self._sharp + _PLAIN_ENERGY))
            if self._describe is not None and self._who is not None and number % IDENTITY_STEP == 0:
                self._alike.append(float(self._describe(image, face.points) @ self._who))

    def figures(self) -> Figures:
        """The figures of all frames so far. ``background_change``: grey levels a frame, away from the person."""
        figures: Figures = {"rest_psnr": self._first_psnr}
        if self._alike:
            figures |= {"identity_mean": float(np.mean(self._alike)), "identity_min": float(np.min(self._alike))}
        else:
            figures |= {"identity_mean": None, "identity_min": None}
        if self._sharpness:
            figures["sharpness"] = float(np.mean(self._sharpness))
            figures["sharpness_sd"] = float(np.std(self._sharpness))
        if self._changes:
            whole, background = np.array(self._changes).T
            figures |= {"background_change": float(background.mean()), **steadiness(whole)}
        return figures


def steadiness(change: NDArray[np.float64]) -> Figures:
    """(n,) mean change of each frame against the one before -> sudden lone jumps, and how much rougher the borders of
    chunks are than the frames within them."""
    if len(change) < 8:
        return {"picture_jumps": 0, "chunk_roughness": 1.0}
    inner = change[1:-1]
    around = np.maximum(change[:-2], change[2:])
    sigma = 1.4826 * float(np.median(np.abs(change - np.median(change))))
    jumps = (inner - around > JUMP_SIGMAS * sigma) & (inner > 2 * around)
    # The change at index i is that of frame i + 1, which begins a chunk when i + 1 is a multiple of its length.
    starts = (np.arange(len(change)) + 1) % CHUNK_FRAMES == 0
    rough = float(np.median(change[starts]) / max(float(np.median(change[~starts])), 1e-6))
    return {"picture_jumps": int(jumps.sum()), "chunk_roughness": rough}


def sharpness(image: Image, points: Floats) -> float:
    """Energy of the Laplacian on the skin of the face of the landmarks ``points``, brought to one size and upright.

    Details finer than 3 px are left out: a still keeps them, and any motion by less than a pixel blurs them.
    """
    matrix, height = _upright(points)
    upright = cv2.warpAffine(image, matrix, (_FACE_WIDTH, height), flags=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(upright, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F)
    skin = np.zeros(edges.shape, np.uint8)
    placed = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    cv2.fillPoly(skin, [placed[list(FACE_OVAL)].astype(np.int32)], 1)
    skin = cv2.erode(skin, np.ones((9, 9), np.uint8))
    for rings in (("lips_outer_upper", "lips_outer_lower"), ("eye_left_upper", "eye_left_lower"),
                  ("eye_right_upper", "eye_right_lower")):  # fmt: skip
        around = placed[[*RINGS[rings[0]], *RINGS[rings[1]][::-1]]].astype(np.int32)
        cv2.fillPoly(skin, [around], 0)
        cv2.polylines(skin, [around], True, 0, _EDGE_PX)
    return float((edges[skin > 0] ** 2).mean())


def _upright(points: Floats) -> tuple[NDArray[np.float64], int]:
    """(2, 3) map from the frame to the face `_FACE_WIDTH` px wide, and its height in px."""
    face = canonical()
    flat = face.vertices * np.array([1, -1, 0], np.float32)
    target = flat * np.float32(_FACE_WIDTH / float(np.ptp(flat[:, 0])))
    target -= target.min(axis=0)
    scale, turn, shift = align(points[:POINTS] * np.array([1, 1, 0], np.float32), target, face.weights)
    return np.column_stack([scale * turn[:2, :2], shift[:2]]).astype(np.float64), int(target[:, 1].max()) + 1
