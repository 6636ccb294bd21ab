"""Glasses stay as they are while the face behind them moves."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.eyes.spectacles import take_off

pytestmark = pytest.mark.model

Picture = NDArray[np.uint8]


def with_glasses(name: str, colour: tuple[int, int, int], breadth: float, height: float = 0.15) -> Portrait:
    """A shipped character who wears oval glasses, ``height`` face widths high on each side of the middle, of which the
    rims are ``breadth`` face widths broad."""
    bare = load(find(name).picture)
    width, thick = bare.face_width, max(2, round(breadth * bare.face_width))
    picture = bare.picture[..., ::-1].copy()
    eyes = bare.iris[:, :2] + (0, 0.03 * width)
    across = (eyes[0] - eyes[1]) / np.linalg.norm(eyes[0] - eyes[1])
    for centre in eyes:
        axes = round(0.18 * width), round(height * width)
        cv2.ellipse(picture, centre.round().astype(int).tolist(), axes, 0, 0, 360, colour[::-1], thick, cv2.LINE_AA)
    inner = [eyes[0] - 0.18 * width * across, eyes[1] + 0.18 * width * across]
    ends = [tuple(point.round().astype(int).tolist()) for point in inner]
    cv2.line(picture, ends[0], ends[1], colour[::-1], thick, cv2.LINE_AA)
    return load(cv2.imencode(".png", picture)[1].tobytes())


@pytest.fixture(scope="module")
def bespectacled() -> Portrait:
    return with_glasses("astronaut", (30, 25, 25), 0.02)


@pytest.fixture(scope="module")
def renderer(bespectacled: Portrait) -> Renderer:
    return Renderer(bespectacled)


def drawn(renderer: Renderer, **shapes: float) -> Picture:
    motion = np.zeros(space.SIZE, np.float32)
    for name, value in shapes.items():
        for side in ("Left", "Right"):
            motion[space.INDEX[name + side]] = value
    return renderer.draw(motion)


def test_the_frame_is_found(bespectacled: Portrait) -> None:
    assert bespectacled.glasses.shape == bespectacled.picture.shape[:2]
    dark = bespectacled.picture.max(axis=2) < 40
    low, high = bespectacled.landmarks[[105, 330], 1].astype(int)
    left, right = bespectacled.landmarks[[33, 263], 0].astype(int)
    rims = dark[low:high, left:right]
    assert (bespectacled.glasses[low:high, left:right][rims] > 128).mean() > 0.9


@pytest.mark.parametrize(("name", "colour"), [("mona_lisa", (90, 60, 20)), ("pere_tanguy", (20, 30, 70))])
def test_paintings_may_wear_them_too(name: str, colour: tuple[int, int, int]) -> None:
    assert with_glasses(name, colour, 0.018).glasses.size


@pytest.mark.parametrize("name", ["astronaut", "mona_lisa", "pere_tanguy", "toon"])
def test_nobody_else_gets_some(name: str) -> None:
    assert not load(find(name).picture).glasses.size


def test_the_picture_at_rest_is_exact(bespectacled: Portrait, renderer: Renderer) -> None:
    x, y = bespectacled.view
    picture = bespectacled.picture[y : y + bespectacled.size, x : x + bespectacled.size]
    difference = np.abs(drawn(renderer).astype(int) - picture)
    assert difference.max() <= 1
    assert (difference > 0).sum() < 20


def test_the_skin_behind_the_frame_joins_the_skin_around_it(bespectacled: Portrait) -> None:
    bare = take_off(bespectacled).picture
    difference = np.abs(bare.astype(int) - bespectacled.picture).max(axis=2)
    faint = (bespectacled.glasses > 0) & (bespectacled.glasses < 26)
    assert difference[faint].max() < 26
    assert difference[bespectacled.glasses > 250].max() > 100


def test_the_lids_are_free_of_a_frame_close_above_them() -> None:
    portrait = with_glasses("astronaut", (30, 25, 25), 0.02, height=0.11)
    uppers = [portrait.contours[f"eye_{side}_upper"] for side in ("left", "right")]
    x, y = portrait.vertices[np.concatenate(uppers), :2].round().astype(int).T
    assert portrait.glasses[y - round(0.01 * portrait.face_width), x].max() < 40
    assert portrait.glasses[portrait.picture.max(axis=2) < 40].max() == 255


@pytest.mark.parametrize("shape", ["eyeBlink", "browOuterUp", "browDown", "cheekSquint"])
def test_no_expression_moves_the_frame(bespectacled: Portrait, renderer: Renderer, shape: str) -> None:
    x, y = bespectacled.view
    solid = bespectacled.glasses[y : y + bespectacled.size, x : x + bespectacled.size] > 250
    moved, still = drawn(renderer, **{shape: 1.0}), drawn(renderer)
    assert np.abs(moved.astype(int) - still)[solid].max() <= 3
    assert np.abs(moved.astype(int) - still).max() > 20  # while the face behind it does move
