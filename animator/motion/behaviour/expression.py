"""Brows, small expressions that pass, and the mood that is asked for, as ARKit weights."""

import numpy as np

from animator.control import EMOTIONS, Emotion, State
from animator.motion.behaviour.emotions import LOOKS, Bearing, Weights, shapes
from animator.motion.rows.filters import Follower, Pulses, Resonators
from animator.motion.voice.prosody import Heard
from animator.units import FPS

_PASSING_EXPRESSIONS: tuple[Weights, ...] = (
    shapes(browInnerUp=0.30, browOuterUp=0.22),
    shapes(browDown=0.18, eyeSquint=0.10),
    shapes(browOuterUpLeft=0.26, browInnerUp=0.10),
    shapes(browOuterUpRight=0.26, browInnerUp=0.10),
    shapes(mouthSmile=0.20, cheekSquint=0.16, mouthDimple=0.05),
    shapes(mouthPress=0.24, mouthShrugLower=0.10),
    shapes(eyeSquint=0.22, cheekSquint=0.12),
    shapes(mouthSmileLeft=0.16, mouthDimpleLeft=0.12, cheekSquintLeft=0.10),
)
_RATES_HZ: dict[State, float] = {"speaking": 0.30, "listening": 0.22, "thinking": 0.28, "idle": 0.10}
_ACCENT_RAISE = shapes(browInnerUp=0.50, browOuterUp=0.46)  # what an accent raises


class Expression:
    """The upper face and passing expressions, without the emotion that is asked for."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._passing = [Pulses() for _ in _PASSING_EXPRESSIONS]
        self._accents = Pulses()
        self._drift = Resonators([0.15, 0.6, 0.15, 0.6])
        self._looking = Follower(0.25)

    def __call__(self, state: State, heard: Heard, looking: float = 0.0) -> Weights:
        """One frame on -> (52,); brows go up and down with a gaze that is ``looking`` so many degrees up."""
        if self._random.random() < _RATES_HZ[state] / FPS:
            size = self._random.lognormal(-0.1, 0.4)
            which = int(self._random.integers(0, len(_PASSING_EXPRESSIONS)))
            rise, fall = self._random.uniform(0.2, 0.5), self._random.uniform(0.5, 1.4)
            self._passing[which].add(size, rise, fall)
        if heard.accent and self._random.random() < 0.5:
            self._accents.add(heard.accent * self._random.uniform(0.4, 1.2), 0.16, self._random.uniform(0.25, 0.5))
        if heard.started and self._random.random() < 0.5:
            self._accents.add(self._random.uniform(0.2, 0.6), 0.2, 0.7)
        row = self._accents() * _ACCENT_RAISE
        for pulses, weights in zip(self._passing, _PASSING_EXPRESSIONS, strict=True):
            row = row + pulses() * weights
        brows, eyes = (self._drift(self._random.standard_normal(4)) @ _DRIFT_MIX).tolist()
        row = row + brows * _BROWS_UP if brows > 0 else row - brows * _BROWS_DOWN
        row = row + self._looking(looking) * _GAZE_RAISE
        return (row + abs(eyes) * _EYE_DRIFT).astype(np.float32)


_BROWS_UP = shapes(browInnerUp=0.08, browOuterUp=0.06)
_BROWS_DOWN = shapes(browDown=0.05)
_EYE_DRIFT = shapes(eyeSquint=0.03, cheekSquint=0.02)
_GAZE_RAISE = shapes(browInnerUp=0.035, browOuterUp=0.03)  # for a degree up; below zero it takes from what is raised
_DRIFT_MIX = np.array([[1.0, 0.0], [0.4, 0.0], [0.0, 1.0], [0.0, 0.4]])


class Mood:
    """The emotion that is asked for, taken on and put off within about a second.

    ``speech`` (52,) are the shares of what a sound asks of the mouth, in the mood of the last frame.
    """

    def __init__(self) -> None:
        self.speech = 1 + LOOKS["neutral"].speech
        self._share: dict[Emotion, Follower] = {emotion: Follower(0.7) for emotion in EMOTIONS}

    def __call__(self, emotion: Emotion, strength: float) -> tuple[Weights, Bearing]:
        """One frame on -> (52,) weights, and where head and eyes turn."""
        row = np.zeros(52, np.float32)
        turn = np.zeros(5)
        speech = 1 + LOOKS["neutral"].speech
        for name, share in self._share.items():
            part = share(strength if name == emotion else 0.0)
            if part > 1e-3:
                row += np.float32(part) * LOOKS[name].face
                turn += part * np.array(LOOKS[name].bearing)
                speech += np.float32(min(1.0, part)) * LOOKS[name].speech
        self.speech = speech
        return row, Bearing(*turn.tolist())
