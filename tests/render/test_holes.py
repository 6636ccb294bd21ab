from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.evaluate.wishes.sweep import row
from animator.portrait.portrait import load
from animator.render import Renderer
from animator.render.surface import holes, raster


def test_a_sheet_that_folds_over_itself_gets_a_soft_edge_where_it_is_seen_to_end() -> None:
    flat = np.array([[x, y] for x in (0, 10, 20, 30) for y in (0, 10)], np.float32)
    quads = [(0, 2, 3), (0, 3, 1), (2, 4, 5), (2, 5, 3), (4, 6, 7), (4, 7, 5)]
    edges = holes.creases(flat, np.array(quads, np.int32))
    folded = flat.copy()
    folded[4:6, 0], folded[6:, 0] = 4, 14  # the middle turns back under the left part, the right part lies deepest
    points = np.column_stack([folded, [0, 0, 0, 0, -3, -3, -6, -6]]).astype(np.float32)
    ones = np.ones(8, np.float32)
    hem, triangles = holes.fold_surface()
    assert holes.fold(raster.Surface(flat, flat, ones, ones), points, edges, hem) == 0
    count = holes.fold(raster.Surface(folded, flat, ones, ones), points, edges, hem)
    drawn = hem.xy[: 4 * count]
    assert count > 0
    assert drawn[:, 0].min() >= 10 - 1e-3, "the hidden end of the fold stays hidden"
    assert drawn[:, 0].max() > 11
    assert (hem.opacity[: 4 * count][drawn[:, 0] > 11] == 0).all()
    assert len(triangles) == 2 * holes.MOST_FOLDS


@pytest.mark.model
def test_no_background_shines_through_the_cheek_behind_the_nose_of_a_head_that_looks_aside() -> None:
    """A smile moves the cheek off the nose that hid a part of it."""
    picture = Path(__file__).parents[1] / "portrait" / "pictures" / "faces" / "painting_vermeer_pearl.webp"
    portrait = load(picture.read_bytes())
    renderer = Renderer(portrait)
    assert abs(portrait.pose[0]) > 25
    renderer._made = replace(renderer._made, still=np.full_like(renderer._made.still, (255, 0, 255)))
    frame = renderer.draw(row(mouthSmile=0.8, cheekSquint=0.4)).astype(int)
    seen = renderer._surface.xy[: len(portrait.vertices)].round().astype(np.int32)
    face = cv2.fillPoly(np.zeros(frame.shape[:2], np.uint8), [seen[portrait.contours["face_oval"]]], (1,))
    inside = cv2.erode(face, np.ones((5, 5), np.uint8)) > 0
    assert not (inside & (frame[..., 0] - frame[..., 1] > 200)).any()
