"""Which pictures show teeth between parted lips."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.geometry.topology import RINGS
from animator.portrait.picture.reading import Picture
from animator.portrait.shaping.lip_gap import shows_teeth

pytestmark = pytest.mark.model

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def smiling(photo: Picture, landmarker: Landmarker) -> tuple[Picture, Floats]:
    """A smile with teeth."""
    return photo, landmarker.detect(photo)[0].points


def behind_lips(picture: Picture, points: Floats) -> NDArray[np.bool_]:
    """(H, W) what is well between the inner lips."""
    ring = [*RINGS["lips_inner_upper"], *RINGS["lips_inner_lower"][::-1]]
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [points[ring, :2].round().astype(np.int32)], (1,))
    return mask > 0


@pytest.mark.parametrize("share", [1.0, 0.75, 0.6])
def test_teeth_are_seen_in_the_shade_of_the_lips(smiling: tuple[Picture, Floats], share: float) -> None:
    """At 0.6 they are darker than the lips, but still paler."""
    picture, points = smiling[0].copy(), smiling[1]
    inside = behind_lips(picture, points)
    picture[inside] = (picture[inside] * share).astype(np.uint8)
    assert shows_teeth(picture, points)


def test_a_tongue_is_no_teeth(smiling: tuple[Picture, Floats]) -> None:
    """A mouth open on flesh as red as the lips, lighter below than above."""
    picture, points = smiling[0].copy(), smiling[1]
    inside = behind_lips(picture, points)
    rows = np.nonzero(inside)[0]
    light = np.interp(rows, [rows.min(), rows.max()], [0.15, 1.0])[:, None]
    picture[inside] = (np.array([168, 88, 84]) * light).astype(np.uint8)
    assert not shows_teeth(picture, points)


def test_shut_lips_show_none(smiling: tuple[Picture, Floats]) -> None:
    points = smiling[1].copy()
    points[list(RINGS["lips_inner_lower"])] = points[list(RINGS["lips_inner_upper"])]
    assert not shows_teeth(smiling[0], points)
