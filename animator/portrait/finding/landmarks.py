"""Finds faces and their 478 landmarks with MediaPipe's three networks, run by LiteRT.

The chain is that of MediaPipe's FaceLandmarker: face detector (BlazeFace, short range) -> rotated square crop -> dense
landmarks with irises -> blendshape scores. The detector sees only 128x128 pixels, so scenes are searched in tiles too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from animator.portrait.geometry.topology import bundle_file

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]  # (h, w, 3) RGB
Treatment = Callable[[Picture], Picture]

_DETECTOR_SIZE = 128
_CROP_SIZE = 256
_CROP_SCALE = 1.5  # of the longer side of the face
_DETECTOR_THRESHOLD = 0.5
_FACE_THRESHOLD = 0.5
_DOUBTFUL_SHARE = 0.8  # share of the best face's score below which another is taken for a pattern
_OVERLAP = 0.3  # two detections that overlap more are one face
_SPANS = (1.6, 1.0, 0.5, 0.25)  # sides of the searched squares; faces that fill a picture need a border around it
_FAR_SPAN = 0.125  # the same, if none of those shows a face
# The landmarks that the blendshape network reads (kLandmarksSubsetIdxs in MediaPipe's face_blendshapes_graph.cc).
_BLENDSHAPE_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154,
    155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263,
    267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321,
    323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387,
    388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaceLandmarks:
    """One face.

    ``points`` (478, 3) f32 in px of the picture (x right, y down, z towards the camera); the last ten are the irises
    (subject's right: 468-472, left: 473-477). ``blendshapes`` (52,) f32 in the order of
    `animator.motion.rows.space.ARKIT` (tongueOut is never detected: 0). ``score`` in [0, 1]: how sure the network is
    that this is a face.
    """

    points: Floats
    blendshapes: Floats
    score: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in px."""
        low, high = self.points[:468, :2].min(axis=0), self.points[:468, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True, slots=True)
class Crop:
    """A square in a picture: centre, side (px) and rotation (radians, clockwise on screen). It is ``tall`` times as
    high as wide if the face is to be stretched."""

    x: float
    y: float
    side: float
    angle: float
    tall: float = 1.0

    def matrix(self) -> NDArray[np.float64]:
        """(2, 3): pixels of the crop at `_CROP_SIZE` -> pixels of the picture."""
        step = self.side / _CROP_SIZE
        c, s, half = np.cos(self.angle) * step, np.sin(self.angle) * step, _CROP_SIZE / 2
        across, down = np.array([c, s]), np.array([-s, c]) * self.tall
        return np.column_stack([across, down, np.array([self.x, self.y]) - half * (across + down)])


class Landmarker:
    """The three networks, loaded once. Not thread-safe."""

    def __init__(self, threads: int = 1) -> None:
        self._detector = _network("face_detector.tflite", threads)
        self._landmarks = _network("face_landmarks_detector.tflite", threads)
        self._blendshapes = _network("face_blendshapes.tflite", threads)
        self._anchors = _anchors()

    def detect(self, image: Picture) -> list[FaceLandmarks]:
        """All faces in ``image``, largest first; an empty list when there is none."""
        return self._faces(image, _SPANS) or self._faces(image, (_FAR_SPAN,))

    def _faces(self, image: Picture, spans: tuple[float, ...]) -> list[FaceLandmarks]:
        faces: list[FaceLandmarks] = []
        for crop in self.candidates(image, spans):
            first = self.look(image, crop)
            face = first and self.look(image, crop_around(first.points))
            if face and all(shared(face.box, other.box) < _OVERLAP for other in faces):
                faces.append(face)
        best = max((face.score for face in faces), default=0.0)
        faces = [face for face in faces if face.score > _DOUBTFUL_SHARE * best]
        return sorted(faces, key=lambda face: (face.box[2] - face.box[0]) * (face.box[3] - face.box[1]), reverse=True)

    def track(self, image: Picture, previous: FaceLandmarks) -> FaceLandmarks | None:
        """The face that was at ``previous`` one frame before, or None if it is lost."""
        return self.look(image, crop_around(previous.points))

    def merge(self, looks: list[FaceLandmarks]) -> FaceLandmarks:
        """The mean of several detections of a face, which halves their jitter."""
        points = np.median([look.points for look in looks], axis=0).astype(np.float32)
        return FaceLandmarks(points, self.blendshapes(points), max(look.score for look in looks))

    def looks(self, image: Picture, face: FaceLandmarks) -> list[FaceLandmarks]:
        """Landmarks of ``face`` in eight slightly different crops, except crops that show no face."""
        crop = crop_around(face.points)
        shifts = ((0, 0, 1, 0), (0.02, 0, 1, 0.05), (-0.02, 0, 1, -0.05), (0, 0.02, 1.04, 0), (0, -0.02, 0.96, 0))
        zooms = ((0.01, 0.01, 1.08, 0.03), (-0.01, -0.01, 1.12, -0.03), (0, 0, 0.93, 0))
        looks = [
            self.look(image, Crop(crop.x + dx * crop.side, crop.y + dy * crop.side, crop.side * zoom, crop.angle + a))
            for dx, dy, zoom, a in shifts + zooms
        ]
        return [look for look in looks if look]

    def blendshapes(self, points: Floats) -> Floats:
        """(52,) scores of landmarks (478, 3); see `FaceLandmarks`."""
        chosen = points[None, _BLENDSHAPE_POINTS, :2]
        (scores,) = _run(self._blendshapes, chosen, "StatefulPartitionedCall:0")
        return np.append(scores[1:], np.float32(0)).astype(np.float32)  # drops "_neutral"; tongueOut is never detected

    def candidates(
        self, image: Picture, spans: tuple[float, ...], least: float = _DETECTOR_THRESHOLD, overlap: float = _OVERLAP
    ) -> list[Crop]:
        """Where faces may be, best first: detections that score at ``least`` in [0, 1], in squares of ``spans`` of the
        longer side, except those that overlap a better one by more than ``overlap``."""
        found: list[tuple[float, Floats]] = []
        longer = max(image.shape[:2])
        for span in spans:
            found += self._search(image, longer * span, least)
        found.sort(key=lambda item: -item[0])
        kept: list[Floats] = []
        for _, box in found:
            if all(shared(_corners(box), _corners(other)) < overlap for other in kept):
                kept.append(box)
        return [_crop_of_detection(box) for box in kept]

    def _search(self, image: Picture, side: float, least: float) -> list[tuple[float, Floats]]:
        """Detections with a score above ``least`` in half-overlapping squares of ``side`` px that cover the picture:
        (score, (8, 2) f32 px: two corners of the box, six key points)."""
        step = side / _DETECTOR_SIZE
        height, width = (max(1, round(n / step)) for n in image.shape[:2])
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if step > 1 else cv2.INTER_LINEAR)
        found: list[tuple[float, Floats]] = []
        for top in _starts(height):
            for left in _starts(width):
                square = np.zeros((_DETECTOR_SIZE, _DETECTOR_SIZE, 3), np.uint8)
                y, x = max(top, 0), max(left, 0)
                part = small[y : top + _DETECTOR_SIZE, x : left + _DETECTOR_SIZE]
                square[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]] = part
                for score, points in self._detections(square, least):
                    found.append(
                        (score, ((points + np.array([left, top], np.float32)) * np.float32(step)).astype(np.float32))
                    )
        return found

    def _detections(self, square: Picture, least: float) -> list[tuple[float, Floats]]:
        pixels = (square[None] / 127.5 - 1).astype(np.float32)
        regressors, scores = _run(self._detector, pixels, "regressors", "classificators")
        certain = 1 / (1 + np.exp(-scores.ravel().clip(-50, 50)))
        found: list[tuple[float, Floats]] = []
        for index in np.flatnonzero(certain > least):
            centre, size, *keys = regressors[0, index].reshape(8, 2)
            points = np.array([centre - size / 2, centre + size / 2, *keys], np.float32)
            found.append((float(certain[index]), points + self._anchors[index]))
        return found

    def look(
        self, image: Picture, crop: Crop, treat: Treatment | None = None, least: float = _FACE_THRESHOLD
    ) -> FaceLandmarks | None:
        """The face in ``crop``, whose pixels (256, 256, 3) are first changed by ``treat``; None if the network's
        certainty is below ``least`` in [0, 1]."""
        square = _cut(image, crop)
        square = treat(square) if treat else square
        raw, presence = _run(self._landmarks, (square[None] / 255).astype(np.float32), "Identity", "Identity_1")
        score = float(1 / (1 + np.exp(-presence.ravel()[0])))
        if score < least:
            return None
        local = raw.reshape(478, 3).astype(np.float64)
        matrix = crop.matrix()
        flat = local[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points = np.column_stack([flat, -local[:, 2] * crop.side / _CROP_SIZE]).astype(np.float32)
        return FaceLandmarks(points, self.blendshapes(points), score)


def _network(name: str, threads: int) -> Interpreter:
    network = Interpreter(model_content=bundle_file(name), num_threads=threads)
    network.allocate_tensors()
    return network


def _run(network: Interpreter, value: Floats, *outputs: str) -> list[Floats]:
    network.set_tensor(network.get_input_details()[0]["index"], value)
    network.invoke()
    numbers = {detail["name"]: detail["index"] for detail in network.get_output_details()}
    return [network.get_tensor(numbers[name]) for name in outputs]


def _anchors() -> Floats:
    """(896, 2) px: BlazeFace's cell centres, two per cell of 8 px and six per cell of 16 px."""
    layers: list[Floats] = []
    for stride, copies in ((8, 2), (16, 6)):
        centres = (np.arange(_DETECTOR_SIZE // stride) + 0.5) * stride
        grid = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
        layers.append(np.repeat(grid, copies, axis=0).astype(np.float32))
    return np.concatenate(layers)


def _starts(length: int) -> list[int]:
    """Where half-overlapping windows of the detector's size start, evenly spaced, to cover ``length``."""
    spare = length - _DETECTOR_SIZE
    if spare <= 0:
        return [spare // 2]
    count = int(np.ceil(spare / (_DETECTOR_SIZE / 2))) + 1
    return [round(at) for at in np.linspace(0, spare, count)]


def _corners(box: Floats) -> tuple[float, float, float, float]:
    return float(box[0, 0]), float(box[0, 1]), float(box[1, 0]), float(box[1, 1])


def shared(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection of two boxes relative to the smaller one."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(width, 0) * max(height, 0) / smaller if smaller > 0 else 0.0


def _crop_of_detection(box: Floats) -> Crop:
    low, high, right_eye, left_eye = box[:4]
    centre = (low + high) / 2
    angle = np.arctan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0])
    return Crop(float(centre[0]), float(centre[1]), _CROP_SCALE * float((high - low).max()), float(angle))


def crop_around(points: Floats) -> Crop:
    """The square around a face with landmarks (478, 3) that the network expects, rotated upright."""
    right, left = points[33, :2], points[263, :2]
    angle = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    c, s = np.cos(angle), np.sin(angle)
    turned = points[:468, :2] @ np.array([[c, -s], [s, c]], np.float32)
    low, high = turned.min(axis=0), turned.max(axis=0)
    centre = np.array([[c, -s], [s, c]]) @ ((low + high) / 2)
    return Crop(float(centre[0]), float(centre[1]), _CROP_SCALE * float((high - low).max()), angle)


def _cut(image: Picture, crop: Crop) -> Picture:
    """The crop as a picture of `_CROP_SIZE`; large crops are cut from a scaled-down picture to avoid aliasing."""
    matrix = crop.matrix()
    shrink = crop.side / _CROP_SIZE
    if shrink > 2:
        small = cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        matrix = matrix * (np.array([[small.shape[1] / image.shape[1]], [small.shape[0] / image.shape[0]]]))
        image = np.asarray(small, np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(image, matrix, (_CROP_SIZE, _CROP_SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(square, np.uint8)
