"""What a picture does not show is not made up: lids on dark glasses, teeth in a muzzle."""

from dataclasses import replace

import numpy as np
import pytest

from animator.motion.rows import space
from animator.portrait.portrait import Portrait
from animator.render import Renderer

pytestmark = pytest.mark.model


def moved(**weights: float) -> np.ndarray:
    motion = np.zeros(space.SIZE, np.float32)
    for name, weight in weights.items():
        motion[space.INDEX[name]] = weight
    return motion


def test_hidden_eyes_neither_blink_nor_look_about(portrait: Portrait) -> None:
    still = Renderer(portrait).draw(moved()).copy()
    looking = moved(eyeBlinkLeft=1, eyeBlinkRight=1, eyeWideLeft=0.5, eyeLookOutLeft=0.5)
    looking[[space.GAZE_LEFT_YAW, space.GAZE_RIGHT_YAW]] = 15
    hidden = Renderer(replace(portrait, eyes_hidden=(True, True)))
    np.testing.assert_array_equal(hidden.draw(looking), still)
    corner = round(float(portrait.vertices[362, 0])) - portrait.view[0]  # of the left eye, near the nose
    one = Renderer(replace(portrait, eyes_hidden=(True, False))).draw(looking).astype(int)
    changed = np.abs(one - still).max(axis=(0, 2)) > 8
    assert changed[:corner].sum() > 0.1 * portrait.face_width, "the person's right eye, on the left, blinks"
    assert not changed[corner:].any()


def test_who_is_no_person_has_no_teeth(portrait: Portrait) -> None:
    wide = moved(jawOpen=0.5)
    person = Renderer(portrait).draw(wide).astype(int)
    muzzle = Renderer(replace(portrait, human=False, teeth_visible=False)).draw(wide).astype(int)
    x, y = (portrait.vertices[13, :2] - portrait.view).round().astype(int)
    across, down = int(0.1 * portrait.face_width), int(0.09 * portrait.face_width)
    mouth = np.s_[y + 2 : y + down, x - across : x + across]
    teeth = (person - muzzle)[mouth].min(axis=2) > 40
    assert teeth.mean() > 0.1
    lips = np.s_[y - down : y - 4, x - across : x + across]
    assert np.abs(person[lips] - muzzle[lips]).mean() < 3
