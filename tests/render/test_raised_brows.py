"""Drawn brows that lie by themselves move whole, over a face that stays."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.portrait import Portrait, load
from animator.portrait.shaping.brows import RAISING_SHAPES
from animator.render import Renderer
from animator.render.layers import layers
from animator.render.moment import moment

pytestmark = pytest.mark.model

Picture = NDArray[np.uint8]
_RAISING = [space.INDEX[name] for name in RAISING_SHAPES]
INK = (20, 40, 150)  # of no other thing in the picture


@pytest.fixture(scope="module")
def browed() -> Portrait:
    """A drawing whose brows, of their own colour, lie close over its eyes."""
    toon = load(find("toon").picture)
    picture = toon.picture[..., ::-1].copy()
    skin = picture[tuple(toon.landmarks[50, :2].round().astype(int)[::-1])].tolist()
    for side, (x, _, radius) in zip(("left", "right"), toon.iris.round().astype(int).tolist(), strict=True):
        top = int(toon.vertices[toon.contours[f"eye_{side}_upper"], 1].min()) - 12
        cv2.rectangle(picture, (x - 2 * radius, top - 4 * radius), (x + 2 * radius, top), skin, -1)
        cv2.ellipse(picture, (x, top), (round(1.6 * radius), round(0.5 * radius)), 0, 180, 360, INK[::-1], -1)
    return load(cv2.imencode(".png", picture)[1].tobytes())


@pytest.fixture(scope="module")
def face(browed: Portrait) -> Renderer:
    return Renderer(browed)


def shown(face: Renderer, **weights: float) -> Picture:
    motion = np.zeros(space.SIZE, np.float32)
    for name, weight in weights.items():
        motion[[at for shape, at in space.INDEX.items() if shape.startswith(name)]] = weight
    return face.draw(motion)


def ink(frame: Picture) -> NDArray[np.float64]:
    """(h, w) share of each pixel that is ink, which alone is blue."""
    return ((frame[..., 2].astype(float) - frame[..., 0]) / (INK[2] - INK[0])).clip(0, 1) * (frame[..., 0] < 200)


def test_the_face_at_rest_is_the_picture(face: Renderer) -> None:
    portrait = face.portrait
    (x, y), size = portrait.view, portrait.size
    assert portrait.brows.any()
    assert np.abs(shown(face).astype(int) - portrait.picture[y : y + size, x : x + size]).max() <= 1


def test_a_brow_rises_whole_and_nothing_of_it_stays_behind(face: Renderer) -> None:
    rest, up = ink(shown(face)), ink(shown(face, browInnerUp=0.8, browOuterUp=0.8))
    assert up.sum() == pytest.approx(rest.sum(), rel=0.08)
    (first, last), (top, bottom) = (np.flatnonzero((part > 0.5).any(axis=1))[[0, -1]] for part in (rest, up))
    assert first - top > 0.02 * face.portrait.face_width
    assert last - bottom > 0.01 * face.portrait.face_width


def test_what_is_round_the_brows_stays(face: Renderer) -> None:
    apart = np.abs(shown(face).astype(int) - shown(face, browInnerUp=0.8, browOuterUp=0.8)).max(axis=2) > 8
    below = int(face.portrait.iris[:, 1].mean() - face.portrait.view[1])
    assert not apart[below:].any()
    assert apart.mean() < 0.03


def test_a_lid_comes_down_without_the_brow(face: Renderer) -> None:
    rest, shut = ink(shown(face)), ink(shown(face, eyeBlink=1))
    assert np.abs(rest - shut).sum() < 0.02 * rest.sum()


def test_brows_of_a_photograph_rise_no_further_than_there_is_skin_under_them() -> None:
    """At small weights as always."""
    free = replace(load(find("astronaut").picture), brow_rise=1.5)
    held = replace(free, brow_rise=0.3)

    def raised(portrait: Portrait, weight: float) -> float:
        row = np.zeros(space.SIZE, np.float32)
        row[_RAISING] = weight
        return float(moment(layers(portrait), row).weights[_RAISING].mean())

    assert [raised(portrait, 0.1) for portrait in (free, held)] == pytest.approx([0.1, 0.1], abs=0.002)
    assert [raised(portrait, 0.9) for portrait in (free, held)] == pytest.approx([0.87, 0.3], abs=0.01)


def test_brows_that_lie_by_themselves_have_no_such_limit(browed: Portrait) -> None:
    row = np.zeros(space.SIZE, np.float32)
    row[_RAISING] = 0.9
    assert moment(layers(replace(browed, brow_rise=0.3)), row).weights[_RAISING] == pytest.approx(0.9)
