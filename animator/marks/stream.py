"""A live stream that says in words what it is, for any program that reads its bytes."""

import uuid
from typing import Any

from animator.marks.marked import payload
from animator.media.encoder import Image, Packet, VideoEncoder

STREAM_ID = uuid.UUID("5e1fa27c-3b94-4d5a-9c61-7a41e0d3b8f2")  # by which the words are found in H.264
SUPPLEMENT_NAL, SLICE_NALS = 6, (1, 5)  # types of H.264 units: supplemental information; pictures, in part or whole
UNREGISTERED = 5  # the kind of supplemental information that anybody may define
JPEG_START, JPEG_COMMENT = b"\xff\xd8", b"\xff\xfe"


class TellingEncoder:
    """As `VideoEncoder`, which gets the ``options``. Each keyframe of H.264 carries the words as user data (SEI), each
    JPEG as a comment; VP8 has no place for them."""

    def __init__(self, **options: Any) -> None:
        self._encoder = VideoEncoder(**options)
        codec, said = self._encoder.codec, words().encode()
        self._unit = _supplement(said) if codec == "h264" else _comment(said) if codec == "jpeg" else b""

    @property
    def codec_string(self) -> str:
        """See `VideoEncoder.codec_string`."""
        return self._encoder.codec_string

    def encode(self, frame: Image, force_keyframe: bool = False) -> list[Packet]:
        """See `VideoEncoder.encode`."""
        packets = self._encoder.encode(frame, force_keyframe)
        return [Packet(self._told(packet.data), True) if packet.keyframe else packet for packet in packets]

    def close(self) -> None:
        """See `VideoEncoder.close`."""
        self._encoder.close()

    def _told(self, data: bytes) -> bytes:
        if not self._unit:
            return data
        at = len(JPEG_START) if data.startswith(JPEG_START) else _first_slice(data)
        return data[:at] + self._unit + data[at:]


def words() -> str:
    """What the stream says."""
    return f"AI generated: a picture moved by Vasari, installation {payload().installation:06x}"


def _supplement(said: bytes) -> bytes:
    """An Annex B unit. ASCII and `STREAM_ID` have no two zeros in a row, which would have to be escaped."""
    content = STREAM_ID.bytes + said
    return b"\0\0\0\1" + bytes((SUPPLEMENT_NAL, UNREGISTERED, len(content))) + content + b"\x80"


def _comment(said: bytes) -> bytes:
    return JPEG_COMMENT + (len(said) + 2).to_bytes(2, "big") + said


def _first_slice(data: bytes) -> int:
    """Where the first picture unit of an Annex B packet begins, with its start code."""
    at = data.find(b"\0\0\1")
    while at >= 0 and data[at + 3] & 31 not in SLICE_NALS:
        at = data.find(b"\0\0\1", at + 3)
    return at - 1 if at > 0 and data[at - 1] == 0 else max(at, 0)
