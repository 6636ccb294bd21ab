"""Eyes of flat drawings: large ones with a white, and mere dots."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.drawn.drawing import PHOTOGRAPH, Drawing
from animator.portrait.picture.named import Landmarks
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.eyes.lids import lids
from animator.render.layers import layers

pytestmark = pytest.mark.model

Picture = NDArray[np.uint8]
DARK = (40, 20, 60)


@pytest.fixture(scope="module")
def toon() -> Portrait:
    return load(find("toon").picture)


@pytest.fixture(scope="module")
def dotted(toon: Portrait) -> Portrait:
    """The same face with dots for its eyes."""
    picture = toon.picture[..., ::-1].copy()
    skin = toon.picture[tuple(toon.landmarks[50, :2].round().astype(int)[::-1])]
    for x, y, radius in toon.iris.round().astype(int).tolist():
        cv2.circle(picture, (x, y), 3 * radius, skin[::-1].tolist(), -1)
        cv2.circle(picture, (x, y), radius, DARK[::-1], -1, cv2.LINE_AA)
    return load(cv2.imencode(".png", picture)[1].tobytes())


@pytest.fixture(scope="module")
def toon_face(toon: Portrait) -> Renderer:
    return Renderer(toon)


@pytest.fixture(scope="module")
def dotted_face(dotted: Portrait) -> Renderer:
    return Renderer(dotted)


def eyes(renderer: Renderer, blink: float = 0.0, yaw: float = 0.0) -> list[Picture]:
    """The frame around each iris."""
    motion = np.zeros(space.SIZE, np.float32)
    motion[[space.INDEX["eyeBlinkLeft"], space.INDEX["eyeBlinkRight"]]] = blink
    motion[[space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW]] = yaw
    frame, portrait = renderer.draw(motion), renderer.portrait
    boxes = (portrait.iris - (*portrait.view, 0)).round().astype(int).tolist()
    return [frame[y - 2 * r : y + 2 * r, x - 2 * r : x + 2 * r] for x, y, r in boxes]


def whole(renderer: Renderer, blink: float) -> Picture:
    motion = np.zeros(space.SIZE, np.float32)
    motion[[space.INDEX["eyeBlinkLeft"], space.INDEX["eyeBlinkRight"]]] = blink
    return renderer.draw(motion)


def ink(frame: Picture) -> float:
    return float((frame.mean(axis=2) < 60).sum())


@pytest.mark.parametrize("name", ["toon", "astronaut", "pere_tanguy"])
def test_drawings_are_told_from_photographs_and_paintings(name: str) -> None:
    flat = Drawing(colours=True, skin=True, eyes=True, lids=True, mouth=True)
    assert load(find(name).picture).drawing == (flat if name == "toon" else PHOTOGRAPH)


def test_dots_are_found_where_they_are(toon: Portrait, dotted: Portrait) -> None:
    apart = np.linalg.norm((dotted.iris - dotted.view[0])[:, :2] - (toon.iris - toon.view[0])[:, :2], axis=1)
    assert apart.max() < 0.03 * toon.size
    for (x, y, radius), side in zip(dotted.iris, ("left", "right"), strict=True):
        lids = [dotted.vertices[dotted.contours[f"eye_{side}_{lid}"], :2] for lid in ("upper", "lower")]
        assert np.linalg.norm(np.concatenate(lids) - (x, y), axis=1).min() > 1.1 * radius


def test_a_brow_that_touches_an_eye_is_none_of_it(toon: Portrait) -> None:
    picture = toon.picture[..., ::-1].copy()
    for side, (x, _, radius) in zip(("left", "right"), toon.iris, strict=True):
        top = int(toon.vertices[toon.contours[f"eye_{side}_upper"], 1].min()) + 3
        wide = round(1.8 * float(radius))
        cv2.rectangle(picture, (int(x) - wide, top - round(1.1 * radius)), (int(x) + wide, top), DARK[::-1], -1)
    found = load(cv2.imencode(".png", picture)[1].tobytes()).named().points
    apart = np.array([found["left_iris"], found["right_iris"]]) - toon.iris[:, :2]
    assert np.linalg.norm(apart, axis=1).max() < 0.2 * toon.iris[:, 2].min()


@pytest.mark.parametrize("yaw", [-15.0, 15.0])
def test_a_dot_looks_aside_as_a_whole(dotted_face: Renderer, yaw: float) -> None:
    for ahead, aside in zip(eyes(dotted_face), eyes(dotted_face, yaw=yaw), strict=True):
        assert ink(aside) == pytest.approx(ink(ahead), rel=0.06)
        columns = [np.nonzero(frame.mean(axis=2) < 60)[1].mean() for frame in (ahead, aside)]
        assert (columns[1] - columns[0]) * np.sign(yaw) > 2


@pytest.mark.parametrize("face", ["toon_face", "dotted_face"])
def test_shut_eyes_are_a_line(face: str, request: pytest.FixtureRequest) -> None:
    renderer: Renderer = request.getfixturevalue(face)
    for open_eye, shut in zip(eyes(renderer), eyes(renderer, blink=1), strict=True):
        assert 0.02 < ink(shut) / ink(open_eye) < 0.5
        rows, columns = np.nonzero(shut.mean(axis=2) < 60)
        assert max(np.ptp(rows[columns == column]) for column in np.unique(columns)) < 0.2 * len(shut)
        assert (shut.min(axis=2) > 225).mean() < 0.01  # nothing of the white is left


def test_lids_of_one_colour_are_not_painted_on_a_photograph_that_is_called_a_drawing(toon: Portrait) -> None:
    photo = load(find("astronaut").picture, 256, Landmarks({}, 1, 1, drawn=True))
    assert photo.drawing.lids
    assert [lid.ink for lid in lids(photo)] == [None, None]
    assert all(lid.ink for lid in lids(toon))


def test_half_a_blink_shuts_drawn_eyes_but_a_mood_does_not(toon_face: Renderer) -> None:
    for open_eye, moody, half, shut in zip(*(eyes(toon_face, blink) for blink in (0, 0.2, 0.45, 1)), strict=True):
        assert np.array_equal(half, shut)
        assert ink(moody) > 0.8 * ink(open_eye)


def test_an_iris_that_looks_aside_takes_no_specks_along(toon_face: Renderer) -> None:
    """What the lids hide of it continues the drawn one."""
    for eye in toon_face._made.eyes:
        opacity = eye.layers.iris[..., 3]
        shape = np.argwhere(opacity > 0.3)[:, ::-1].astype(np.int32)
        assert (opacity > 0.5).sum() > 0.99 * cv2.contourArea(cv2.convexHull(shape)), "nothing sticks out"


def test_a_lid_comes_down_without_the_brow_and_the_lashes(toon_face: Renderer) -> None:
    """What was round the open eye is skin, and what is farther away is as it was."""
    open_face, shut_face = (whole(toon_face, blink).astype(np.int16) for blink in (0, 1))
    portrait = toon_face.portrait
    width, (left, top) = portrait.face_width, portrait.view
    for (x, y, _), side in zip(portrait.iris, ("left", "right"), strict=True):
        rims = np.concatenate([portrait.contours[f"eye_{side}_{lid}"] for lid in ("upper", "lower")])
        low, high = portrait.vertices[rims, :2].min(axis=0), portrait.vertices[rims, :2].max(axis=0)
        skin = shut_face[int(high[1] - top + 0.05 * width), int(x - left)]
        above = np.s_[int(low[1] - top - 4) : int(y - top), int(low[0] - left - 4) : int(high[0] - left + 4)]
        assert np.abs(shut_face[above] - skin).max() < 20, "no lash is left, and nothing of the iris"
        brow = np.s_[: int(low[1] - top - 0.1 * width)]
        assert np.array_equal(shut_face[brow], open_face[brow])


def test_an_eye_that_is_not_one_colour_on_another_looks_nowhere(toon: Portrait) -> None:
    """Its layers would not be those of the picture: it stays as it was drawn."""
    picture = toon.picture[..., ::-1].copy()
    for x, y, radius in toon.iris.round().astype(int).tolist():
        for step in range(4):
            colour = [(240, 235, 230), (150, 60, 20), (60, 160, 250), (20, 20, 20)][step]
            cv2.circle(picture, (x, y), round(radius * (1 - 0.25 * step)), colour, -1, cv2.LINE_AA)
    renderer = Renderer(load(cv2.imencode(".png", picture)[1].tobytes()))
    assert renderer.portrait.drawing.lids
    for ahead, aside in zip(eyes(renderer), eyes(renderer, yaw=15), strict=True):
        assert np.abs(ahead.astype(int) - aside).mean() < 3


def test_flat_colours_keep_their_light_when_the_head_turns(toon_face: Renderer) -> None:
    assert not layers(toon_face.portrait).light.strength.any()
