"""Conversion between the audio formats of the protocol, mu-law (G.711) and PCM16, and samples. Pure; no resampling."""

import numpy as np
from numpy.typing import NDArray

from animator.units import pcm16
from companion.protocol.settings import SoundFormat

_BIAS = 0x84


def linear(sound: bytes, kind: SoundFormat) -> bytes:
    """Decode bytes in the format ``kind`` -> mono PCM16, little endian, at the same rate."""
    return _VALUES[np.frombuffer(sound, np.uint8)].astype("<i2").tobytes() if kind.type == "audio/pcmu" else sound


def coded(pcm: NDArray[np.float32], kind: SoundFormat) -> bytes:
    """Encode samples, (n,) float32 in [-1, 1] (clipped) at the rate of ``kind``, as bytes in that format."""
    levels = pcm16(pcm)
    if kind.type != "audio/pcmu":
        return levels
    return _CODES[np.searchsorted(_BETWEEN, np.frombuffer(levels, "<i2"))].tobytes()


def _decoded() -> NDArray[np.int32]:
    """The PCM16 values of all 256 mu-law codes by G.711: (256,) int32."""
    code = ~np.arange(256) & 0xFF
    size = (((code & 0x0F) << 3) + _BIAS << (code >> 4 & 7)) - _BIAS
    return np.where(code & 0x80, -size, size).astype(np.int32)


_VALUES = _decoded()
_CODES = np.argsort(_VALUES, kind="stable").astype(np.uint8)
_BETWEEN = (_VALUES[_CODES][1:] + _VALUES[_CODES][:-1]) / 2  # thresholds between neighbouring codes
