"""Conditions of the motion network: what it is told about a frame besides the motion before it, as one vector.

Every group has a flag in `KNOWN_SLICE`. A group that is not known (dropped in training, or for guidance) is all zeros,
and so is its flag.
"""

import numpy as np
from numpy.typing import NDArray

from animator.control import STATES, Emotion, State
from animator.media.mel import MELS
from animator.motion.voice.mouth_net import CHANNELS, HIDDEN_SIZE
from animator.motion.voice.prosody import Heard
from animator.motion.voice.voices import Other, Own

Floats = NDArray[np.float32]

OTHER_BANDS = 16  # of the other's voice
SOUND_SIZE = 2 * HIDDEN_SIZE + len(CHANNELS)  # what the mouth network makes of a frame of sound
_PROSODY_SIZE = 5  # see `heard_row`
EMOTIONS: tuple[Emotion, ...] = (  # in the order in which networks learned them; to others a network is as to neutral
    "happy", "sad", "angry", "surprised", "afraid", "disgusted", "tender", "thoughtful",
)  # fmt: skip
_SIZES = {
    "own": SOUND_SIZE + _PROSODY_SIZE,
    "other": OTHER_BANDS + _PROSODY_SIZE,
    "emotion": len(EMOTIONS),
    "gaze": 2,
    "distance": 1,
}
GROUPS: tuple[str, ...] = tuple(_SIZES)
_ENDS = np.cumsum([0, *_SIZES.values()]).tolist()
GROUP_SLICES: dict[str, slice] = {name: slice(a, b) for name, a, b in zip(GROUPS, _ENDS, _ENDS[1:], strict=False)}
KNOWN_SLICE = slice(_ENDS[-1], _ENDS[-1] + len(GROUPS))
# The mouth as the mouth network gives it, within the group of the own voice.
MOUTH_SLICE = slice(GROUP_SLICES["own"].start + 2 * HIDDEN_SIZE, GROUP_SLICES["own"].start + SOUND_SIZE)
STATE_SLICE = slice(KNOWN_SLICE.stop, KNOWN_SLICE.stop + len(STATES))
SINCE_BLINK_AT = STATE_SLICE.stop
SIZE = SINCE_BLINK_AT + 1

_FULL_GAZE = 20.0  # degrees
_FULL_DISTANCE = 0.2
_LONGEST_BLINK_GAP = 8.0  # seconds since a blink; longer is the same


def heard_row(heard: Heard) -> Floats:
    """(5,): talking, loudness, accent, a phrase started, a phrase ended."""
    return np.array([heard.talking, heard.loudness, heard.accent, heard.started, heard.ended], np.float32)


def own_row(own: Own) -> Floats:
    """What is known of the own voice."""
    return np.concatenate([own.heard, own.mouth, heard_row(own.prosody)])


def other_row(other: Other) -> Floats:
    """What is known of the voice of the person who is listened to."""
    bands = other.features.mean(axis=0).reshape(OTHER_BANDS, MELS // OTHER_BANDS).mean(axis=1)
    return np.concatenate([bands, heard_row(other.prosody)]).astype(np.float32)


def emotion_row(emotion: Emotion, strength: float) -> Floats:
    """(len(EMOTIONS),): the strength of that emotion."""
    return np.array([strength * (name == emotion) for name in EMOTIONS], np.float32)


def gaze_row(yaw_deg: float, pitch_deg: float) -> Floats:
    return np.array([yaw_deg, pitch_deg], np.float32) / _FULL_GAZE


def distance_row(distance: float) -> Floats:
    return np.array([(distance - 1) / _FULL_DISTANCE], np.float32)


def since_blink(seconds: float) -> float:
    """How long ago the lids last opened, as the network takes it."""
    return min(seconds, _LONGEST_BLINK_GAP) / _LONGEST_BLINK_GAP


def condition(groups: dict[str, Floats], state: State, blink_s: float) -> Floats:
    """(SIZE,) of one frame; groups that are missing are unknown."""
    row = np.zeros(SIZE, np.float32)
    for number, name in enumerate(GROUPS):
        if name in groups:
            row[GROUP_SLICES[name]] = groups[name]
            row[KNOWN_SLICE.start + number] = 1.0
    row[STATE_SLICE.start + STATES.index(state)] = 1.0
    row[SINCE_BLINK_AT] = since_blink(blink_s)
    return row


def without(rows: Floats, name: str) -> Floats:
    """A copy of (..., SIZE) that does not know the group ``name``."""
    rows = rows.copy()
    rows[..., GROUP_SLICES[name]] = 0.0
    rows[..., KNOWN_SLICE.start + GROUPS.index(name)] = 0.0
    return rows
