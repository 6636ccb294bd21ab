"""Rejects decompression bombs and other files built to exhaust time or memory, before they are decoded."""

import struct
from collections.abc import Iterator

from PIL import Image

MOST_PARTS = 20_000  # chunks, markers or blocks of a file; Pillow spends some us of Python on each
MOST_PYTHON_BYTES = 1_000_000  # bytes of a format that Pillow decodes in Python
MOST_SCANS = 100  # of a progressive JPEG; each costs as much time as decoding a whole picture
MOST_MEMORY_BYTES = 500_000_000  # bytes, peak memory of decoding
# Peak memory of decoding, measured, bytes per pixel.
_PIXEL_BYTES = {"WEBP": 21, "JPEG2000": 19, "GIF": 10, "AVIF": 10, "HEIF": 10, "PNG": 9}
_WIDE_PIXEL_BYTES = 21  # of modes with more than 8 bits a channel
_OTHER_PIXEL_BYTES = 6
_STANDALONE_MARKERS = (0x00, 0x01, *range(0xD0, 0xD9), 0xFF)  # second bytes of JPEG markers without a length field
_BMP_RLE = (1, 2)  # values of the compression field


def check(content: bytes) -> None:
    """Raises ValueError if the file has so many parts, or so much data decoded in Python, that reading it would take
    seconds."""
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
    """The most pixels that an image of this format and mode may have for decoding to need less than
    `MOST_MEMORY_BYTES`."""
    cost = _WIDE_PIXEL_BYTES if image.mode.startswith(("I", "F")) else _OTHER_PIXEL_BYTES
    return MOST_MEMORY_BYTES // max(cost, _PIXEL_BYTES.get(image.format or "", 0))


def _in_python(content: bytes) -> bool:
    if content.startswith(b"BM"):
        return len(content) > 34 and int.from_bytes(content[30:34], "little") in _BMP_RLE
    return content.startswith((b"P1", b"P2", b"P3"))


def _png(content: bytes) -> Iterator[int]:
    """Offset of each chunk."""
    at = 8
    while at + 8 <= len(content) and content[at + 4 : at + 8] != b"IEND":
        yield at
        at += 12 + struct.unpack_from(">I", content, at)[0]


def _jpeg(content: bytes) -> Iterator[int]:
    """Offset of each marker before the first scan."""
    at = 2
    while at + 4 <= len(content):
        yield at
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xDA:
            return
        alone = marker in _STANDALONE_MARKERS
        at += (1 if marker == 0xFF else 2) if alone else 2 + struct.unpack_from(">H", content, at + 2)[0]


def _gif(content: bytes) -> Iterator[int]:
    """Offset of each block before the first frame, and of each of its sub-blocks."""
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
    """Size of a GIF's global colour table, bytes."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0
