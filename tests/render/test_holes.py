import numpy as np

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
