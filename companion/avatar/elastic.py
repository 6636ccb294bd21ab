"""An encoder whose bitrate can be changed while it runs."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from animator.media.encoder import KEYFRAME_SECONDS
from animator.units import FPS
from companion.avatar.device import EncodedFrame, Encoder

LEAST_BITRATE = 100_000  # bits a second
AGAIN = KEYFRAME_SECONDS * FPS - 1  # frames after a keyframe, when the next one is due anyway; the longest wait


class ElasticEncoder:
    """Encodes as what ``make`` returns for a bitrate (bits a second). Where `share` changes, another encoder takes over
    with the next keyframe: a keyframe more would be the last thing that a busy network needs."""

    def __init__(self, make: Callable[[int], Encoder], bitrate: int) -> None:
        self._make, self._most = make, bitrate
        self.share = 1.0  # of the bitrate
        self._bitrate = bitrate
        self._encoder = make(bitrate)
        self._since = 0  # frames since the last keyframe
        self._waited = 0  # frames since another bitrate was wanted

    @property
    def codec_string(self) -> str:
        """That of the encoder, which does not depend on the bitrate."""
        return self._encoder.codec_string

    def encode(self, frame: NDArray[np.uint8], force_keyframe: bool = False) -> Sequence[EncodedFrame]:
        """(h, w, 3) RGB -> its packet."""
        wanted = max(LEAST_BITRATE, round(self._most * self.share))
        self._waited = self._waited + 1 if wanted != self._bitrate else 0
        if self._waited and (force_keyframe or max(self._since, self._waited) >= AGAIN):
            self._encoder.close()
            self._encoder, self._bitrate = self._make(wanted), wanted
        packets: Sequence[EncodedFrame] = self._encoder.encode(frame, force_keyframe)
        for packet in packets:
            self._since = 0 if packet.keyframe else self._since + 1
        return packets

    def close(self) -> None:
        self._encoder.close()
