"""What each emotion does to a face: a table with one row an emotion, read by all that moves or draws faces."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animator.control import Emotion
from animator.motion.rows.space import INDEX

Weights = NDArray[np.float32]  # (52,), by ARKit's shapes


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


@dataclass(frozen=True, slots=True)
class Temper:
    """How an emotion changes what passes over a face: the mean of the smile's drive, and shares of the usual size of
    smiles and raised brows and of the usual number of frowns."""

    warmth: float = 0.0
    smiles: float = 1.0
    raises: float = 1.0
    frowns: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One emotion at full strength.

    Attributes:
        face: weights that are added to the face's own.
        speech: what is added to one as the share of what a sound asks of the mouth: -0.3 moves a shape 30 % less.
        bearing: how head and eyes turn.
        liveliness: size of what the face does by itself, relative to a neutral one.
        pace: speed of the head, relative to a neutral one.
        temper: what it does to smiles, brows and frowns that pass.
        shuts: how far a face that does not speak shuts lips which its picture parts, 0 to 1.
    """

    face: Weights = field(default_factory=shapes)
    speech: Weights = field(default_factory=shapes)
    bearing: Bearing = Bearing()
    liveliness: float = 1.0
    pace: float = 1.0
    temper: Temper = Temper()
    shuts: float = 0.0


# Angry lips are tense and square when they speak, sad ones hardly move.
LOOKS: dict[Emotion, Look] = {
    "neutral": Look(),
    "happy": Look(
        face=shapes(mouthSmile=0.74, cheekSquint=0.60, eyeSquint=0.22, mouthDimple=0.12, browOuterUp=0.08,
                    mouthUpperUp=0.10),
        speech=shapes(jawOpen=0.08, mouthSmile=0.5, mouthStretch=0.25, mouthDimple=0.3, mouthUpperUp=0.35,
                      mouthPucker=-0.2, mouthFunnel=-0.2),
        bearing=Bearing(pitch=1.5, roll=-1.0), liveliness=1.15, pace=1.1,
        temper=Temper(smiles=0.3, raises=1.1, frowns=0.2),
    ),
    "sad": Look(
        face=shapes(browInnerUp=0.80, browDown=0.10, mouthFrown=0.75, mouthShrugLower=0.30, mouthPress=0.10,
                    eyeBlink=0.20, eyeSquint=0.10),
        speech=shapes(jawOpen=-0.29, mouthSmile=-0.8, mouthStretch=-0.5, mouthUpperUp=-0.5, mouthLowerDown=-0.35,
                      mouthPucker=-0.15, mouthFunnel=-0.2, mouthShrugLower=0.6),
        bearing=Bearing(-1.0, -4.0, 2.0, 0.0, -4.0), liveliness=0.65, pace=0.6,
        temper=Temper(-1.2, smiles=0.5, raises=0.5), shuts=0.95,
    ),
    "angry": Look(
        face=shapes(browDown=1.10, eyeSquint=0.45, eyeWide=0.15, noseSneer=0.30, mouthPress=0.40, mouthFrown=0.40,
                    mouthRollLower=0.15, jawForward=0.20),
        speech=shapes(jawOpen=0.15, mouthSmile=-0.8, mouthStretch=1.0, mouthUpperUp=0.4, mouthLowerDown=0.8,
                      mouthPucker=-0.25, mouthPress=0.6, mouthRollLower=0.3),
        bearing=Bearing(pitch=-3.0), liveliness=1.15, pace=1.4,
        temper=Temper(-1.5, smiles=0.5, raises=0.25, frowns=4.0), shuts=0.95,
    ),
    "surprised": Look(
        face=shapes(browInnerUp=0.62, browOuterUp=0.66, eyeWide=0.85, jawOpen=0.26, mouthFunnel=0.12),
        speech=shapes(jawOpen=0.15, mouthSmile=-0.4, mouthStretch=-0.2, mouthFunnel=0.25, mouthPucker=0.15),
        bearing=Bearing(pitch=2.0), liveliness=1.1, pace=1.1, temper=Temper(smiles=0.7, raises=0.5, frowns=0.2),
    ),
    "afraid": Look(
        face=shapes(browInnerUp=0.70, browOuterUp=0.08, browDown=0.45, eyeWide=0.80, mouthStretch=0.70,
                    mouthFrown=0.25, mouthLowerDown=0.10, jawOpen=0.04),
        speech=shapes(jawOpen=-0.12, mouthSmile=-0.6, mouthStretch=0.5, mouthLowerDown=0.35, mouthPucker=-0.3,
                      mouthFunnel=-0.2),
        bearing=Bearing(2.0, -1.5), liveliness=1.1, pace=1.2, temper=Temper(-0.8, smiles=0.5, raises=0.5), shuts=0.5,
    ),
    "disgusted": Look(
        face=shapes(noseSneer=0.75, mouthUpperUp=0.06, browDown=0.60, eyeSquint=0.50, cheekSquint=0.20,
                    mouthFrown=0.35, mouthShrugLower=0.40, mouthShrugUpper=0.15),
        speech=shapes(jawOpen=-0.1, mouthSmile=-0.5, mouthUpperUp=0.6, mouthShrugLower=0.6, mouthPucker=-0.2),
        bearing=Bearing(4.0, 2.0, 1.5), liveliness=0.9, pace=0.9,
        temper=Temper(-1.0, smiles=0.5, raises=0.4, frowns=2.0), shuts=0.6,
    ),
    "tender": Look(
        face=shapes(mouthSmile=0.36, cheekSquint=0.25, browInnerUp=0.34, eyeBlink=0.16, eyeSquint=0.08,
                    mouthPress=0.08),
        speech=shapes(jawOpen=-0.15, mouthSmile=0.3, mouthStretch=-0.15, mouthLowerDown=-0.15, mouthPucker=0.1),
        bearing=Bearing(0.0, -1.5, 4.5), liveliness=0.8, pace=0.75,
        temper=Temper(0.2, smiles=0.6, raises=0.7, frowns=0.4), shuts=0.85,
    ),
    "thoughtful": Look(
        face=shapes(browDownLeft=0.55, browDownRight=0.25, browOuterUpRight=0.32, browInnerUp=0.10, mouthPress=0.40,
                    mouthLeft=0.28, mouthRollLower=0.15, eyeSquint=0.22, mouthShrugLower=0.20),
        speech=shapes(jawOpen=-0.18, mouthSmile=-0.3, mouthStretch=-0.2, mouthLowerDown=-0.2, mouthPucker=0.15,
                      mouthPress=0.4),
        bearing=Bearing(3.0, 2.0, -3.5, 8.0, 6.0), liveliness=0.75, pace=0.7,
        temper=Temper(-0.4, smiles=0.7, raises=0.7, frowns=2.0), shuts=0.95,
    ),
}  # fmt: skip
