"""Brows, small expressions that pass, and the emotions, as ARKit weights."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animator.control import EMOTIONS as EMOTION_NAMES
from animator.control import Emotion, State
from animator.motion.rows.filters import Follower, Pulses, Resonators
from animator.motion.rows.space import INDEX
from animator.motion.voice.prosody import Heard
from animator.units import FPS

Weights = NDArray[np.float32]  # (52,)


def shapes(**named: float) -> Weights:
    """Weights by ARKit name; a name without a side stands for both."""
    row = np.zeros(52, np.float32)
    for name, value in named.items():
        for side in ("",) if name in INDEX else ("Left", "Right"):
            row[INDEX[name + side]] = value
    return row


class Bearing(NamedTuple):
    """Degrees that an emotion adds to the head's yaw, pitch and roll, and to the gaze's."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze_yaw: float = 0.0
    gaze_pitch: float = 0.0


EMOTIONS: dict[Emotion, Weights] = {
    "neutral": shapes(),
    "happy": shapes(mouthSmile=0.74, cheekSquint=0.60, eyeSquint=0.22, mouthDimple=0.12, browOuterUp=0.08,
                      mouthUpperUp=0.10),
    "sad": shapes(browInnerUp=0.80, browDown=0.10, mouthFrown=0.75, mouthShrugLower=0.30, mouthPress=0.10,
                    eyeBlink=0.20, eyeSquint=0.10),
    "angry": shapes(browDown=1.10, eyeSquint=0.45, eyeWide=0.15, noseSneer=0.30, mouthPress=0.40, mouthFrown=0.40,
                      mouthRollLower=0.15, jawForward=0.20),
    "surprised": shapes(browInnerUp=0.62, browOuterUp=0.66, eyeWide=0.85, jawOpen=0.26, mouthFunnel=0.12),
    "afraid": shapes(browInnerUp=0.70, browOuterUp=0.08, browDown=0.45, eyeWide=0.80, mouthStretch=0.70,
                       mouthFrown=0.25, mouthLowerDown=0.10, jawOpen=0.04),
    "disgusted": shapes(noseSneer=0.75, mouthUpperUp=0.06, browDown=0.60, eyeSquint=0.50, cheekSquint=0.20,
                          mouthFrown=0.35, mouthShrugLower=0.40, mouthShrugUpper=0.15),
    "tender": shapes(mouthSmile=0.36, cheekSquint=0.25, browInnerUp=0.34, eyeBlink=0.16, eyeSquint=0.08,
                       mouthPress=0.08),
    "thoughtful": shapes(browDownLeft=0.55, browDownRight=0.25, browOuterUpRight=0.32, browInnerUp=0.10,
                           mouthPress=0.40, mouthLeft=0.28, mouthRollLower=0.15, eyeSquint=0.22, mouthShrugLower=0.20),
}  # fmt: skip
BEARINGS: dict[Emotion, Bearing] = {
    "neutral": Bearing(), "happy": Bearing(pitch=1.5, roll=-1.0), "sad": Bearing(-1.0, -4.0, 2.0, 0.0, -4.0),
    "angry": Bearing(pitch=-3.0), "surprised": Bearing(pitch=2.0), "afraid": Bearing(2.0, -1.5),
    "disgusted": Bearing(4.0, 2.0, 1.5), "tender": Bearing(0.0, -1.5, 4.5),
    "thoughtful": Bearing(3.0, 2.0, -3.5, 8.0, 6.0),
}  # fmt: skip

# How it speaks: shares of what the sound asks of the mouth. Angry lips are tense and square, sad ones hardly move.
SPEECH: dict[Emotion, Weights] = {
    "neutral": 1 + shapes(),
    "happy": 1 + shapes(jawOpen=0.08, mouthSmile=0.5, mouthStretch=0.25, mouthDimple=0.3, mouthUpperUp=0.35,
                        mouthPucker=-0.2, mouthFunnel=-0.2),
    "sad": 1 + shapes(jawOpen=-0.28, mouthSmile=-0.6, mouthStretch=-0.3, mouthUpperUp=-0.35, mouthLowerDown=-0.25,
                      mouthPucker=-0.15, mouthFunnel=-0.2, mouthShrugLower=0.5),
    "angry": 1 + shapes(jawOpen=0.12, mouthSmile=-0.6, mouthStretch=0.4, mouthUpperUp=0.35, mouthLowerDown=0.5,
                        mouthFunnel=0.3, mouthPress=0.6, mouthRollLower=0.3),
    "surprised": 1 + shapes(jawOpen=0.15, mouthSmile=-0.4, mouthStretch=-0.2, mouthFunnel=0.25, mouthPucker=0.15),
    "afraid": 1 + shapes(jawOpen=-0.12, mouthSmile=-0.6, mouthStretch=0.5, mouthLowerDown=0.35, mouthPucker=-0.3,
                         mouthFunnel=-0.2),
    "disgusted": 1 + shapes(jawOpen=-0.1, mouthSmile=-0.5, mouthUpperUp=0.6, mouthShrugLower=0.6, mouthPucker=-0.2),
    "tender": 1 + shapes(jawOpen=-0.15, mouthSmile=0.3, mouthStretch=-0.15, mouthLowerDown=-0.15, mouthPucker=0.1),
    "thoughtful": 1 + shapes(jawOpen=-0.18, mouthSmile=-0.3, mouthStretch=-0.2, mouthLowerDown=-0.2, mouthPucker=0.15,
                             mouthPress=0.4),
}  # fmt: skip

