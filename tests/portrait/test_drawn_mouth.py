"""The drawn mouth is found where landmarks miss it."""

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
