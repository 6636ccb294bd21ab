"""Any picture a user may have becomes upright sRGB, and what cannot be used is refused with a reason."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.portrait.characters import find
from animator.portrait.landmarks import Landmarker
from animator.portrait.picture import Picture, PortraitError, cut, decode, read


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def gradient() -> Image.Image:
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[0:128, 0:160]
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], axis=2).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_formats_keep_every_pixel(gradient: Image.Image, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode(encoded(gradient, kind, **options)), np.asarray(gradient))


def test_pictures_are_turned_upright(gradient: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: rotate clockwise to show
    shown = decode(encoded(gradient, "PNG", exif=exif))
    np.testing.assert_array_equal(shown, np.rot90(np.asarray(gradient), -1))


def test_transparency_shows_a_light_backdrop(gradient: Image.Image) -> None:
    layer = gradient.convert("RGBA")
    layer.putalpha(Image.fromarray(np.repeat(np.uint8([[0] * 80 + [255] * 80]), 128, axis=0)))
    shown = decode(encoded(layer, "PNG"))
    assert shown[:, :80].min() > 200
    np.testing.assert_array_equal(shown[:, 80:], np.asarray(gradient)[:, 80:])


def test_grey_in_8_and_16_bits_looks_the_same() -> None:
    grey = np.linspace(0, 255, 128).round().astype(np.uint8)[None].repeat(128, axis=0)
    narrow = decode(encoded(Image.fromarray(grey), "PNG"))
    wide = decode(encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"))
    np.testing.assert_array_equal(narrow, np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(wide, narrow)


def test_print_colours_become_screen_colours(gradient: Image.Image) -> None:
    shown = decode(encoded(gradient.convert("CMYK"), "TIFF"))
    assert np.abs(shown.astype(int) - np.asarray(gradient)).max() <= 2


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(99), b"<svg/>"])
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    with pytest.raises(PortraitError) as caught:
        decode(content)
    assert caught.value.code == "unreadable_picture"


def test_a_damaged_picture_is_unreadable() -> None:
    whole = read(find("mona_lisa").picture)
    with pytest.raises(PortraitError) as caught:
        decode(whole[: len(whole) // 2])
    assert caught.value.code == "unreadable_picture"


@pytest.mark.parametrize("side", [9_000, 14_000])
def test_absurd_sizes_are_refused_before_decoding(side: int) -> None:
    content = encoded(Image.new("1", (side, side)), "PNG")
    with pytest.raises(PortraitError) as caught:
        decode(content)
    assert caught.value.code == "picture_too_large"


def test_tiny_pictures_are_refused() -> None:
    with pytest.raises(PortraitError) as caught:
        decode(encoded(Image.new("RGB", (63, 400)), "PNG"))
    assert caught.value.code == "picture_too_small"


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PortraitError, match=r"nobody\.png") as caught:
        read(tmp_path / "nobody.png")
    assert caught.value.code == "unreadable_picture"


def test_a_landscape_has_no_face(gradient: Image.Image, landmarker: Landmarker) -> None:
    with pytest.raises(PortraitError) as caught:
        cut(np.asarray(gradient), 256, landmarker)
    assert caught.value.code == "no_face"


def test_a_face_in_the_distance_is_too_small(photo: Picture, landmarker: Landmarker) -> None:
    scene = np.full((600, 800, 3), 128, np.uint8)
    scene[100:276, 300:476] = np.asarray(Image.fromarray(photo).resize((176, 176)))
    with pytest.raises(PortraitError) as caught:
        cut(scene, 256, landmarker)
    assert caught.value.code == "face_too_small"


def test_the_largest_of_several_faces_is_framed(photo: Picture, landmarker: Landmarker) -> None:
    small = np.asarray(Image.fromarray(photo).resize((photo.shape[1] * 3 // 5, photo.shape[0] * 3 // 5)))
    scene = np.full((photo.shape[0], photo.shape[1] + small.shape[1], 3), 128, np.uint8)
    scene[: small.shape[0], : small.shape[1]] = small
    scene[:, small.shape[1] :] = photo
    framed = cut(scene, 256, landmarker)
    alone = cut(photo, 256, landmarker)
    assert "2 faces" in framed.warnings[0]
    assert not any("faces" in warning for warning in alone.warnings)
    assert np.linalg.norm(framed.face.points[1, :2] - alone.face.points[1, :2]) < 12


def test_the_view_has_room_for_hair_and_shoulders(photo: Picture, landmarker: Landmarker) -> None:
    framed = cut(photo, 256, landmarker)
    points = framed.face.points[:, :2] - framed.margin
    height = points[152, 1] - points[10, 1]
    assert 0.4 < height / 256 < 0.55
    assert points[10, 1] > 0.15 * 256 and 256 - points[152, 1] > 0.2 * 256
    assert framed.picture.shape == (256 + 2 * framed.margin, 256 + 2 * framed.margin, 3)
