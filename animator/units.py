"""Sound, frames and motion rows: their types, and how many of each there are in a second."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (n,) mono, in [-1, 1], at RATE
Frames = NDArray[np.uint8]  # (n, height, width, 3) RGB
Motion = NDArray[np.float32]  # (n, 64), see animator.motion.rows.space

RATE = 24_000  # Hz
FPS = 25
SAMPLES_PER_FRAME = RATE // FPS  # 960
