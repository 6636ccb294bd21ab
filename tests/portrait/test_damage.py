"""Two hundred damaged pictures: each is read, or refused with a message; none costs more."""

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from animator.portrait.characters import find
from animator.portrait.picture.reading import Code, PortraitError, Source, decode
from animator.portrait.portrait import Portrait, load

TURNED = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
KINDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "exif": TURNED}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("AVIF", {"speed": 10}),
    ("GIF", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("JPEG2000", {}),
)
STARTS = (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\x00", b"RIFF0000WEBPVP8L")
EACH = 17
KNOWN = set(Code.__args__)


def flipped(content: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 30)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def cut_short(content: bytearray, chance: random.Random) -> bytes:
    return bytes(content[: chance.randrange(len(content))])


def header_hit(content: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 6)):
        content[chance.randrange(min(len(content), 200))] = chance.choice((0, 1, 127, 128, 255))
    return bytes(content)


def overwritten(content: bytearray, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    content[at : at + chance.randint(1, 500)] = chance.randbytes(chance.randint(1, 500))
    return bytes(content)


DAMAGE: tuple[Callable[[bytearray, random.Random], bytes], ...] = (flipped, cut_short, header_hit, overwritten)


def original(kind: str, options: dict[str, object], side: int = 160) -> bytes:
    file = io.BytesIO()
    with Image.open(find("astronaut").picture) as picture:
        picture.convert("RGB").resize((side, side)).save(file, kind, **options)
    return file.getvalue()


def outcome(use: Callable[[bytes], Source | Portrait], content: bytes) -> Source | Portrait | PortraitError:
    try:
        return use(content)
    except PortraitError as error:
        assert error.code in KNOWN
        assert len(str(error)) > 20 and str(error).endswith((".", "]'"))
        return error


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_damaged_pictures_are_read_or_refused(kind: str, options: dict[str, object]) -> None:
    whole, chance = original(kind, options), random.Random(f"{kind} {options}")
    assert isinstance(outcome(decode, whole), Source)
    for number in range(EACH):
        found = outcome(decode, DAMAGE[number % len(DAMAGE)](bytearray(whole), chance))
        if isinstance(found, Source):
            assert found.picture.dtype == np.uint8 and found.picture.shape[2] == 3
            assert max(found.picture.shape) <= 2400


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused(seed: int) -> None:
    chance = random.Random(seed)
    start = chance.choice(
        (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\x00", b"RIFF0000WEBPVP8L")
    )
    assert isinstance(outcome(decode, start + chance.randbytes(chance.randint(0, 5000))), PortraitError)


def test_what_can_still_be_read_becomes_a_portrait_or_is_refused() -> None:
    whole, chance = original("JPEG", {}, 320), random.Random(5)
    outcomes = [outcome(lambda content: load(content, 128), flipped(bytearray(whole), chance)) for _ in range(3)]
    assert any(isinstance(found, Portrait) for found in outcomes)
