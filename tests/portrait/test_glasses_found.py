"""Who wears glasses is told from who does not, whatever was done to the file: wrinkles and brows are no frames."""

import numpy as np
import pytest

from animator.portrait.finding.glasses import find_glasses
from tests.portrait.faces import Faces, copied

# By looking at the pictures. The dark glasses of photo_099 hide the eyes: nothing moves behind them.
WORN = {"photo_020", "photo_034", "photo_045", "photo_050", "photo_062", "photo_067", "synth_elder_glasses"}
WORN |= {"tiny_official"}


@pytest.mark.parametrize("copy", ["as it is", "JPEG", "small", "dark"])
def test_glasses_are_found_on_who_wears_some(faces: Faces, copy: str) -> None:
    people = {name: face for name, face in faces.items() if not name.startswith("drawn_")}
    assert len(people) > 30
    assert {name for name in people if find_glasses(*copied(people[name], copy)).size} == WORN


@pytest.mark.parametrize("copy", ["blurred", "smoothed, then JPEG"])
def test_smoothing_puts_none_on_anybody(faces: Faces, copy: str) -> None:
    bare = [face for name, face in faces.items() if not name.startswith("drawn_") and name not in WORN]
    assert not any(find_glasses(*copied(face, copy)).size for face in bare)


@pytest.mark.parametrize("name", ["photo_020", "photo_034", "photo_045", "photo_050", "photo_067"])
def test_no_eye_is_taken_for_a_part_of_the_frame(faces: Faces, name: str) -> None:
    """Liner and lashes are as dark as a frame, and are not it."""
    picture, points = faces[name]
    opacity = find_glasses(picture, points)
    for eye in ((33, 160, 158, 133, 153, 144), (263, 387, 385, 362, 380, 373)):
        x, y = points[list(eye), :2].mean(axis=0).round().astype(int)
        assert opacity[y, x] == 0
    x, y = np.transpose(points[[159, 145, 386, 374], :2].round().astype(int))
    assert (opacity[y, x] < 128).all()
