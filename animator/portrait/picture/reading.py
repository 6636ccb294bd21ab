"""Reads any picture file: upright, in sRGB, whatever its format and profile."""

import io
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from animator.portrait.picture import floods
from animator.portrait.picture.colours import plain_mode, to_srgb
from animator.portrait.picture.formats import advice, readable

if TYPE_CHECKING:
    from animator.portrait.picture.named import Landmarks

Picture = NDArray[np.uint8]  # (h, w, 3) RGB
Box = tuple[float, float, float, float]  # left, top, right, bottom in px
Code = Literal[
    "unreadable_picture", "picture_too_large", "picture_too_small", "no_face", "face_too_small", "invalid_landmarks"
]

MAX_PIXELS = 64_000_000
MAX_BYTES = 64_000_000
MIN_SIDE = 64  # px
_WORK_SIDE = 2400  # px; larger sources are shrunk
_ORIENTATION = 0x0112  # EXIF
_EXIF_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CLOCKWISE_TURNS = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}
_QUARTER_TURNS = tuple(_EXIF_TURNS[number] for number in (5, 6, 7, 8))
_quiet = threading.Lock()  # `warnings.catch_warnings` is not thread-safe


class PortraitError(Exception):
    """A picture that cannot become a portrait. ``code`` is stable; the message says what to do. With no_face come the
    points of a face in the middle of the picture, for a person to move to where they belong."""

    def __init__(self, code: Code, message: str, landmarks: "Landmarks | None" = None) -> None:
        super().__init__(message)
        self.code: Code = code
        self.landmarks = landmarks


@dataclass(frozen=True, slots=True)
class Source:
    """A picture as it was read: ``picture`` (h, w, 3) RGB uint8, upright, in sRGB, shrunk where it is huge; it has
    ``width`` x ``height`` px in the file. ``content`` is the file, empty for a picture that never was one. Where the
    person in it lay or stood on their head, it was turned by ``quarters`` of a circle, clockwise, after the file was
    read. ``picture``, ``width``, ``height``, and px of the file everywhere, are those of the turned picture."""

    picture: Picture
    width: int
    height: int
    content: bytes = b""
    quarters: int = 0

    def turned(self, quarters: int) -> "Source":
        """The source turned by ``quarters`` of a circle more, clockwise."""
        sides = (self.height, self.width) if quarters % 2 else (self.width, self.height)
        picture = np.ascontiguousarray(np.rot90(self.picture, -quarters))
        return Source(picture, *sides, self.content, (self.quarters + quarters) % 4)

    @property
    def scale(self) -> float:
        """Px of ``picture`` to a px of the file."""
        return self.picture.shape[1] / self.width

    def detail(self, box: Box) -> tuple[Picture, tuple[int, int]] | None:
        """What the file shows in ``box`` (px of the file), not shrunk, and where its upper left corner is; None where
        ``picture`` shows all there is."""
        if self.scale >= 1 or not self.content:
            return None
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(self.width, int(box[2]) + 1), min(self.height, int(box[3]) + 1)
        with _opened(self.content) as image:
            whole = _upright(image)
            upright = whole.transpose(_CLOCKWISE_TURNS[self.quarters]) if self.quarters else whole
            part = plain_mode(upright.crop((left, top, right, bottom)))
        return to_srgb(part), (left, top)


def read(file: Path) -> bytes:
    """The content of a picture file; `PortraitError` when it is missing, no file, or larger than any picture."""
    try:
        if file.exists() and not file.is_file():
            raise PortraitError("unreadable_picture", f"{file} is not a file. Give a picture file.")
        length = file.stat().st_size
        if length > MAX_BYTES:
            raise _too_large(f"{length // 1_000_000} MB")
        return file.read_bytes()
    except OSError as error:
        raise PortraitError("unreadable_picture", f"{file} cannot be read: {error.strerror}.") from error


def decode(content: bytes) -> Source:
    """The picture in a file's bytes: upright (EXIF), in sRGB, transparency on a plain backdrop, the first frame.

    Raises `PortraitError` (unreadable_picture, picture_too_large before decoding, picture_too_small).
    """
    if len(content) > MAX_BYTES:
        raise _too_large(f"{len(content) // 1_000_000} MB")
    with _opened(content) as image:
        _check_size(image)
        across = image.size
        turned = _turn(image) in _QUARTER_TURNS
        image.draft("RGB", (_WORK_SIDE, _WORK_SIDE))
        upright = plain_mode(_upright(image))
        upright.thumbnail((_WORK_SIDE, _WORK_SIDE), Image.Resampling.LANCZOS)
        width, height = across[::-1] if turned else across
        return Source(to_srgb(upright), width, height, content)


def as_jpeg(source: Source) -> bytes:
    """``source.picture`` as every browser can show it."""
    file = io.BytesIO()
    Image.fromarray(source.picture).save(file, "JPEG", quality=90)
    return file.getvalue()


@contextmanager
def _opened(content: bytes) -> Generator[Image.Image]:
    """The file, opened; whatever its decoder raises or warns of, there and in the block, becomes a `PortraitError`."""
    formats = readable()
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            floods.check(content)
            with Image.open(io.BytesIO(content), formats=formats) as image:
                yield image
        except PortraitError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_large("more than 89 megapixels") from None
        except Exception as error:  # decoders raise anything on damaged files
            raise PortraitError("unreadable_picture", advice(content, error)) from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes the picture upright, by its EXIF note; damaged notes are ignored, as viewers do."""
    with suppress(Exception):  # parsers raise anything
        return _EXIF_TURNS.get(image.getexif().get(_ORIENTATION, 1))
    return None


def _upright(image: Image.Image) -> Image.Image:
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    most = min(MAX_PIXELS, floods.most_pixels(image))
    if width * height > most:
        raise _too_large(f"{width}x{height}", most, image.format or "")
    if min(width, height) < MIN_SIDE:
        message = f"The picture is {width}x{height}; each side must be at least {MIN_SIDE} px. Use a larger picture."
        raise PortraitError("picture_too_small", message)


def _too_large(what: str, most: int = MAX_PIXELS, kind: str = "") -> PortraitError:
    """``most`` pixels are read, of a ``kind`` that takes more memory than others."""
    limit = f"at most {most // 1_000_000} megapixels are read"
    how = (
        f"{limit} of a {kind} file. Use a smaller one, or a JPEG."
        if most < MAX_PIXELS
        else f"{limit}. Use a smaller one."
    )
    return PortraitError("picture_too_large", f"The picture is too large ({what}); {how}")
