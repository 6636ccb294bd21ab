"""Converts any picture's colours to 8-bit sRGB."""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Picture = NDArray[np.uint8]  # (h, w, 3) RGB

_BACKDROP = (226, 228, 232)  # behind transparent pictures
_DARK_BACKDROP = (84, 88, 96)  # behind light transparent pictures, which would vanish on the other one
_LIGHT_LEVEL = 205  # mean brightness of the visible pixels from which a picture counts as light
_WHITE_LEVELS = (1.0, 255.0, 4095.0, 65535.0)  # possible values of white in pictures with more than 8 bits


def plain_mode(image: Image.Image) -> Image.Image:
    """``image`` in one of the 8-bit modes L, RGB, CMYK, LAB and RGBA, which can be resampled; its colour profile is
    kept."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        plain = _eight_bits(image)
    elif image.mode != "RGBA" and image.has_transparency_data:
        plain = image.convert("RGBA")
    elif image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    else:
        plain = image.convert("L" if image.mode == "1" else "RGB")
    if profile and not (image.mode.startswith("L") and plain.mode == "RGBA"):
        plain.info["icc_profile"] = profile
    return plain


def to_srgb(image: Image.Image) -> Picture:
    """(h, w, 3) RGB of an image in one of the modes of `plain_mode`, converted by its embedded profile if that is
    usable."""
    if image.mode != "RGBA":
        return np.ascontiguousarray(_managed(image, image.info.get("icc_profile")))
    alpha = np.asarray(image.getchannel("A"))
    colour = np.asarray(_managed(image.convert("RGB"), image.info.get("icc_profile"))).astype(np.float32)
    share = (alpha / np.float32(255))[..., None]
    seen = float((colour.mean(axis=2) * share[..., 0]).sum() / max(float(share.sum()), 1.0))
    backdrop = np.array(_DARK_BACKDROP if seen > _LIGHT_LEVEL else _BACKDROP, np.float32)
    return (colour * share + backdrop * (1 - share)).round().astype(np.uint8)


def _eight_bits(image: Image.Image) -> Image.Image:
    """8-bit grey from integers or floats of 16 or 32 bits; white is the smallest of `_WHITE_LEVELS` that is at least
    the maximum."""
    values = np.asarray(image)
    if values.dtype.itemsize == 2:
        values = values.astype(np.uint16, copy=False)
    else:
        values = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0).clip(0)
    highest = float(values.max())
    white = next((white for white in _WHITE_LEVELS if highest <= white), highest)
    return Image.fromarray(np.asarray(cv2.convertScaleAbs(values, alpha=255 / white), np.uint8))


def _managed(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        return _changed(image, ImageCms.createProfile("LAB"))
    if profile:
        try:
            return _changed(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # a damaged profile, or one for another colour space, is ignored
    return image.convert("RGB")


def _changed(image: Image.Image, profile: Any) -> Image.Image:
    changed = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return changed or image.convert("RGB")
