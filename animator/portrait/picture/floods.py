"""Decompression bombs and other files built to exhaust time or memory, recognised before they are decoded."""

import struct
from collections.abc import Iterator

from PIL import Image

MOST_PARTS = 20_000  # of a file; Pillow takes some us of Python for each
MOST_PYTHON_BYTES = 1_000_000  # bytes of a kind that Pillow decodes in Python
MOST_SCANS = 100  # of a progressive JPEG; each costs as much time as a whole picture
MOST_MEMORY_BYTES = 500_000_000  # bytes that decoding takes at its peak
# Measured: bytes a pixel that decoding takes at its peak.
_PIXEL_BYTES = {"WEBP": 21, "JPEG2000": 19, "GIF": 10, "AVIF": 10, "HEIF": 10, "PNG": 9}
_WIDE_PIXEL_BYTES = 21  # of modes whose values are no bytes
_OTHER_PIXEL_BYTES = 6
_STANDALONE_MARKERS = (0x00, 0x01, *range(0xD0, 0xD9), 0xFF)  # second bytes of a JPEG's markers without a length
_BMP_RLE = (1, 2)  # compressions


def check(content: bytes) -> None:
    """Raises ValueError for a file of so many parts that reading it takes seconds of Python."""
    if content.startswith(b"\xff\xd8"):
        if content.count(b"\xff\xda") > MOST_SCANS:
            raise ValueError("too many scans")
        parts = _jpeg(content)
    elif content.startswith(b"\x89PNG"):
        parts = _png(content)
    elif content.startswith(b"GIF8"):
        parts = _gif(content)
    else:
        parts = iter(())
    if any(number >= MOST_PARTS for number, _ in enumerate(parts)):
        raise ValueError("too many parts")
    if len(content) > MOST_PYTHON_BYTES and _in_python(content):
        raise ValueError("too much of it")


def most_pixels(image: Image.Image) -> int:
    """The most pixels that a picture of this format and mode may have for its decoding to stay below
    `MOST_MEMORY_BYTES`."""
    cost = _WIDE_PIXEL_BYTES if image.mode.startswith(("I", "F")) else _OTHER_PIXEL_BYTES
    return MOST_MEMORY_BYTES // max(cost, _PIXEL_BYTES.get(image.format or "", 0))


def _in_python(content: bytes) -> bool:
    if content.startswith(b"BM"):
        return len(content) > 34 and int.from_bytes(content[30:34], "little") in _BMP_RLE
    return content.startswith((b"P1", b"P2", b"P3"))


def _png(content: bytes) -> Iterator[int]:
    """Where each chunk begins."""
    at = 8
    while at + 8 <= len(content) and content[at + 4 : at + 8] != b"IEND":
        yield at
        at += 12 + struct.unpack_from(">I", content, at)[0]


def _jpeg(content: bytes) -> Iterator[int]:
    """Where each marker begins before the first scan."""
    at = 2
    while at + 4 <= len(content):
        yield at
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xDA:
            return
        alone = marker in _STANDALONE_MARKERS
        at += (1 if marker == 0xFF else 2) if alone else 2 + struct.unpack_from(">H", content, at + 2)[0]


def _gif(content: bytes) -> Iterator[int]:
    """Where each block before the first frame begins, and each part of one."""
    at = 13 + _palette(content[10:11])
    while at < len(content) and content[at] not in b",;":
        yield at
        if content[at] != ord("!"):
            at += 1
            continue
        at += 2
        while at < len(content) and content[at]:
            yield at
            at += 1 + content[at]
        at += 1


def _palette(flags: bytes) -> int:
    """Bytes of a GIF's palette."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0
