"""An MPEG transport stream of a face that lives, for programs that show or pass on what comes: OBS, ffmpeg, players."""

from typing import Protocol

import av

from animator.media.encoder import Image, Packet
from animator.media.files import Voice, encoded_stream, put
from animator.units import FPS, Samples

BITRATE = 4_000_000  # bits/s of H.264: the line is this machine's
KEYFRAME_FRAMES = FPS  # between two pictures at which who comes later can begin


class Encodes(Protocol):
    """As `animator.media.encoder.VideoEncoder` does."""

    def encode(self, frame: Image, force_keyframe: bool = False) -> list[Packet]: ...
    def close(self) -> None: ...


class TransportStream:
    """H.264 and AAC to ``output``: a file, "pipe:1" (standard output), or an address such as "udp://127.0.0.1:9000".

    ``encoder`` makes the H.264, at `FPS`. Raises OSError where ``output`` cannot be opened, and where nobody takes it
    any more.
    """

    def __init__(self, output: str, encoder: Encodes) -> None:
        self._container = av.open(output, "w", format="mpegts", options={"flush_packets": "1"})
        self._encoder = encoder
        self._video: av.VideoStream | None = None
        self._voice: Voice | None = None
        self._count = 0

    def write(self, picture: Image, sound: Samples) -> None:
        """The next 40 ms: (height, width, 3) RGB, and (960,) at `RATE`. Blocks while the other side does not read."""
        for packet in self._encoder.encode(picture, self._count % KEYFRAME_FRAMES == 0):
            if self._video is None or self._voice is None:
                self._video = encoded_stream(self._container, packet, FPS)
                self._voice = Voice(self._container)
            put(self._container, self._video, packet, self._count, FPS)
            self._voice.write(sound)
        self._count += 1

    def close(self) -> None:
        """It is complete."""
        if self._voice:
            self._voice.finish()
        self._container.close()
        self._encoder.close()
