"""What stands behind the person, and what of it a moving head disturbs."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.surface.plate import opacity, plate

pytestmark = pytest.mark.model

RED, GREY = (220, 20, 20), (100, 100, 100)


def leaning() -> NDArray[np.float32]:
    motion = np.zeros(space.SIZE, np.float32)
    motion[[space.HEAD_YAW, space.HEAD_ROLL, space.HEAD_X, space.TORSO_X]] = 6, 5, 0.03, 0.02
    return motion


def apart(portrait: Portrait) -> NDArray[np.float32]:
    """Face widths from the person, of each pixel of the view."""
    x, y = portrait.view
    away = cv2.distanceTransform((portrait.person < 48).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(away[y : y + portrait.size, x : x + portrait.size] / portrait.face_width, np.float32)


@pytest.fixture
def painted(portrait: Portrait) -> Portrait:
    """A red person before a grey wall."""
    person = cv2.distanceTransform((portrait.person < 48).astype(np.uint8), cv2.DIST_L2, 5) < 2
    return replace(portrait, picture=np.where(person[..., None], RED, GREY).astype(np.uint8))


def test_away_from_a_leaning_head_nothing_moves_at_all(renderer: Renderer, portrait: Portrait) -> None:
    rest, leant = renderer.draw(np.zeros(space.SIZE, np.float32)), renderer.draw(leaning())
    far = apart(portrait) > 0.35
    assert far.mean() > 0.05
    assert np.array_equal(leant[far], rest[far])
    assert np.abs(leant[~far].astype(int) - rest[~far]).mean() > 5


def test_the_plate_shows_none_of_the_person(painted: Portrait) -> None:
    behind = plate(painted.picture, opacity(painted), painted.face_width)
    assert np.ptp(behind, axis=2).max() < 6
    assert np.abs(behind.astype(int) - GREY).max() < 15


def test_nothing_of_a_dark_collar_stays_on_a_light_wall() -> None:
    """The astronaut's, of which the network that outlines people misses a piece."""
    astronaut = load(find("astronaut").picture)
    opaque = opacity(astronaut)
    behind = plate(astronaut.picture, opaque, astronaut.face_width)
    collar = np.s_[340:420, 105:200]
    assert (behind[collar][opaque[collar] > 0].astype(int).mean(axis=1) > 185).all()


def test_a_head_that_leans_away_leaves_neither_glow_nor_contour(painted: Portrait) -> None:
    frame = Renderer(painted).draw(leaning()).astype(int)
    red = frame[..., 0] - frame[..., 1] > 8
    parts, _, sizes, _ = cv2.connectedComponentsWithStats(red.astype(np.uint8))
    assert sizes[1:parts, cv2.CC_STAT_AREA].max() > 0.99 * red.sum()
    assert np.abs(frame[~cv2.dilate(red.astype(np.uint8), np.ones((5, 5))).astype(bool)] - GREY).max() < 8


def test_around_a_person_guessed_at_nothing_is_cut_and_the_rest_stands_still(portrait: Portrait) -> None:
    guessed = replace(portrait, outlined=False)
    faint = np.random.default_rng(1).integers(60, 200, portrait.picture.shape, np.uint8)
    renderer = Renderer(replace(guessed, picture=cv2.GaussianBlur(faint, (0, 0), 6)))
    rest, leant = (renderer.draw(motion).astype(int) for motion in (np.zeros_like(leaning()), leaning()))
    away = apart(portrait)
    assert np.abs(leant - rest)[away > 0.5].max() <= 1
    ring = (away > 0.1) & (away < 0.2)
    assert np.abs(leant - rest)[ring].mean() > 1
