"""Where the person is: MediaPipe's selfie segmentation (Apache-2.0), sharpened along the edges of the picture."""

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from animator.portrait.assets import read

_SIDE = 256


def person(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) RGB -> (h, w) uint8, 255 where the person surely is."""
    network = Interpreter(model_content=read("selfie_segmentation.tflite"), num_threads=1)
    network.allocate_tensors()
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    network.set_tensor(network.get_input_details()[0]["index"], (small[None] / 255).astype(np.float32))
    network.invoke()
    coarse = network.get_tensor(network.get_output_details()[0]["index"])[0, :, :, 0]
    height, width = picture.shape[:2]
    grey = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) / 255).astype(np.float32)
    full = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    sharp = _guided(grey, full, radius=max(2, width // 100), softness=1e-3)
    return (sharp.clip(0, 1) * 255).round().astype(np.uint8)


def _guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int, softness: float
) -> NDArray[np.float32]:
    """Guided filter (He et al. 2010): ``values`` smoothed except across the edges of ``guide``."""
    window = (2 * radius + 1, 2 * radius + 1)
    mean_g, mean_v = cv2.blur(guide, window), cv2.blur(values, window)
    covariance = cv2.blur(guide * values, window) - mean_g * mean_v
    slope = covariance / (cv2.blur(guide * guide, window) - mean_g * mean_g + softness)
    offset = mean_v - slope * mean_g
    return np.asarray(cv2.blur(slope, window) * guide + cv2.blur(offset, window), np.float32)
