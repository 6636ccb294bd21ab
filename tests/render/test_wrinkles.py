"""Lines that come with expressions."""

import cv2
import numpy as np
import pytest

from animator.motion.rows.space import ARKIT, INDEX, SIZE
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render import Renderer
from animator.render.surface import raster, wrinkles
from animator.render.surface.body import body

pytestmark = pytest.mark.model


def change(portrait: Portrait, **weights: float) -> np.ndarray:
    """(n, n) by how much the lines of ARKit weights darken the picture of a face that has not moved."""
    made = body(portrait)
    lines = wrinkles.wrinkles(portrait, made.face, len(made.points))
    assert lines is not None
    frame = portrait.picture.copy()
    one = np.ones(len(made.points), np.float32)
    row = np.zeros(len(ARKIT), np.float32)
    for name, value in weights.items():
        row[INDEX[name]] = value
    wrinkles.draw(frame, lines, raster.Surface(made.uv, made.uv, one, one), row)
    return portrait.picture.mean(axis=2) - frame.mean(axis=2)


def test_raised_brows_line_the_forehead_and_nothing_else(portrait: Portrait) -> None:
    darker = change(portrait, browInnerUp=1, browOuterUpLeft=1, browOuterUpRight=1)
    x, y = portrait.vertices[151, :2].round().astype(int)
    around = int(0.1 * portrait.face_width)
    assert darker[y - around : y + around, x - around : x + around].max() > 8
    below = int(portrait.vertices[6, 1])
    assert not darker[below:].any()


def test_a_smile_folds_the_cheeks_softly(portrait: Portrait) -> None:
    darker = change(portrait, mouthSmileLeft=1, mouthSmileRight=1)
    assert 2 < darker.max() < 60
    assert not change(portrait).any(), "a face at rest has no lines but its own"


def test_drawings_get_no_lines() -> None:
    portrait = load(find("toon").picture)
    made = body(portrait)
    assert wrinkles.wrinkles(portrait, made.face, len(made.points)) is None


def test_a_face_that_the_border_cuts_through_is_drawn() -> None:
    picture = np.asarray(cv2.imread(str(find("astronaut").picture)))
    whole = load(find("astronaut").picture)
    nose = round((whole.landmarks[1, 0] + 0.1 * whole.face_width) * whole.place[2] + whole.place[0])
    portrait = load(cv2.imencode(".png", picture[:, :nose])[1].tobytes(), 256)
    assert any("cuts the face off" in told for told in portrait.warnings)
    assert Renderer(portrait).draw(np.zeros(SIZE, np.float32)).shape == (256, 256, 3)
