"""Conditions of the motion network: one vector of what it is given for a frame besides the preceding motion.

The vector consists of groups (the own voice, the other's voice, emotion, gaze, distance), a flag for each of these
(`KNOWN_SLICE`), the state, and the time since the last blink. A group that is not known (dropped in training, or for
guidance) is all zeros, and so is its flag.
"""

import numpy as np
from numpy.typing import NDArray

from animator.control import STATES, Emotion, State
from animator.media.mel import MELS
from animator.motion.voice.mouth_net import CHANNELS, HIDDEN_SIZE
from animator.motion.voice.prosody import Heard
from animator.motion.voice.voices import Other, Own

Floats = NDArray[np.float32]

OTHER_BANDS = 16  # frequency bands of the other's voice
SOUND_SIZE = 2 * HIDDEN_SIZE + len(CHANNELS)  # the mouth network's features and mouth for a frame of sound
_PROSODY_SIZE = 5  # see `heard_row`
EMOTIONS: tuple[Emotion, ...] = (  # in the order in which networks learned them; any other is neutral to them
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
_LONGEST_BLINK_GAP = 8.0  # seconds since a blink; longer gaps count as this


def heard_row(heard: Heard) -> Floats:
    """(5,) prosody: talking, loudness, accent, whether a phrase started, whether a phrase ended."""
    return np.array([heard.talking, heard.loudness, heard.accent, heard.started, heard.ended], np.float32)


def own_row(own: Own) -> Floats:
    """(SOUND_SIZE + 5,): what is known of the face's own voice."""
    return np.concatenate([own.heard, own.mouth, heard_row(own.prosody)])


def other_row(other: Other) -> Floats:
    """(OTHER_BANDS + 5,): what is known of the voice of the person to whom the face listens."""
    bands = other.features.mean(axis=0).reshape(OTHER_BANDS, MELS // OTHER_BANDS).mean(axis=1)
    return np.concatenate([bands, heard_row(other.prosody)]).astype(np.float32)


def emotion_row(emotion: Emotion, strength: float) -> Floats:
    """(len(EMOTIONS),): ``strength`` at that emotion, else 0."""
    return np.array([strength * (name == emotion) for name in EMOTIONS], np.float32)


def gaze_row(yaw_deg: float, pitch_deg: float) -> Floats:
    return np.array([yaw_deg, pitch_deg], np.float32) / _FULL_GAZE


def distance_row(distance: float) -> Floats:
    return np.array([(distance - 1) / _FULL_DISTANCE], np.float32)


def since_blink(seconds: float) -> float:
    """The ``seconds`` since the lids last opened, scaled to 0 to 1 as the network takes them."""
    return min(seconds, _LONGEST_BLINK_GAP) / _LONGEST_BLINK_GAP


def condition(groups: dict[str, Floats], state: State, blink_s: float) -> Floats:
    """(SIZE,): the conditions of one frame; groups that are missing from ``groups`` are marked as unknown."""
    row = np.zeros(SIZE, np.float32)
    for number, name in enumerate(GROUPS):
        if name in groups:
            row[GROUP_SLICES[name]] = groups[name]
            row[KNOWN_SLICE.start + number] = 1.0
    row[STATE_SLICE.start + STATES.index(state)] = 1.0
    row[SINCE_BLINK_AT] = since_blink(blink_s)
    return row


def without(rows: Floats, name: str) -> Floats:
    """A copy of ``rows`` (..., SIZE) in which the group ``name`` is unknown."""
    rows = rows.copy()
    rows[..., GROUP_SLICES[name]] = 0.0
    rows[..., KNOWN_SLICE.start + GROUPS.index(name)] = 0.0
    return rows
