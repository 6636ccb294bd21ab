"""No photograph and no painting is taken for a flat drawing, whatever was done to its file, and every flat drawing is.

The pictures and the landmarks that were found in them are in `pictures/faces`; see the list there.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.portrait.drawing import PHOTOGRAPH, Drawing, judge

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
FACES = Path(__file__).parent / "pictures" / "faces"


@pytest.fixture(scope="module")
def faces() -> dict[str, tuple[Picture, Floats]]:
    """Pictures and landmarks; the names of drawings start with ``drawn_``."""
    with np.load(FACES / "landmarks.npz") as kept:
        points = {name: (kept[name] / 8).astype(np.float32) for name in kept.files}
    read = {name: cv2.imread(str(FACES / f"{name}.webp")) for name in points}
    return {name: (np.ascontiguousarray(read[name][..., ::-1]), points[name]) for name in points}


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


def seen(faces: dict[str, tuple[Picture, Floats]], copy: str) -> dict[str, Drawing]:
    found: dict[str, Drawing] = {}
    for name, (picture, points) in faces.items():
        made = COPIES[copy](picture)
        found[name] = judge(made, points * np.float32(made.shape[1] / picture.shape[1]))
    return found


@pytest.mark.parametrize("copy", COPIES)
def test_drawings_are_told_from_everything_else(faces: dict[str, tuple[Picture, Floats]], copy: str) -> None:
    found = seen(faces, copy)
    assert len(found) >= 60
    drawn = {name for name in found if name.startswith("drawn_")}
    assert [name for name in found if name not in drawn and found[name] != PHOTOGRAPH] == []
    assert [name for name in sorted(drawn) if not found[name].skin] == []


def test_a_face_that_is_blown_out_is_no_line_drawing(faces: dict[str, tuple[Picture, Floats]]) -> None:
    photographs = [face for name, face in faces.items() if not name.startswith("drawn_")]
    bright = [judge((1.5 * picture).round().clip(0, 255).astype(np.uint8), points) for picture, points in photographs]
    assert bright == [PHOTOGRAPH] * len(photographs)
