"""Shut eyes look like skin with a line of lashes, and half shut ones have no line under them yet."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from animator.motion.rows import space
from animator.portrait.characters import find
from animator.portrait.portrait import load
from animator.render import Renderer
from animator.render.eyes import lids, lidskin
from animator.render.kernels.arrays import f32
from animator.render.layers import layers

pytestmark = pytest.mark.model

Picture = NDArray[np.uint8]
SIDES = ("left", "right")


@pytest.fixture(scope="module", params=["mona_lisa", "astronaut", "pere_tanguy"])
def face(request: pytest.FixtureRequest) -> Renderer:
    return Renderer(load(find(request.param).picture))


def blinked(face: Renderer, weight: float) -> Picture:
    motion = np.zeros(space.SIZE, np.float32)
    motion[[space.INDEX["eyeBlinkLeft"], space.INDEX["eyeBlinkRight"]]] = weight
    return face.draw(motion)


def line(face: Renderer, side: str, lid: str) -> NDArray[np.floating]:
    portrait = face.portrait
    return portrait.vertices[portrait.contours[f"eye_{side}_{lid}"], :2] - portrait.view


def between(upper: NDArray[np.floating], lower: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.concatenate([upper, lower[::-1]]).round().astype(np.int32)], (1,))
    return mask > 0


def test_a_shut_eye_has_the_colours_of_the_skin_around_it(face: Renderer) -> None:
    shut = blinked(face, 1).astype(np.float32)
    width = face.portrait.face_width
    for side in SIDES:
        upper, lower = line(face, side, "upper"), line(face, side, "lower")
        lash = f32([0, 0.025 * width])
        over = between(upper, lower - lash, shut.shape)
        under = between(lower + 1.4 * lash, lower + 2.5 * lash, shut.shape)
        skin, lid = np.median(shut[under], axis=0), shut[over]
        assert len(lid) > 20
        assert 0.6 < np.median(lid.mean(axis=1)) / skin.mean() < 1.35
        assert (np.abs(lid - skin).mean(axis=1) < 0.45 * skin.mean() + 10).mean() > 0.97, "no iris, white or highlight"


def test_no_white_line_shines_between_lids_that_shut(face: Renderer) -> None:
    """They and their lashes keep the light from what is left of the eye; that of an open eye is as it was."""
    portrait, seen = face.portrait, blinked(face, 0.8).astype(np.float32).mean(axis=2)
    for side in SIDES:
        blink = portrait.shapes[space.INDEX[f"eyeBlink{side.title()}"]]
        rims = [portrait.contours[f"eye_{side}_{lid}"] for lid in ("upper", "lower")]
        upper, lower = (portrait.vertices[rim, :2] + 0.8 * blink[rim, :2] - portrait.view for rim in rims)
        below = f32([0, 0.05 * portrait.face_width])
        slit = seen[between(upper, lower, seen.shape)]
        skin = np.median(seen[between(lower + 0.5 * below, lower + below, seen.shape)])
        assert np.percentile(slit, 90) < 0.9 * skin


def test_lashes_arrive_under_the_eye_when_the_lid_does(face: Renderer) -> None:
    for lid in layers(face.portrait).lids:
        rows, columns = lid.opened.shape
        texture = np.zeros((lid.corner[1] + rows, lid.corner[0] + columns), np.uint64)
        part = texture[lid.corner[1] :, lid.corner[0] :]
        for closure, late, other in (
            (0, lid.opened, lid.opened),
            (0.58, lid.opened, lid.shut),
            (1, lid.shut, lid.shut),
        ):
            lids.close(texture, lid, closure)
            assert np.array_equal(part[lid.late], late[lid.late])
            assert np.array_equal(part[~lid.late], other[~lid.late])
        opened, shut = ((part[lid.late] & np.uint64(0xFF)).astype(int) for part in (lid.opened, lid.shut))
        assert len(opened) > 20
        assert (opened - shut).mean() > 0.5, "they are dark"


def test_lashes_are_taken_off_the_lid_and_hang_from_it_but_a_crease_stays() -> None:
    """A grey lid with a crease and lashes, over an eye whose lower lid is 20 px below the upper one."""
    height, width, rim = 110, 160, 50
    pixels = np.full((height, width, 3), 150, np.float32)
    pixels[rim - 22 : rim - 20, 30:130] = 110  # the crease
    pixels[rim - 14 : rim, 32:128:8] = 40  # lashes
    pixels[rim : rim + 20, 30:130] = 230
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    within = np.minimum(columns - 30, 129 - columns)
    patch = lidskin.Patch((0, 0), pixels, rim - rows, rows - 5, rows - rim - 20, within, 24.0, 400.0)
    made = lidskin.shut(patch).mean(axis=2)
    lid = made[rim - 13 : rim - 8, 50:110]
    assert np.ptp(lid.mean(axis=0)) < 6, "no lash is left"
    assert np.abs(lid - 150).max() < 25
    assert made[rim - 22 : rim - 20, 50:110].mean() < made[rim - 30 : rim - 26, 50:110].mean() - 8
    hanging = made[rim + 22 : rim + 26, 50:110].mean(axis=0)
    assert np.ptp(hanging) > 15, "lashes hang under the eye"
    assert made[rim + 35 :].min() > 145
