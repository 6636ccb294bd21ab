"""Brows, small expressions that pass, and the emotions, as ARKit weights."""

import numpy as np
from numpy.typing import NDArray

from animator.control import EMOTIONS as EMOTION_NAMES
from animator.control import Emotion, State
from animator.motion.filters import FPS, Follower, Pulses, Resonators
from animator.motion.prosody import Heard
from animator.motion.space import INDEX

Weights = NDArray[np.float32]  # (52,)


def _weights(**named: float) -> Weights:
    """Weights by ARKit name; a name without a side stands for both."""
    row = np.zeros(52, np.float32)
    for name, value in named.items():
        for side in ("",) if name in INDEX else ("Left", "Right"):
            row[INDEX[name + side]] = value
    return row


EMOTIONS: dict[Emotion, Weights] = {
    "neutral": _weights(),
    "happy": _weights(mouthSmile=0.69, cheekSquint=0.50, eyeSquint=0.20, mouthDimple=0.12, browOuterUp=0.12,
                      mouthUpperUp=0.07),
    "sad": _weights(browInnerUp=0.75, browDown=0.12, mouthFrown=0.53, mouthShrugLower=0.22, eyeBlink=0.15,
                    eyeSquint=0.10),
    "angry": _weights(browDown=0.88, eyeSquint=0.35, noseSneer=0.28, mouthPress=0.33, mouthFrown=0.22,
                      mouthUpperUp=0.06),
    "surprised": _weights(browInnerUp=0.78, browOuterUp=0.72, eyeWide=0.69, jawOpen=0.18, mouthFunnel=0.07),
    "afraid": _weights(browInnerUp=0.81, browOuterUp=0.19, browDown=0.15, eyeWide=0.60, mouthStretch=0.45,
                       jawOpen=0.07),
    "disgusted": _weights(noseSneer=0.69, mouthUpperUp=0.30, browDown=0.45, eyeSquint=0.33, mouthFrown=0.28,
                          mouthShrugLower=0.15),
    "tender": _weights(mouthSmile=0.35, cheekSquint=0.28, browInnerUp=0.30, eyeSquint=0.10, mouthDimple=0.06),
    "thoughtful": _weights(browDownLeft=0.30, browDownRight=0.18, browOuterUpRight=0.18, mouthPress=0.20,
                           eyeSquint=0.18, mouthLeft=0.10, mouthShrugLower=0.10),
}  # fmt: skip
# Added to the head's yaw, pitch and roll (degrees) at full strength.
BEARING: dict[Emotion, tuple[float, float, float]] = {
    "neutral": (0.0, 0.0, 0.0), "happy": (0.0, 0.8, 0.0), "sad": (0.0, -3.0, 1.0), "angry": (0.0, -1.8, 0.0),
    "surprised": (0.0, 1.5, 0.0), "afraid": (0.0, 0.8, 0.0), "disgusted": (2.0, 0.8, 0.8), "tender": (0.0, -0.6, 2.2),
    "thoughtful": (1.5, 0.8, -1.6),
}  # fmt: skip

_PASSING: tuple[Weights, ...] = (
    _weights(browInnerUp=0.30, browOuterUp=0.22),
    _weights(browDown=0.26, eyeSquint=0.10),
    _weights(browOuterUpLeft=0.26, browInnerUp=0.10),
    _weights(browOuterUpRight=0.26, browInnerUp=0.10),
    _weights(mouthSmile=0.20, cheekSquint=0.16, mouthDimple=0.05),
    _weights(mouthPress=0.24, mouthShrugLower=0.10),
    _weights(eyeSquint=0.22, cheekSquint=0.12),
    _weights(mouthSmileLeft=0.16, mouthDimpleLeft=0.12, cheekSquintLeft=0.10),
)
_PER_SECOND: dict[State, float] = {"speaking": 0.30, "listening": 0.22, "thinking": 0.28, "idle": 0.10}
_SHIFTS = _weights(browInnerUp=0.55, browOuterUp=0.50)  # what an accent raises


class Expression:
    """The upper face and passing expressions, without the emotion that is asked for."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._passing = [Pulses() for _ in _PASSING]
        self._accents = Pulses()
        self._drift = Resonators([0.15, 0.6, 0.15, 0.6])

    def __call__(self, state: State, heard: Heard) -> Weights:
        """One frame on -> (52,)."""
        if self._random.random() < _PER_SECOND[state] / FPS:
            size = self._random.lognormal(-0.1, 0.4)
            which = int(self._random.integers(0, len(_PASSING)))
            rise, fall = self._random.uniform(0.2, 0.5), self._random.uniform(0.5, 1.4)
            self._passing[which].add(size, rise, fall)
        if heard.accent and self._random.random() < 0.30:
            self._accents.add(heard.accent * self._random.uniform(0.35, 1.0), 0.16, self._random.uniform(0.25, 0.5))
        if heard.started and self._random.random() < 0.5:
            self._accents.add(self._random.uniform(0.2, 0.6), 0.2, 0.7)
        row = self._accents() * _SHIFTS
        for pulses, weights in zip(self._passing, _PASSING, strict=True):
            row = row + pulses() * weights
        brows, eyes = (self._drift(self._random.standard_normal(4)) @ _DRIFT).tolist()
        row = row + brows * _BROWS_UP if brows > 0 else row - brows * _BROWS_DOWN
        return (row + abs(eyes) * _EYES).astype(np.float32)


_BROWS_UP = _weights(browInnerUp=0.045, browOuterUp=0.03)
_BROWS_DOWN = _weights(browDown=0.05)
_EYES = _weights(eyeSquint=0.03, cheekSquint=0.02)
_DRIFT = np.array([[1.0, 0.0], [0.4, 0.0], [0.0, 1.0], [0.0, 0.4]])


class Mood:
    """The emotion that is asked for, taken on and put off within about a second."""

    def __init__(self) -> None:
        self._share: dict[Emotion, Follower] = {emotion: Follower(0.7) for emotion in EMOTION_NAMES}

    def __call__(self, emotion: Emotion, strength: float) -> tuple[Weights, tuple[float, float, float]]:
        """One frame on -> (52,) weights, and degrees of yaw, pitch, roll."""
        row = np.zeros(52, np.float32)
        bearing = [0.0, 0.0, 0.0]
        for name, share in self._share.items():
            part = share(strength if name == emotion else 0.0)
            if part > 1e-3:
                row += np.float32(part) * EMOTIONS[name]
                bearing = [b + part * add for b, add in zip(bearing, BEARING[name], strict=True)]
        return row, (bearing[0], bearing[1], bearing[2])
