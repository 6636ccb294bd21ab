"""Eyes that the picture shows half shut are held open, and still shut wholly."""

from dataclasses import replace

import numpy as np
import pytest

from animator.motion.rows.space import INDEX, SIZE
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.render.neutral.drooping import DROOPING_OPENNESS, LARGEST_LIFT, LiftedLids, drooping, opennesses

LEFT, RIGHT = INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]


@pytest.fixture(scope="module", params=["mona_lisa", "astronaut"])
def portrait(request: pytest.FixtureRequest) -> Portrait:
    return load(find(request.param).picture)


def squinting(portrait: Portrait, left: float, right: float) -> Portrait:
    """``portrait`` with its upper lids lowered by shares of the openings."""
    moved = portrait.vertices + left * portrait.shapes[LEFT] + right * portrait.shapes[RIGHT]
    return replace(portrait, vertices=moved.astype(np.float32))


def test_open_eyes_are_left_alone(portrait: Portrait) -> None:
    assert min(opennesses(portrait)) > DROOPING_OPENNESS
    assert drooping(portrait) == (0, 0)


def test_a_half_shut_eye_is_opened_and_the_other_is_not(portrait: Portrait) -> None:
    left, right = drooping(squinting(portrait, 0.5, 0.0))
    assert 0.1 < left <= LARGEST_LIFT and right == 0
    assert opennesses(squinting(portrait, 0.5, 0.0))[0] == pytest.approx(0.5 * opennesses(portrait)[0], rel=0.15)


def test_an_eye_behind_dark_glasses_is_not_opened(portrait: Portrait) -> None:
    hidden = replace(squinting(portrait, 0.5, 0.5), eyes_hidden=(True, False))
    assert drooping(hidden)[0] == 0 < drooping(hidden)[1]


def test_the_further_shut_the_more_is_opened_up_to_an_end(portrait: Portrait) -> None:
    lifts = [drooping(squinting(portrait, share, share))[1] for share in (0.0, 0.4, 0.5, 0.6, 0.9)]
    assert lifts == sorted(lifts) and lifts[-1] == LARGEST_LIFT


def test_lifted_lids_shut_as_wholly_as_others_and_stay_apart() -> None:
    motion = np.zeros((3, SIZE), np.float32)
    motion[:, LEFT] = motion[:, RIGHT] = [0, 0.5, 1]
    motion[:, INDEX["jawOpen"]] = 0.3
    before = motion.copy()
    made = LiftedLids((0.4, 0.0))(motion)
    np.testing.assert_allclose(made[:, LEFT], [-0.4, 0.3, 1], atol=1e-6)
    others = np.arange(SIZE) != LEFT
    np.testing.assert_array_equal(made[:, others], before[:, others])
    np.testing.assert_array_equal(motion, before)
