"""Animals and robots that a person placed by hand: their eyes are found, shut wholly, and no human teeth are seen."""

import cv2
import numpy as np
import pytest

from animator.evaluate.wishes.sweep import row
from animator.portrait.picture.named import Landmarks
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer

pytestmark = pytest.mark.model

EYES, MOUTH, CHIN = ((180, 190), (332, 190)), ((206, 350), (306, 350)), (256, 420)


def beast(seed: int, size: tuple[int, int], tilt: float) -> bytes:
    """A furry face of 512 px with green eyes of half the ``size`` px, turned by ``tilt`` degrees, and slit pupils."""
    rng = np.random.default_rng(seed)
    hairs = cv2.GaussianBlur(rng.normal(0, 60, (512, 512)).astype(np.float32), (0, 0), sigmaX=1, sigmaY=4)
    fur = np.clip(np.array([90, 120, 160]) + hairs[..., None], 0, 255).astype(np.uint8)
    for x, y in EYES:
        cv2.ellipse(fur, (x, y), (size[0] + 4, size[1] + 4), tilt, 0, 360, (20, 25, 30), -1, cv2.LINE_AA)
        cv2.ellipse(fur, (x, y), size, tilt, 0, 360, (70, 170, 150), -1, cv2.LINE_AA)
        cv2.ellipse(fur, (x, y), (7, size[1] - 8), 0, 0, 360, (15, 15, 15), -1, cv2.LINE_AA)
    return cv2.imencode(".png", fur)[1].tobytes()


def placed(content: bytes, **more: tuple[float, float]) -> Portrait:
    right, left = EYES
    points = {"right_iris": right, "left_iris": left, "mouth_right": MOUTH[0], "mouth_left": MOUTH[1], "chin": CHIN}
    return load(content, 512, Landmarks({**points, **more}, 512, 512))


def green(image: np.ndarray) -> int:
    """Pixels that are an eye's."""
    seen = image.astype(int)
    return int(((seen[..., 1] - seen[..., 0] > 12) & (seen[..., 1] - seen[..., 2] > 40)).sum())


@pytest.mark.parametrize(("seed", "size", "tilt"), [(1, (34, 30), 0), (2, (40, 36), 20), (3, (30, 24), -15)])
def test_the_eyes_of_an_animal_shut_wholly_and_it_has_no_human_teeth(
    seed: int, size: tuple[int, int], tilt: float
) -> None:
    portrait = placed(beast(seed, size, tilt))
    assert not portrait.human
    assert portrait.eyes_hidden == (False, False)
    renderer = Renderer(portrait)
    rest, shut, aside = (renderer.draw(row(**pose)) for pose in ({}, {"eyeBlink": 1}, {"gaze_yaw": 12}))
    assert green(rest) > 1000
    assert green(shut) < 0.01 * green(rest)
    assert np.abs(aside.astype(int) - rest).max(axis=2).sum() > 5000
    wide = renderer.draw(row(jawOpen=0.6, mouthUpperUp=0.3, mouthLowerDown=0.3)).astype(int)
    left, top, step = portrait.place
    x, y = ((256 - left) / step - portrait.view[0], (350 - top) / step - portrait.view[1])
    mouth = wide[round(y - 10) : round(y + 50), round(x - 40) : round(x + 40)]
    assert (mouth.max(axis=2) < 60).mean() > 0.1
    assert mouth.min(axis=2).max() < 190


def test_an_animal_whose_corners_of_the_eyes_were_placed_shuts_them_too() -> None:
    corners = {"right_eye_outer": (145, 175), "right_eye_inner": (218, 206), "right_eye_top": (178, 155)}
    renderer = Renderer(placed(beast(4, (38, 34), 0), **corners))
    assert green(renderer.draw(row(eyeBlink=1))) < 0.03 * green(renderer.draw(row()))


def test_eyes_on_the_screen_of_a_robot_shut_in_a_line_of_their_own_colour() -> None:
    robot = np.full((512, 512, 3), (40, 170, 250), np.uint8)
    cv2.rectangle(robot, (90, 120), (422, 260), (30, 20, 25), -1)
    for centre in EYES:
        cv2.circle(robot, centre, 32, (240, 230, 120), -1, cv2.LINE_AA)
    cv2.rectangle(robot, (206, 345), (306, 355), (30, 20, 25), -1)
    renderer = Renderer(placed(cv2.imencode(".png", robot)[1].tobytes()))

    def lit(image: np.ndarray) -> int:
        return int((image[..., 2].astype(int) - image[..., 0] > 60).sum())

    rest, shut = lit(renderer.draw(row())), lit(renderer.draw(row(eyeBlink=1)))
    assert 0.02 * rest < shut < 0.2 * rest
