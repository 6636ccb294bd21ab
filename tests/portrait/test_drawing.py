"""Whatever was done to a file: no photograph and no painting is taken for a flat drawing, and every flat drawing is."""

import numpy as np
import pytest

from animator.portrait.drawn.drawing import PHOTOGRAPH, Drawing, judge
from tests.portrait.faces import COPIES, Faces, copied


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
