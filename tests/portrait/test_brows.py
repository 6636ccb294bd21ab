"""Raised brows stay as thick as they are in the picture."""

import numpy as np
import pytest

from animator.motion.rows.space import INDEX
from animator.portrait.characters import find
from animator.portrait.geometry.topology import RINGS
from animator.portrait.portrait import load

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
