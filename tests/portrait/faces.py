"""Faces of many kinds with the landmarks that were found in them, and what happens to the files of pictures."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Faces = dict[str, tuple[Picture, Floats]]
FACES = Path(__file__).parent / "pictures" / "faces"


def read_faces() -> Faces:
    """Pictures (h, w, 3) RGB and landmarks (478, 3) by name; the names of drawings start with ``drawn_``. They are
    listed in `pictures/README.md`."""
    with np.load(FACES / "landmarks.npz") as kept:
        points = {name: (kept[name] / 8).astype(np.float32) for name in kept.files}
    read = {name: cv2.imread(str(FACES / f"{name}.webp")) for name in points}
    return {name: (np.ascontiguousarray(read[name][..., ::-1]), points[name]) for name in points}


def copied(face: tuple[Picture, Floats], copy: str) -> tuple[Picture, Floats]:
    """Picture and landmarks of a ``face`` as they are in a ``copy``, a name in `COPIES`."""
    picture, points = face
    made = COPIES[copy](picture)
    return made, points * np.float32(made.shape[1] / picture.shape[1])


def saved(kind: str, quality: int, picture: Picture) -> Picture:
    flag = cv2.IMWRITE_JPEG_QUALITY if kind == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
    data = cv2.imencode(kind, picture[..., ::-1], [flag, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def smooth(picture: Picture) -> Picture:
    """A beauty filter."""
    for _ in range(3):
        picture = cv2.bilateralFilter(picture, 11, 40, 7)
    return picture


def resized(times: float) -> Callable[[Picture], Picture]:
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_CUBIC
    return lambda picture: np.asarray(cv2.resize(picture, None, fx=times, fy=times, interpolation=how), np.uint8)


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "median": lambda picture: cv2.medianBlur(picture, 9),
    "bilateral": smooth,
    "blurred": lambda picture: cv2.GaussianBlur(picture, (0, 0), 2),
    "JPEG": lambda picture: saved(".jpg", 30, picture),
    "WebP": lambda picture: saved(".webp", 40, picture),
    "smoothed, then JPEG": lambda picture: saved(".jpg", 40, cv2.medianBlur(picture, 7)),
    "small": resized(0.4),
    "large": resized(2.0),
    "dark": lambda picture: (0.3 * picture).round().astype(np.uint8),
    "faint": lambda picture: (150 + 0.3 * picture).round().astype(np.uint8),
}
