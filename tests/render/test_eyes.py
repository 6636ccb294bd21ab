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


def test_the_white_of_eyes_that_show_none_lies_in_the_light_of_the_skin() -> None:
    """Eyes half shut, and small ones, show nothing but their irises: in dim light they do not glow as they open."""
    portrait = load(find("mona_lisa").picture)
    large = portrait.iris * np.float32([1, 1, 3])
    whites, skins = list[float](), list[float]()
    for light in (1.0, 0.3):
        picture = (portrait.picture * light).astype(np.uint8)
        seen = eyes(replace(portrait, iris=large, picture=picture), body(portrait))
        whites.append(float(np.mean([eye.layers.white.mean() for eye in seen])))
        x, y = portrait.landmarks[374, :2].round().astype(int)
        skins.append(float(picture[y + 8 : y + 14, x - 5 : x + 5].max(axis=2).mean()))
    assert whites[1] / whites[0] == pytest.approx(0.3, abs=0.03)
    assert all(0.7 * skin < white < skin for white, skin in zip(whites, skins, strict=True))
