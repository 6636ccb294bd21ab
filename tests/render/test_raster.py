import numpy as np

from animator.render.surface import raster


def surface(xy: list[list[float]], uv: list[list[float]], opacity: float = 1.0) -> raster.Surface:
    count = len(xy)
    return raster.Surface(
        np.array(xy, np.float32),
        np.array(uv, np.float32),
        np.ones(count, np.float32),
        np.full(count, opacity, np.float32),
    )


SQUARE = [[0.0, 0.0], [31.0, 0.0], [31.0, 31.0], [0.0, 31.0]]
HALVES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_mesh_in_place_gives_the_texture_back() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    out = np.zeros_like(picture)
    raster.draw(out, raster.pack(picture), surface(SQUARE, SQUARE), HALVES)
    assert np.array_equal(out[:31, :31], picture[:31, :31])


def test_a_mesh_moved_by_half_a_pixel_shows_the_mean_of_neighbours() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 10] = 200
    out = np.zeros_like(picture)
    raster.draw(out, raster.pack(picture), surface([[x + 0.5, y] for x, y in SQUARE], SQUARE), HALVES)
    assert (out[5:20, 10:12] == 100).all()
    assert not out[5:20, 12:].any()


def test_what_is_half_opaque_lets_half_through() -> None:
    picture = np.full((32, 32, 3), 100, np.uint8)
    out = np.full_like(picture, 200)
    raster.draw_over(out, raster.pack(picture), surface(SQUARE, SQUARE, opacity=0.5), HALVES)
    assert np.abs(out[2:30, 2:30].astype(int) - 150).max() <= 1
    assert (out[31, 31] == 200).all()


def test_like_before_like_is_not_seen() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for opacity in np.linspace(0, 1, 23):
        out = picture.copy()
        raster.draw_over(out, raster.pack(picture), surface(SQUARE, SQUARE, opacity=float(opacity)), HALVES)
        assert np.array_equal(out, picture)


def test_triangles_outside_of_the_frame_change_nothing() -> None:
    picture = np.full((32, 32, 3), 90, np.uint8)
    out = np.zeros((16, 16, 3), np.uint8)
    for dx, dy in ((-100, 0), (100, 0), (0, -100), (0, 100)):
        raster.draw(out, raster.pack(picture), surface([[x + dx, y + dy] for x, y in SQUARE], SQUARE), HALVES)
    assert not out.any()
