"""Raised brows stay as thick as they are in the picture."""

import numpy as np
import pytest

from animator.motion.rows.space import INDEX
from animator.portrait.characters import find
from animator.portrait.geometry.topology import RINGS
from animator.portrait.portrait import load
from animator.portrait.shaping.brows import level_brows

pytestmark = pytest.mark.model


@pytest.mark.parametrize("name", ["astronaut", "mona_lisa"])
def test_brows_rise_as_a_whole(name: str) -> None:
    portrait = load(find(name).picture)
    raised = sum(portrait.shapes[INDEX[shape]] for shape in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"))
    up = -np.asarray(raised)[:, 1]
    lower, upper = up[[285, 295, 282, 283]], up[[336, 296, 334, 293]]
    assert upper.min() > 0.02 * portrait.face_width
    assert np.abs(upper - lower).max() < 0.25 * upper.max()
    lids = up[list(RINGS["eye_left_upper"] + RINGS["eye_right_upper"])]
    assert np.abs(lids).max() < 0.12 * upper.max()


def test_no_point_of_a_tall_drawn_eye_goes_with_the_brow_above_it() -> None:
    """Its lid would become a saw, whose teeth are the points between the landmarks."""
    portrait = load(find("toon").picture)
    vertices, lid = portrait.vertices.copy(), portrait.contours["eye_left_upper"]
    top = vertices[lid, 1].min()
    brow = [285, 295, 282, 283, 276, 336, 296, 334, 293, 300]
    vertices[brow, 1] = top - 0.03 * portrait.face_width
    shapes = np.zeros_like(portrait.shapes)
    shapes[INDEX["browInnerUp"], brow, 1] = -10
    raised = level_brows(vertices, shapes, portrait.face_width)[INDEX["browInnerUp"]]
    assert np.abs(raised[lid]).max() < 0.1
    assert raised[brow, 1].max() < -9
