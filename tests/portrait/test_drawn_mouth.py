"""The drawn mouth is found where landmarks miss it."""

import cv2
import numpy as np
import pytest

from animator.portrait.characters import find
from animator.portrait.drawn.drawn_mouth import snap_mouth
from animator.portrait.geometry.topology import RINGS
from animator.portrait.portrait import load

pytestmark = pytest.mark.model
LIPS = sorted({i for name, ring in RINGS.items() if name.startswith("lips") for i in ring})


def test_lips_that_were_missed_are_laid_on_the_drawn_line() -> None:
    portrait = load(find("toon").picture)
    missed = portrait.landmarks.copy()
    missed[LIPS, :2] += (6, 0.07 * portrait.face_width)
    found = snap_mouth(portrait.picture, missed)
    upper, lower = (found[list(RINGS[f"lips_inner_{lip}"]), :2] for lip in ("upper", "lower"))
    assert np.abs(upper - portrait.landmarks[list(RINGS["lips_inner_upper"]), :2]).max() < 3
    apart = np.interp(lower[:, 0], upper[:, 0], upper[:, 1]) - lower[:, 1]
    assert np.abs(apart).max() < 1, "a mouth that is one line is shut"
    x, y = upper[2:-2].round().astype(int).T
    skin = portrait.picture[y - 12, x].mean()
    assert portrait.picture[y, x].mean() < skin - 40


def test_a_painted_mouth_stays_where_it_is() -> None:
    assert not load(find("mona_lisa").picture).drawing.mouth


def test_a_mouth_hardly_darker_than_the_skin_is_found() -> None:
    portrait = load(find("toon").picture)
    lips = portrait.landmarks[LIPS, :2]
    (left, top), (right, bottom) = (lips.min(axis=0) - 12).astype(int), (lips.max(axis=0) + 12).astype(int)
    picture = portrait.picture.copy()
    around = picture[top:bottom, left:right].astype(np.float32)
    skin = np.median(around.reshape(-1, 3), axis=0)
    picture[top:bottom, left:right] = (skin + 0.35 * (around - skin)).round()
    missed = portrait.landmarks.copy()
    missed[LIPS, 1] += 0.07 * portrait.face_width
    upper = snap_mouth(picture, missed)[list(RINGS["lips_inner_upper"]), :2]
    assert np.abs(upper - portrait.landmarks[list(RINGS["lips_inner_upper"]), :2]).max() < 4


def test_an_open_mouth_beside_the_middle_of_a_face_is_found_whole() -> None:
    """A face a little aside, whose mouth lies aside of the middle between the eyes, as the landmarks say."""
    portrait = load(find("toon").picture)
    width, (x, y) = portrait.face_width, portrait.landmarks[[13, 14], :2].mean(axis=0)
    picture = portrait.picture.copy()
    aside = int(x + 0.12 * width)
    skin = picture[int(y) - 20, int(x)].tolist()
    cv2.rectangle(picture, (int(x - 0.3 * width), int(y) - 20), (int(x + 0.4 * width), int(y) + 30), skin, -1)
    cv2.ellipse(picture, (aside, int(y)), (int(0.24 * width), int(0.07 * width)), 0, 0, 360, (60, 20, 30), -1)
    seen = portrait.landmarks.copy()
    seen[LIPS, 0] += 0.1 * width
    corners = snap_mouth(picture, seen)[[61, 291], 0]
    assert np.abs(corners - (aside - 0.24 * width, aside + 0.24 * width)).max() < 0.03 * width