_PASSING: tuple[Weights, ...] = (
    shapes(browInnerUp=0.30, browOuterUp=0.22),
    shapes(browDown=0.26, eyeSquint=0.10),
    shapes(browOuterUpLeft=0.26, browInnerUp=0.10),
    shapes(browOuterUpRight=0.26, browInnerUp=0.10),
    shapes(mouthSmile=0.20, cheekSquint=0.16, mouthDimple=0.05),
    shapes(mouthPress=0.24, mouthShrugLower=0.10),
    shapes(eyeSquint=0.22, cheekSquint=0.12),
    shapes(mouthSmileLeft=0.16, mouthDimpleLeft=0.12, cheekSquintLeft=0.10),
)
_PER_SECOND: dict[State, float] = {"speaking": 0.30, "listening": 0.22, "thinking": 0.28, "idle": 0.10}
_SHIFTS = shapes(browInnerUp=0.50, browOuterUp=0.46)  # what an accent raises


class Expression:
    """The upper face and passing expressions, without the emotion that is asked for."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._passing = [Pulses() for _ in _PASSING]
        self._accents = Pulses()
        self._drift = Resonators([0.15, 0.6, 0.15, 0.6])
        self._looking = Follower(0.25)

    def __call__(self, state: State, heard: Heard, looking: float = 0.0) -> Weights:
        """One frame on -> (52,); brows go up and down with a gaze that is ``looking`` so many degrees up."""
        if self._random.random() < _PER_SECOND[state] / FPS:
            size = self._random.lognormal(-0.1, 0.4)
            which = int(self._random.integers(0, len(_PASSING)))
            rise, fall = self._random.uniform(0.2, 0.5), self._random.uniform(0.5, 1.4)
            self._passing[which].add(size, rise, fall)
        if heard.accent and self._random.random() < 0.5:
            self._accents.add(heard.accent * self._random.uniform(0.4, 1.2), 0.16, self._random.uniform(0.25, 0.5))
        if heard.started and self._random.random() < 0.5:
            self._accents.add(self._random.uniform(0.2, 0.6), 0.2, 0.7)
        row = self._accents() * _SHIFTS
        for pulses, weights in zip(self._passing, _PASSING, strict=True):
            row = row + pulses() * weights
        brows, eyes = (self._drift(self._random.standard_normal(4)) @ _DRIFT).tolist()
        row = row + brows * _BROWS_UP if brows > 0 else row - brows * _BROWS_DOWN
        row = row + self._looking(looking) * _WITH_GAZE
        return (row + abs(eyes) * _EYES).astype(np.float32)


_BROWS_UP = shapes(browInnerUp=0.08, browOuterUp=0.06)
_BROWS_DOWN = shapes(browDown=0.08)
_EYES = shapes(eyeSquint=0.03, cheekSquint=0.02)
_WITH_GAZE = shapes(browInnerUp=0.035, browOuterUp=0.03)  # for a degree up; below zero it takes from what is raised
_DRIFT = np.array([[1.0, 0.0], [0.4, 0.0], [0.0, 1.0], [0.0, 0.4]])


class Mood:
    """The emotion that is asked for, taken on and put off within about a second.

    ``speech`` (52,) are the shares of what a sound asks of the mouth, in the mood of the last frame.
    """

    def __init__(self) -> None:
        self.speech = SPEECH["neutral"]
        self._share: dict[Emotion, Follower] = {emotion: Follower(0.7) for emotion in EMOTION_NAMES}

    def __call__(self, emotion: Emotion, strength: float) -> tuple[Weights, Bearing]:
        """One frame on -> (52,) weights, and where head and eyes turn."""
        row = np.zeros(52, np.float32)
        turn = np.zeros(5)
        speech = SPEECH["neutral"].copy()
        for name, share in self._share.items():
            part = share(strength if name == emotion else 0.0)
            if part > 1e-3:
                row += np.float32(part) * EMOTIONS[name]
                turn += part * np.array(BEARINGS[name])
                speech += np.float32(min(1.0, part)) * (SPEECH[name] - 1)
        self.speech = speech
        return row, Bearing(*turn.tolist())
