"""Which picture formats are read, and error messages for files that are not pictures."""

from functools import cache
from typing import cast

from PIL import Image

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_ADVICE = "Use a JPEG, PNG or WebP file."
_OTHER_KINDS = (  # first bytes, kind of file, advice
    (b"%PDF", "a PDF document", "Save the page as a PNG picture."),
    (b"%!PS", "a PostScript document", "Save it as a PNG picture."),
    (b"8BPS", "a Photoshop document", "Export it as a PNG picture."),
    (b"gimp xcf", "a GIMP document", "Export it as a PNG picture."),
    (b"PK\x03\x04", "an archive or a document", "Take the picture out of it."),
    (b"\x1f\x8b", "a compressed archive", "Take the picture out of it."),
    (b"RIFF", "a sound or a video", "Use a single picture."),
    (b"\x1aE\xdf\xa3", "a video", "Save one frame of it as a picture."),
    (b"\xff\x0a", "a JPEG XL picture", "Save it as JPEG, PNG or WebP."),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", "Save it as JPEG, PNG or WebP."),
)


@cache
def enable_heif() -> bool:
    """Whether HEIC pictures can be read, which needs the optional package pi-heif; registers it with Pillow."""
    try:
        import pi_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        return False
    pi_heif.register_heif_opener()
    return True


@cache
def readable() -> tuple[str, ...]:
    """Pillow's names of the formats that are read here. Pillow is not given names that it does not know, since it would
    fail at them."""
    enable_heif()
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def advice(content: bytes, error: Exception) -> str:
    """What kind of file this is, as far as its bytes show, and what the user can do."""
    if not content:
        return f"The file is empty. {_ADVICE}"
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml")) and b"<svg" in content[:4096].lower():
        return "This is an SVG drawing. Export it as a PNG picture of at least 512 px."
    if start.startswith((b"<!doctype html", b"<html")):
        return "This is a web page, not a picture. Save the picture itself."
    if content[4:8] == b"ftyp":
        return _iso_media(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _damaged("WEBP", error)
    for begin, what, cure in _OTHER_KINDS:
        if content.startswith(begin):
            return f"This is {what}, not a picture that can be read. {cure}"
    known = next((name for name in readable() if _accepts(name, content)), None)
    return _damaged(known, error) if known else f"This is not a picture that can be read. {_ADVICE}"


def _iso_media(content: bytes) -> str:
    brand = content[8:12]
    if brand in _HEIF_BRANDS and not enable_heif():
        return (
            "This is a HEIC picture, as iPhones take them. Save it as JPEG, or let the server read HEIC: "
            "pip install 'vasari[heif]'"
        )
    if brand in _HEIF_BRANDS or brand in (b"avif", b"avis"):
        return f"This picture is damaged or incomplete. {_ADVICE}"
    return "This is a video. Save one frame of it as a picture."


def _accepts(name: str, content: bytes) -> bool:
    _, accept = cast("tuple[object, object]", Image.OPEN[name])
    return callable(accept) and accept(content[:16]) is True


def _damaged(name: str, error: Exception) -> str:
    return f"This {name} picture is damaged or incomplete ({type(error).__name__}). {_ADVICE}"
