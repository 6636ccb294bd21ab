"""Reads any picture and cuts the view of a portrait out of it."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from animator.portrait.landmarks import FaceLandmarks, Landmarker

Picture = NDArray[np.uint8]  # (h, w, 3) RGB
Code = Literal["unreadable_picture", "picture_too_large", "picture_too_small", "no_face", "face_too_small"]

MAX_PIXELS = 64_000_000
MAX_BYTES = 64_000_000
MIN_SIDE = 64  # px
MIN_FACE = 40  # px, height of the face in the source
SHARP_FACE = 110  # px; below, the face is visibly soft at 512
MARGIN = 1 / 8  # of the view, on each side
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
_WORK_SIDE = 2400  # px; larger sources are shrunk
_BACKDROP = (226, 228, 232)  # behind transparent pictures
_BLUR = 0.025  # of the working picture: blur of what lies beyond the source, reached at that distance from it
_FACE_SHARE = 0.47  # face height in the view
_TIGHT_SHARE = 0.8  # at most, where the source is cut close to the face
_FACE_CENTRE = 0.475  # of the view, from its top


class PortraitError(Exception):
    """A picture that cannot become a portrait. ``code`` is stable; the message says what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class Cut:
    """The working picture of a portrait: ``picture`` (n, n, 3) RGB uint8 with ``margin`` px round the view, the part
    ``real`` (left, top, right, bottom) of it that shows pixels of the source (the rest is made up), and the face."""

    picture: Picture
    margin: int
    real: tuple[int, int, int, int]
    face: FaceLandmarks
    warnings: tuple[str, ...]


def read(file: Path) -> bytes:
    """The content of a picture file; `PortraitError` when it is missing or larger than any picture."""
    try:
        length = file.stat().st_size
        if length > MAX_BYTES:
            raise _too_large(f"{length // 1_000_000} MB")
        return file.read_bytes()
    except OSError as error:
        raise PortraitError("unreadable_picture", f"{file} cannot be read: {error.strerror}.") from error


def decode(content: bytes) -> Picture:
    """(h, w, 3) RGB of a picture file's bytes: upright (EXIF), in sRGB, transparency on a light backdrop, first frame.

    Raises `PortraitError` (unreadable_picture, picture_too_large before decoding, picture_too_small).
    """
    if len(content) > MAX_BYTES:
        raise _too_large(f"{len(content) // 1_000_000} MB")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            _check_size(*opened.size)
            opened.draft("RGB", (_WORK_SIDE, _WORK_SIDE))
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((_WORK_SIDE, _WORK_SIDE), Image.Resampling.LANCZOS)
            return np.ascontiguousarray(_rgb(upright))
    except PortraitError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large("more than 89 megapixels") from None
    except Exception as error:  # decoders raise anything on damaged files
        message = f"This is not a picture that can be read ({type(error).__name__}). Use a JPEG, PNG or WebP file."
        raise PortraitError("unreadable_picture", message) from error


def cut(picture: Picture, size: int, landmarker: Landmarker) -> Cut:
    """Finds the largest face in ``picture`` and frames it with hair and shoulders in a view of ``size`` px.

    Raises `PortraitError` (no_face, face_too_small).
    """
    faces = landmarker.detect(picture)
    if not faces:
        message = (
            "No face was found. Use a picture in which one face is well visible, from the front or a little aside."
        )
        raise PortraitError("no_face", message)
    top, chin = faces[0].points[10], faces[0].points[152]
    height = float(np.linalg.norm(top - chin))
    if height < MIN_FACE:
        message = (
            f"The face is {height:.0f} px high; at least {MIN_FACE} are needed. Use a larger picture or crop less."
        )
        raise PortraitError("face_too_small", message)
    warnings: list[str] = []
    if len(faces) > 1:
        warnings.append(f"{len(faces)} faces were found; the largest one is used.")
    if height < SHARP_FACE:
        warnings.append(f"The face is only {height:.0f} px high: it will look soft.")
    left, upper, side = _frame(picture.shape[1], picture.shape[0], (top + chin)[:2] / 2, height)
    cropped, real = _crop(picture, left, upper, side, size)
    margin = round(size * MARGIN)
    scale = cropped.shape[0] / (side * (1 + 2 * MARGIN))
    shift = np.array([left - side * MARGIN, upper - side * MARGIN, 0], np.float32)
    moved = FaceLandmarks((faces[0].points - shift) * np.float32(scale), faces[0].blendshapes, faces[0].score)
    return Cut(cropped, margin, real, landmarker.refine(cropped, moved), tuple(warnings))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(f"{width}x{height}")
    if min(width, height) < MIN_SIDE:
        message = f"The picture is {width}x{height}; each side must be at least {MIN_SIDE} px. Use a larger picture."
        raise PortraitError("picture_too_small", message)


