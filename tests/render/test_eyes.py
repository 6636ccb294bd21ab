"""What is behind the lids, where the picture does not show it."""

from dataclasses import replace

import numpy as np
import pytest

from animator.portrait.characters import find
from animator.portrait.portrait import load
from animator.render.eyes.eyeball import eyes
from animator.render.surface.body import body

pytestmark = pytest.mark.model


def test_the_white_of_an_eye_lies_in_the_light_of_its_own_side() -> None:
    """One half of a face in the shade: its eye does not glow when it looks aside."""
    portrait = load(find("astronaut").picture)
    middle = portrait.landmarks[168, 0]
    light = np.where(np.arange(portrait.picture.shape[1]) < middle, 0.4, 1.0)[None, :, None]
    shaded = replace(portrait, picture=(portrait.picture * light).astype(np.uint8))
    bright = [eye.layers.white.mean() for eye in eyes(portrait, body(portrait))]
    dim = [eye.layers.white.mean() for eye in eyes(shaded, body(shaded))]
    assert dim[0] / bright[0] == pytest.approx(1, abs=0.1), "the left eye, on the right of the picture"
    assert 0.3 < dim[1] / bright[1] < 0.6
