"""Behaviour from processes that were fitted to published figures of real people; the motion network's teacher."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.motion.behaviour.channels import to_upper
from animator.motion.behaviour.emotions import LOOKS
from animator.motion.behaviour.expression import Expression
from animator.motion.behaviour.gaze import Blinks, Gaze
from animator.motion.behaviour.head_motion import Head
from animator.motion.rows.filters import Follower
from animator.motion.voice.voices import Other, Own

_SYMPATHY = 0.6  # of the speaker's accents is seen on a listener's brows
_GAZE_SHARE = (0.15, 0.12)  # share of a wished gaze that the head follows
_NEARNESS_POWER = 0.7  # the head moves with this power of the distance


class Processes:
    """One face's behaviour, a frame at a time; the mouth is that of the mouth network."""

    def __init__(self, random: np.random.Generator) -> None:
        streams = random.spawn(4)
        self._head, self._gaze = Head(streams[0]), Gaze(streams[1])
        self._blinks, self._expression = Blinks(streams[2]), Expression(streams[3])
        self._life, self._pace, self._near = Follower(0.7, 1.0), Follower(0.7, 1.0), Follower(0.5, 1.0)
        self._turns = Follower(0.45), Follower(0.45)

    def __call__(self, own: Own, other: Other, control: Control) -> NDArray[np.float32]:
        """(len(channels.CHANNELS),), see `animator.motion.behaviour.channels`."""
        said = own.prosody
        felt = said  # the voice that moves brows and lids
        if control.state == "listening":
            felt = replace(other.prosody, accent=_SYMPATHY * other.prosody.accent, started=False)
        look = LOOKS[control.emotion]
        life = self._life(1 + (look.liveliness - 1) * control.emotion_strength)
        gaze = self._gaze(control.state, said, other.prosody)
        pace = self._pace(1 + (look.pace - 1) * min(1.0, control.emotion_strength))
        head = life * self._near(control.distance) ** _NEARNESS_POWER * self._head(control.state, said, gaze, pace)
        for axis, wish in enumerate((control.gaze_yaw_deg, control.gaze_pitch_deg)):
            head[axis] += _GAZE_SHARE[axis] * self._turns[axis](wish)
        blink = self._blinks(control.state, felt, self._gaze.shifted)
        upper = to_upper(life * self._expression(control.state, felt, gaze[1]))
        return np.concatenate([own.mouth, upper, [blink], head, gaze]).astype(np.float32)
