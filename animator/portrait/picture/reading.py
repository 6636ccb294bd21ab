"""Reads any picture file as upright sRGB pixels, whatever its format and colour profile."""

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
_WORK_SIDE = 2400  # px; larger pictures are scaled down to it
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
    """A picture that cannot become a portrait. ``code`` is stable; the message says what to do.

    The error no_face comes with the points of a face in the middle of the picture, which a person can move to where
    they belong.
    """

    def __init__(self, code: Code, message: str, landmarks: "Landmarks | None" = None) -> None:
        super().__init__(message)
        self.code: Code = code
        self.landmarks = landmarks


@dataclass(frozen=True, slots=True)
class Source:
    """A picture as it was read. ``picture`` (h, w, 3) RGB uint8 is upright, in sRGB, and scaled down if the file's is
    huge; the file's has ``width`` x ``height`` px. ``content`` is the file, empty if the picture does not come from
    one.

    If the person in it was lying or upside down, it was then rotated clockwise by ``quarters`` quarter turns.
    ``picture``, ``width``, ``height``, and "px of the file" everywhere, refer to the rotated picture.
    """

    picture: Picture
    width: int
    height: int
    content: bytes = b""
    quarters: int = 0

    def turned(self, quarters: int) -> "Source":
        """The source rotated clockwise by ``quarters`` more quarter turns."""
        sides = (self.height, self.width) if quarters % 2 else (self.width, self.height)
        picture = np.ascontiguousarray(np.rot90(self.picture, -quarters))
        return Source(picture, *sides, self.content, (self.quarters + quarters) % 4)

    @property
    def scale(self) -> float:
        """Px of ``picture`` per px of the file."""
        return self.picture.shape[1] / self.width

    def detail(self, box: Box) -> tuple[Picture, tuple[int, int]] | None:
        """The part of the file inside ``box`` (px of the file) at full resolution, and its upper left corner; None if
        ``picture`` has the full resolution already."""
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
    """The bytes of a picture file. Raises `PortraitError` if it is missing, not a file, or larger than `MAX_BYTES`."""
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
    """The picture in a file's bytes: upright (EXIF), in sRGB, transparent parts on a plain backdrop, only the first
    frame.

    Raises `PortraitError` (unreadable_picture, picture_too_small, and picture_too_large before decoding).
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
    """``source.picture`` as a JPEG file, which every browser can show."""
    file = io.BytesIO()
    Image.fromarray(source.picture).save(file, "JPEG", quality=90)
    return file.getvalue()


@contextmanager
def _opened(content: bytes) -> Generator[Image.Image]:
    """Opens the file; whatever its decoder raises or warns of, here or in the block, becomes a `PortraitError`."""
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
        except Exception as error:  # decoders raise all kinds of errors on damaged files
            raise PortraitError("unreadable_picture", advice(content, error)) from error


def _turn(image: Image.Image) -> Image.Transpose | None:
    """The transposition that makes the picture upright, by its EXIF orientation; damaged EXIF data is ignored, as in
    viewers."""
    with suppress(Exception):  # EXIF parsers raise all kinds of errors
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
    """The error for a picture with more than ``most`` pixels; the limit of some ``kind``s is lower, since they need
    more memory."""
    limit = f"at most {most // 1_000_000} megapixels are read"
    how = (
        f"{limit} of a {kind} file. Use a smaller one, or a JPEG."
        if most < MAX_PIXELS
        else f"{limit}. Use a smaller one."
    )
    return PortraitError("picture_too_large", f"The picture is too large ({what}); {how}")
