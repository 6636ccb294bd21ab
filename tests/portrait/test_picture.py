"""Any picture a user may have becomes upright sRGB, and what cannot be used is refused with a reason."""

import base64
import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from animator.portrait.characters import find
from animator.portrait.finding.framing import Cut, cut, frame
from animator.portrait.finding.landmarks import Landmarker
from animator.portrait.picture import floods, formats, reading
from animator.portrait.picture.reading import Picture, PortraitError, Source, decode, read
from animator.portrait.remarks import remarks


def pixels(content: bytes) -> Picture:
    return decode(content).picture


def scene_of(picture: Picture) -> Source:
    return Source(picture, picture.shape[1], picture.shape[0])


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
    np.testing.assert_array_equal(pixels(encoded(gradient, kind, **options)), np.asarray(gradient))


def test_pictures_are_turned_upright(gradient: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: rotate clockwise to show
    shown = pixels(encoded(gradient, "PNG", exif=exif))
    np.testing.assert_array_equal(shown, np.rot90(np.asarray(gradient), -1))


def test_transparency_shows_a_light_backdrop(gradient: Image.Image) -> None:
    layer = gradient.convert("RGBA")
    layer.putalpha(Image.fromarray(np.repeat(np.uint8([[0] * 80 + [255] * 80]), 128, axis=0)))
    shown = pixels(encoded(layer, "PNG"))
    assert shown[:, :80].min() > 200
    np.testing.assert_array_equal(shown[:, 80:], np.asarray(gradient)[:, 80:])


def test_grey_in_8_and_16_bits_looks_the_same() -> None:
    grey = np.linspace(0, 255, 128).round().astype(np.uint8)[None].repeat(128, axis=0)
    narrow = pixels(encoded(Image.fromarray(grey), "PNG"))
    wide = pixels(encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"))
    np.testing.assert_array_equal(narrow, np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(wide, narrow)


def test_print_colours_become_screen_colours(gradient: Image.Image) -> None:
    shown = pixels(encoded(gradient.convert("CMYK"), "TIFF"))
    assert np.abs(shown.astype(int) - np.asarray(gradient)).max() <= 2


def test_a_profile_says_what_the_numbers_mean(gradient: Image.Image) -> None:
    lab = ImageCms.createProfile("LAB")
    as_lab = ImageCms.profileToProfile(gradient, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    assert np.abs(pixels(encoded(as_lab, "TIFF")).astype(int) - np.asarray(gradient)).mean() < 3
    linear = ImageCms.ImageCmsProfile(io.BytesIO(gamma_profile(1.0)))
    stored = ImageCms.profileToProfile(gradient, ImageCms.createProfile("sRGB"), linear)
    content = encoded(stored, "PNG", icc_profile=linear.tobytes())
    assert np.abs(np.asarray(stored).astype(int) - np.asarray(gradient)).mean() > 20
    assert np.abs(pixels(content).astype(int) - np.asarray(gradient)).mean() < 4
    layer = stored.convert("RGBA")
    layer.putalpha(255)
    np.testing.assert_array_equal(pixels(encoded(layer, "PNG", icc_profile=linear.tobytes())), pixels(content))


def gamma_profile(gamma: float) -> bytes:
    """sRGB's profile with another tone curve."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(struct.unpack(">I", profile[128:132])[0]):
        name, at, _ = struct.unpack(">4sII", profile[132 + 12 * number : 144 + 12 * number])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            profile[at : at + 14] = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    return bytes(profile)


@pytest.mark.parametrize("profile", [b"", b"no profile", gamma_profile(1.0)[:300]])
def test_damaged_profiles_are_ignored(gradient: Image.Image, profile: bytes) -> None:
    np.testing.assert_array_equal(pixels(encoded(gradient, "PNG", icc_profile=profile)), np.asarray(gradient))


def test_palettes_are_smooth_when_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_WORK_SIDE", 100)
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    shown = pixels(encoded(Image.fromarray(stripes).convert("P"), "PNG"))
    assert shown.shape == (100, 100, 3)
    assert shown[5:-5, 5:-5].min() > 120 and shown[5:-5, 5:-5].max() < 135


def test_a_palette_may_be_transparent(gradient: Image.Image) -> None:
    drawing = Image.new("P", (128, 128), 0)
    drawing.putpalette([0, 0, 0, 200, 40, 40])
    drawing.paste(1, (0, 0, 64, 128))
    shown = pixels(encoded(drawing, "GIF", transparency=0))
    assert shown[60, 100].min() > 200 and tuple(shown[60, 20]) == (200, 40, 40)


def test_white_lines_on_nothing_are_seen() -> None:
    layer = Image.new("RGBA", (128, 128), (255, 255, 255, 0))
    layer.paste((255, 255, 255, 255), (30, 30, 60, 60))
    shown = pixels(encoded(layer, "PNG")).astype(int)
    assert shown[45, 45].min() == 255 and shown[90, 90].max() < 150


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})])
def test_of_a_moving_picture_the_first_frame_counts(kind: str, options: dict[str, object]) -> None:
    red, blue = (Image.new("RGB", (96, 96), colour) for colour in ("red", "blue"))
    shown = pixels(encoded(red, kind, save_all=True, append_images=[blue], **options))
    np.testing.assert_array_equal(shown[48, 48], [255, 0, 0])


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "JPEG", "PPM"])
def test_other_formats_look_the_same(gradient: Image.Image, kind: str) -> None:
    assert np.abs(pixels(encoded(gradient, kind)).astype(int) - np.asarray(gradient)).mean() < 4


@pytest.mark.parametrize("highest", [1.0, 255.0, 4095.0, 65535.0])
def test_white_is_white_however_it_is_counted(highest: float) -> None:
    ramp = np.linspace(0, highest, 128, dtype=np.float32)[None].repeat(128, axis=0)
    shown = pixels(encoded(Image.fromarray(ramp), "TIFF"))
    np.testing.assert_allclose(shown[64, :, 1], np.linspace(0, 255, 128), atol=0.6)


def test_damaged_notes_of_the_camera_are_ignored(gradient: Image.Image) -> None:
    content = encoded(gradient, "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff\x01")
    np.testing.assert_array_equal(pixels(content), np.asarray(gradient))


def test_a_far_face_is_as_sharp_as_the_file(
    photo: Picture, landmarker: Landmarker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_WORK_SIDE", 600)
    large = np.full((900, 1200, 3), 128, np.uint8)
    large[200:712, 500:1012] = photo
    source = decode(encoded(Image.fromarray(large), "PNG"))
    assert source.picture.shape == (450, 600, 3)
    (face,) = landmarker.detect(large)
    shrunk = replace(face, points=face.points / 2)
    best = frame(scene_of(large), face, [], 256, landmarker)
    framed = frame(source, shrunk, [], 256, landmarker)
    soft = frame(scene_of(source.picture), shrunk, [], 256, landmarker)
    x, y, step = framed.place
    np.testing.assert_allclose(framed.face.points[:, :2] * step + [x, y], face.points[:, :2], atol=4)

    def error(of: Cut) -> float:
        return float(np.abs(of.picture.astype(float) - best.picture).mean())

    assert error(framed) < 0.3 * error(soft)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"no picture", "Use a JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "damaged"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf <svg/>", "SVG"),
        (b"<!DOCTYPE html><title>Not found</title>", "web page"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x00\x00\x00\x18ftypmp42", "video"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "sound"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "WEBP"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(40), "damaged"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(content: bytes, told: str) -> None:
    with pytest.raises(PortraitError, match=told) as caught:
        decode(content)
    assert caught.value.code == "unreadable_picture"


HEIC = base64.b64decode(  # 64x64, red on the left and blue on the right
    """
AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAVVtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA
AAAERAAAEAAQAAAAABeQABAAAAAAAAACsAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1WlwcnAA
AAC2aXBjbwAAAHdodmNDAQQIAAAAnjgAAAAAHvAA/P/4+AAADwNgAAEAF0ABDAH//wQIAAADAJ44AAADAAAeugJAYQABACpCAQEECAAAAwCeOA
AAAwAAHpAEECCy3UklNc3AQ0GBAAADABkAAAMAAQhiAAEACEQBwXKGDAIkAAAAE2NvbHJuY2x4AAEADQAGgAAAABRpc3BlAAAAAAAAAEAAAABA
AAAAEHBpeGkAAAAAAwgICAAAABdpcG1hAAAAAAAAAAEAAQSBAgMEAAAAM21kYXQAAAAnKAGvE4DlM8Cf/+xKj/9ufPD7uxCq//cnXR/OD4//D4
zcpFf/0orw
    """
)


NO_HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(60)  # begins like one


@pytest.mark.extra
def test_heic_is_read() -> None:
    shown = pixels(HEIC).astype(int)
    assert shown.shape == (64, 64, 3)
    assert np.abs(shown[32, 8] - [200, 40, 40]).max() < 12 and np.abs(shown[32, 56] - [40, 40, 200]).max() < 12


@pytest.mark.extra
def test_damaged_heic_is_called_damaged() -> None:
    with pytest.raises(PortraitError, match="damaged"):
        decode(NO_HEIC)


def test_heic_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "enable_heif", lambda: False)
    with pytest.raises(PortraitError, match=r"vasari\[heif\]"):
        decode(NO_HEIC)


WITHOUT_HEIF = """
import sys
sys.modules["pi_heif"] = None  # as where the extra is not installed
from pathlib import Path
from animator.portrait.picture.reading import PortraitError, decode
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.stem, *decode(path.read_bytes()).picture.shape)
    except PortraitError as error:
        print(path.stem, error)
"""


def test_without_heif_all_other_formats_are_read(gradient: Image.Image, tmp_path: Path) -> None:
    kinds = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
    for kind in kinds:
        (tmp_path / kind).write_bytes(encoded(gradient, kind))
    (tmp_path / "HEIC").write_bytes(HEIC)
    command = [sys.executable, "-c", WITHOUT_HEIF, str(tmp_path)]
    said = dict(
        line.split(" ", 1) for line in subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[:-1]
    )
    assert "vasari[heif]" in said.pop("HEIC")
    assert said == dict.fromkeys(kinds, "128 160 3")


def test_a_wrong_extension_does_not_matter(gradient: Image.Image, tmp_path: Path) -> None:
    (tmp_path / "face.jpg").write_bytes(encoded(gradient, "PNG"))
    np.testing.assert_array_equal(pixels(read(tmp_path / "face.jpg")), np.asarray(gradient))


@pytest.mark.parametrize("kind", ["folder", "device"])
def test_only_files_are_read(tmp_path: Path, kind: str) -> None:
    with pytest.raises(PortraitError, match="not a file"):
        read(tmp_path if kind == "folder" else Path("/dev/zero"))


def test_a_text_that_unpacks_to_gigabytes_is_not_unpacked(gradient: Image.Image) -> None:
    packed = zlib.compress(bytes(50_000_000))
    chunk = b"zTXtcomment\x00\x00" + packed
    whole = encoded(gradient, "PNG")
    bomb = whole[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]
    with pytest.raises(PortraitError, match="damaged"):
        decode(bomb)


def test_progressive_jpegs_have_a_bounded_number_of_scans(gradient: Image.Image) -> None:
    whole = encoded(gradient, "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xda")
    with pytest.raises(PortraitError, match="damaged"):
        decode(whole[:at] + whole[at:-2] * 100 + whole[-2:])


def _chunks(count: int, picture: bytes) -> bytes:
    """A PNG with so many chunks that say nothing, behind its header."""
    empty = b"\0\0\0\0teXt" + zlib.crc32(b"teXt").to_bytes(4, "big")
    return picture[:33] + empty * count + picture[33:]


FLOODS: dict[str, Callable[[bytes], bytes]] = {
    "chunks of a PNG": lambda png: _chunks(1_500_000, png),
    "marks of a JPEG": lambda _: b"\xff\xd8" + b"\xff\xe0\0\x02" * 4_000_000 + b"\xff\xda",
    "filling of a JPEG": lambda _: b"\xff\xd8" + b"\xff" * 19_000_000,
    "nothing of a JPEG": lambda _: b"\xff\xd8" + b"\xff\0" * 9_000_000,
    "notes of a GIF": lambda _: b"GIF89a\1\1\1\1\0\0\0" + b"!\xfe\1a\0" * 3_000_000,
    "lines of a GIF": lambda _: b"GIF89a\1\1\1\1\0\0\0!\xfe" + b"\1a" * 8_000_000 + b"\0",
    "dirt of a GIF": lambda _: b"GIF89a\1\1\1\1\0\0\0" + b"a" * 19_000_000,
    "pixels of a BMP": lambda _: (
        b"BM\0\0\0\0\0\0\0\0\x36\4\0\0\x28\0\0\0\0\x10\0\0\0\x10\0\0\1\0\x08\0\1\0\0\0"
        + bytes(1044)
        + b"\1\1" * 9_000_000
    ),
    "words of a PGM": lambda _: b"P2 4000 2000 255\n" + b"1 " * 8_000_000,
}


@pytest.mark.parametrize("kind", FLOODS)
def test_files_that_would_keep_the_reader_busy_are_refused_at_once(gradient: Image.Image, kind: str) -> None:
    content = FLOODS[kind](encoded(gradient, "PNG"))
    begun = time.process_time()
    with pytest.raises(PortraitError) as caught:
        decode(content)
    assert caught.value.code == "unreadable_picture"
    assert time.process_time() - begun < 1.0  # each takes 5 s or more where it is read


def test_pictures_of_many_parts_are_read(gradient: Image.Image) -> None:
    assert decode(_chunks(5000, encoded(gradient, "PNG"))).width == gradient.width


@pytest.mark.parametrize(("kind", "mode"), [("WEBP", "RGB"), ("JPEG2000", "RGB"), ("TIFF", "F"), ("GIF", "P")])
def test_a_kind_that_takes_much_memory_may_have_fewer_pixels(
    monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    monkeypatch.setattr(floods, "MOST_MEMORY_BYTES", 9_000_000)
    image = Image.new(mode, (1000, 950))
    assert decode(encoded(image.convert("RGB"), "JPEG"))
    with pytest.raises(PortraitError, match=f"megapixels are read of a {kind} file") as caught:
        decode(encoded(image, kind, **({"compression": "tiff_adobe_deflate"} if kind == "TIFF" else {})))
    assert caught.value.code == "picture_too_large"


MEASURE = """
import resource, sys
from pathlib import Path
from animator.portrait.picture.reading import decode
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
decode(Path(sys.argv[1]).read_bytes())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count in other units")
@pytest.mark.parametrize(("kind", "mode"), [("WEBP", "RGBA"), ("PNG", "RGBA")])
def test_the_largest_picture_that_is_read_stays_within_its_memory(tmp_path: Path, kind: str, mode: str) -> None:
    image = Image.new(mode, (2000, 1500))
    image.format = kind
    width = floods.most_pixels(image) // 4000
    path = tmp_path / "large"
    Image.new(mode, (width, 3950)).save(path, kind)
    found = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert int(found.stdout) * 1024 < floods.MOST_MEMORY_BYTES * 1.1


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
        cut(scene_of(np.asarray(gradient)), 256, landmarker)
    assert caught.value.code == "no_face"


def test_a_face_in_the_distance_is_too_small(photo: Picture, landmarker: Landmarker) -> None:
    scene = np.full((600, 800, 3), 128, np.uint8)
    scene[100:276, 300:476] = np.asarray(Image.fromarray(photo).resize((176, 176)))
    with pytest.raises(PortraitError) as caught:
        cut(scene_of(scene), 256, landmarker)
    assert caught.value.code == "face_too_small"


def test_the_largest_of_several_faces_is_framed(photo: Picture, landmarker: Landmarker) -> None:
    small = np.asarray(Image.fromarray(photo).resize((photo.shape[1] * 3 // 5, photo.shape[0] * 3 // 5)))
    scene = np.full((photo.shape[0], photo.shape[1] + small.shape[1], 3), 128, np.uint8)
    scene[: small.shape[0], : small.shape[1]] = small
    scene[:, small.shape[1] :] = photo
    framed = cut(scene_of(scene), 256, landmarker)
    alone = cut(scene_of(photo), 256, landmarker)
    assert "2 faces" in remarks(framed)[0]
    assert not any("faces" in remark for remark in remarks(alone))
    assert np.linalg.norm(framed.face.points[1, :2] - alone.face.points[1, :2]) < 12


def test_the_view_has_room_for_hair_and_shoulders(photo: Picture, landmarker: Landmarker) -> None:
    framed = cut(scene_of(photo), 256, landmarker)
    points = framed.face.points[:, :2] - framed.margin
    height = points[152, 1] - points[10, 1]
    assert 0.4 < height / 256 < 0.55
    assert points[10, 1] > 0.15 * 256 and 256 - points[152, 1] > 0.2 * 256
    assert framed.picture.shape == (256 + 2 * framed.margin, 256 + 2 * framed.margin, 3)
