"""Lids that shut: over all of the eye that the picture shows, whatever the landmarks say, and without the brows."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from animator.motion.rows.space import INDEX
from animator.portrait.portrait import Portrait
from animator.portrait.shaping.closure import close_lids

PortraitOf = Callable[[str], Portrait]
BROWS = {"left": (285, 295, 282, 283, 276), "right": (55, 65, 52, 53, 46)}
SIDES = ("left", "right")


def overlap(portrait: Portrait, shapes: np.ndarray, side: str) -> float:
    """Face widths by which the shut upper lid ends below the middle of the lower one at rest."""
    upper, lower = (portrait.contours[f"eye_{side}_{lid}"] for lid in ("upper", "lower"))
    shut = portrait.vertices[upper] + shapes[INDEX[f"eyeBlink{side.title()}"], upper]
    x = portrait.vertices[lower[len(lower) // 2], 0]
    ends = [np.interp(x, line[:, 0], line[:, 1]) for line in (shut, portrait.vertices[lower])]
    return float(ends[0] - ends[1]) / portrait.face_width


@pytest.mark.parametrize("deep", [0.012, 0.017])
@pytest.mark.parametrize("name", ["mona_lisa", "astronaut"])
def test_a_lid_covers_the_white_that_shows_below_the_landmarks(portrait_of: PortraitOf, name: str, deep: float) -> None:
    portrait = portrait_of(name)
    picture = portrait.picture.copy()
    for side in SIDES:
        line = portrait.vertices[portrait.contours[f"eye_{side}_lower"], :2]
        x, y = (line[4:-4] + (0, 0.05 * portrait.face_width)).round().astype(int).T
        arch = 1 - np.linspace(-1, 1, len(line)) ** 4
        low = line + np.stack([0 * arch, deep * portrait.face_width * arch], axis=1)
        white = np.full(3, min(1.2 * float(picture[y, x].mean()), 255.0)).astype(int).tolist()
        cv2.fillPoly(picture, [np.concatenate([line, low[::-1]]).round().astype(np.int32)], white)
    plain, covering = (close_lids(portrait.vertices, portrait.shapes, seen, portrait.iris)
                       for seen in (portrait.picture, picture))  # fmt: skip
    for side in SIDES:
        assert overlap(portrait, plain, side) < 0.006, "no further than it must"
        pixel = 1.5 / portrait.face_width
        assert deep - pixel < overlap(portrait, covering, side) < deep + 0.008


@pytest.mark.parametrize("name", ["mona_lisa", "astronaut", "pere_tanguy"])
def test_brows_stay_where_they_are_in_a_blink(portrait_of: PortraitOf, name: str) -> None:
    portrait = portrait_of(name)
    for side in SIDES:
        moved = portrait.shapes[INDEX[f"eyeBlink{side.title()}"], list(BROWS[side])]
        assert np.linalg.norm(moved, axis=1).max() < 0.002 * portrait.face_width
