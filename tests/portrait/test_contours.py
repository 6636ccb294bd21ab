"""Drawn eyes and mouths are found as drawn, where networks that know photographs see nothing."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from animator.portrait.drawn.contours import find_drawn
from animator.portrait.finding.finding import find_faces
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.picture.reading import Picture, Source
from tests.portrait.faces import Faces

RIGHT, LEFT, MOUTH = (190, 230), (310, 230), (250, 340)


def drawing(skin: tuple[int, int, int] = (240, 200, 170), behind: tuple[int, int, int] = (250, 250, 250)) -> Picture:
    """A head without a face."""
    picture = np.full((500, 500, 3), behind, np.uint8)
    cv2.ellipse(picture, (250, 260), (150, 190), 0, 0, 360, skin, -1, cv2.LINE_AA)
    return picture


def dots(picture: Picture) -> None:
    for eye in (RIGHT, LEFT):
        cv2.circle(picture, eye, 12, (30, 30, 30), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (250, 320), (45, 20), 0, 10, 170, (30, 30, 30), 5, cv2.LINE_AA)


def staring(picture: Picture) -> None:
    """Round white eyes that look aside, brows above them, and an open mouth."""
    for x, y in (RIGHT, LEFT):
        cv2.ellipse(picture, (x, y), (34, 40), 0, 0, 360, (20, 20, 20), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, y), (30, 36), 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, (x + 12, y + 4), 12, (20, 20, 20), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, y - 52), (36, 10), 0, 180, 360, (60, 30, 10), 8, cv2.LINE_AA)
    cv2.ellipse(picture, MOUTH, (50, 26), 0, 0, 360, (150, 30, 40), -1, cv2.LINE_AA)


def shut(picture: Picture) -> None:
    for x, y in (RIGHT, LEFT):
        cv2.ellipse(picture, (x, y), (30, 14), 0, 0, 180, (20, 20, 20), 6, cv2.LINE_AA)
    cv2.line(picture, (215, 340), (285, 340), (150, 30, 40), 7, cv2.LINE_AA)


def robot(picture: Picture) -> None:
    """Lights in a visor, and the mouth below it."""
    cv2.rectangle(picture, (140, 190), (360, 270), (25, 25, 30), -1)
    for x, y in (RIGHT, LEFT):
        cv2.rectangle(picture, (x - 14, y - 14), (x + 14, y + 14), (150, 230, 255), -1)
    cv2.rectangle(picture, (215, 332), (285, 348), (25, 25, 30), -1)


@pytest.mark.parametrize("paint", [dots, staring, shut, robot])
@pytest.mark.parametrize("skin", [(240, 200, 170), (90, 55, 40), (60, 160, 240)])
def test_eyes_and_mouth_are_found(paint: Callable[[Picture], None], skin: tuple[int, int, int]) -> None:
    picture = drawing(skin)
    paint(picture)
    (first, *_) = find_drawn(picture)
    assert first.likely > 0.3
    for name, place in (("right_iris", RIGHT), ("left_iris", LEFT)):
        assert first.points[name] == pytest.approx(place, abs=15)
    corners = np.array([first.points["mouth_left"], first.points["mouth_right"]])
    assert corners.mean(axis=0) == pytest.approx(MOUTH, abs=20)
    assert corners[0, 0] > corners[1, 0]


def test_a_head_without_a_face_has_none() -> None:
    assert find_drawn(drawing()) == []
    one_eyed = drawing()
    cv2.circle(one_eyed, RIGHT, 12, (30, 30, 30), -1)
    cv2.line(one_eyed, (215, 340), (285, 340), (150, 30, 40), 7)
    assert find_drawn(one_eyed) == []


def test_what_networks_do_not_see_is_found_by_its_contours(landmarker: Landmarker) -> None:
    picture = drawing((60, 160, 240))
    robot(picture)
    _, (face,) = find_faces(Source(picture, 500, 500), landmarker)
    for number, place in ((468, RIGHT), (473, LEFT), (13, MOUTH)):
        assert face.points[number, :2] == pytest.approx(place, abs=25)


def test_drawn_brows_are_not_taken_for_eyes(faces: Faces) -> None:
    """The networks see the eyes of this bearded man in his brows."""
    picture, _ = faces["drawn_lorelei"]
    (first, *_) = find_drawn(picture)
    for name, place in (("right_iris", (120, 146)), ("left_iris", (208, 147))):
        assert first.points[name] == pytest.approx(place, abs=12)