def _too_large(what: str) -> PortraitError:
    message = (
        f"The picture is too large ({what}); at most {MAX_PIXELS // 1_000_000} megapixels are read. Use a smaller one."
    )
    return PortraitError("picture_too_large", message)


def _rgb(picture: Image.Image) -> Picture:
    if picture.mode in ("I;16", "I;16L", "I;16B", "I", "F"):
        values = np.asarray(picture).astype(np.float64)
        white = 65535 if values.max() > 255 else 255
        grey = (values / white * 255).round().clip(0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        backdrop = Image.new("RGBA", layer.size, (*_BACKDROP, 255))
        return np.asarray(Image.alpha_composite(backdrop, layer).convert("RGB"))
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK"):
        try:
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            changed = ImageCms.profileToProfile(picture, found, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return np.asarray(changed or picture.convert("RGB"))
        except ImageCms.PyCMSError:
            return np.asarray(picture.convert("RGB"))
    return np.asarray(picture.convert("RGB"))


def _frame(width: int, height: int, centre: NDArray[np.float32], face: float) -> tuple[float, float, float]:
    """Left, top and side of the view in the source: inside it where possible, at the cost of less room for the hair."""
    side = min(face / _FACE_SHARE, max(min(width, height), face / _TIGHT_SHARE))
    left, top = float(centre[0]) - side / 2, float(centre[1]) - side * _FACE_CENTRE

    def inside(start: float, length: int) -> float:
        return min(max(start, 0.0), length - side) if side <= length else (length - side) / 2

    return inside(left, width), inside(top, height), side


def _crop(
    picture: Picture, left: float, top: float, side: float, size: int
) -> tuple[Picture, tuple[int, int, int, int]]:
    """The view and its margin, resampled, and the part of it that is real."""
    margin = round(size * MARGIN)
    whole = size + 2 * margin
    scale = size / side
    x, y = left - side * MARGIN, top - side * MARGIN
    height, width = picture.shape[:2]
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture, x, y, scale = np.asarray(small, np.uint8), x * scale, y * scale, 1.0
        height, width = picture.shape[:2]
    matrix = np.array([[1 / scale, 0, x + (0.5 / scale - 0.5)], [0, 1 / scale, y + (0.5 / scale - 0.5)]])
    flags = (cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_CUBIC) | cv2.WARP_INVERSE_MAP
    view = cv2.warpAffine(picture, matrix, (whole, whole), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    low = [max(0, round(-at * scale)) for at in (x, y)]
    high = [min(whole, round((length - at) * scale)) for at, length in ((x, width), (y, height))]
    real = (low[0], low[1], high[0], high[1])
    return _soften(np.asarray(view, np.uint8), real), real


def _soften(picture: Picture, real: tuple[int, int, int, int]) -> Picture:
    """``picture`` whose mirrored parts, outside of ``real``, blur with the distance: nobody sees a second ear."""
    left, top, right, bottom = real
    outside = np.ones(picture.shape[:2], np.uint8)
    outside[top:bottom, left:right] = 0
    if not outside.any():
        return picture
    reach = picture.shape[0] * _BLUR
    away = (cv2.distanceTransform(outside, cv2.DIST_L2, 5) / reach).clip(0, 1)[..., None]
    blurred = cv2.GaussianBlur(picture, (0, 0), reach)
    return ((1 - away) * picture + away * blurred).round().astype(np.uint8)
