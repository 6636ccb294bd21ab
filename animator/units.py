"""Sound, frames and motion rows: their types, how many of each there are in a second, and samples as PCM16."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (n,) mono, in [-1, 1], at RATE
Frames = NDArray[np.uint8]  # (n, height, width, 3) RGB
Motion = NDArray[np.float32]  # (n, 64), see animator.motion.rows.space

RATE = 24_000  # Hz
FPS = 25
SAMPLES_PER_FRAME = RATE // FPS  # 960


def pcm16(samples: Samples) -> bytes:
    """Mono samples (n,) in [-1, 1], clipped, as PCM16, little endian: the inverse of `from_pcm16`."""
    return np.clip(np.round(samples * np.float32(32768)), -32768, 32767).astype("<i2").tobytes()


def from_pcm16(pcm: bytes) -> Samples:
    """Mono PCM16, little endian, 2n bytes -> (n,) float32 in [-1, 1). Raises ValueError for an odd number of bytes."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
