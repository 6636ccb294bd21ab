"""The captured takes of FACEGOOD-Audio2Face (MIT): 116 curves of one actress at 30 fps, mapped to our channels."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.media.files import MediaError, read_audio
from animator.motion.voice.mouth_net import CHANNELS
from animator.units import FPS, RATE

CURVES_FPS = 30
HELD_TAKES = ("1114_2_05", "1114_3_16")
# Their jaw opens 0.39 at the 95th percentile; ours is calibrated to 0.36 in "a" (see the teacher).
CURVE_MIX: dict[str, dict[str, float]] = {
    "jawOpen": {"mouth_stretch_c": 0.85, "mouth_oh_c": 0.22},
    "mouthFunnel": {"mouth_funnel_ul": 0.45, "mouth_funnel_dl": 0.45, "mouth_oh_c": 0.25},
    "mouthPucker": {"mouth_pucker_l": 0.9, "mouth_oo_c": 0.9, "mouth_oh_c": 0.12},
    "mouthLowerDown": {"mouth_lowerLipDepress_l": 1.0},
    "mouthUpperUp": {"mouth_upperLipRaise_l": 1.0},
    "mouthSmile": {"mouth_lipCornerPull_l": 1.0},
    "mouthStretch": {"mouth_lipStretch_l": 1.0},
    "mouthPress": {"mouth_press_l": 1.0},
    "mouthRollLower": {"mouth_suck_dl": 1.0},
    "mouthRollUpper": {"mouth_suck_ul": 1.0},
    "mouthShrugLower": {"mouth_chinRaise_u": 0.6},
    "mouthDimple": {"mouth_dimple_l": 1.0},
}


def takes(folder: Path) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """Of every take: its name, (n,) float32 sound at 24 kHz, and (frames, len(CHANNELS)) float32 weights at 25 fps, in
    which ``mouthClose`` is always 0.

    Raises `MediaError` when ``folder`` does not hold FACEGOOD's takes.
    """
    if not (folder / "channels.json").is_file():
        raise MediaError(f"{folder} has no channels.json. Give the folder with FACEGOOD's takes.")
    names = json.loads((folder / "channels.json").read_text("utf-8"))
    for path in sorted(folder.glob("*.wav")):
        sound = read_audio(path)
        curves = np.load(folder / f"{path.stem}.curves.npy")
        seconds = min(len(sound) / RATE, len(curves) / CURVES_FPS)
        at = (np.arange(int(seconds * FPS)) + 0.5) / FPS * CURVES_FPS
        mouth = np.zeros((len(at), len(CHANNELS)), np.float32)
        for channel, parts in CURVE_MIX.items():
            curve = sum(weight * curves[:, names.index(name)] for name, weight in parts.items())
            mouth[:, CHANNELS.index(channel)] = np.interp(at, np.arange(len(curves)), curve)
        yield path.stem, sound, mouth
