"""Whatever was done to a file: no photograph and no painting is taken for a flat drawing, and every flat drawing is."""

import cv2
import numpy as np
import pytest

from animator.portrait.drawn.drawing import PHOTOGRAPH, Drawing, judge
from tests.portrait.faces import COPIES, Faces, copied

OVER = (  # what goes round a mask, and round dark glasses
    (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 195),
    (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300, 340, 280, 6, 50, 111),
)


def seen(faces: Faces, copy: str) -> dict[str, Drawing]:
    return {name: judge(*copied(face, copy)) for name, face in faces.items()}


@pytest.mark.parametrize("copy", COPIES)
def test_drawings_are_told_from_everything_else(faces: Faces, copy: str) -> None:
    found = seen(faces, copy)
    assert len(found) >= 60
    drawn = {name for name in found if name.startswith("drawn_")}
    assert [name for name in found if name not in drawn and found[name] != PHOTOGRAPH] == []
    assert [name for name in sorted(drawn) if not found[name].skin] == []


def test_a_face_that_is_blown_out_is_no_line_drawing(faces: Faces) -> None:
    photographs = [face for name, face in faces.items() if not name.startswith("drawn_")]
    bright = [judge((1.5 * picture).round().clip(0, 255).astype(np.uint8), points) for picture, points in photographs]
    assert bright == [PHOTOGRAPH] * len(photographs)


def test_what_lies_flat_over_half_of_a_photograph_seldom_makes_a_drawing_of_it(faces: Faces) -> None:
    """A mask, a hand, a microphone; dark glasses. The rest of the face tells, where it is not all hair and shadow."""
    judged: list[Drawing] = []
    for picture, points in (face for name, face in faces.items() if not name.startswith("drawn_")):
        for over in OVER:
            patched = picture.copy()
            cv2.fillPoly(patched, [points[list(over), :2].round().astype(np.int32)], (40, 38, 36))
            judged.append(judge(patched, points))
    assert sum(drawing == PHOTOGRAPH for drawing in judged) > 0.7 * len(judged)
