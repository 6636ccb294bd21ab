"""Head and torso: postures, the voice's beats, nods, and noise with the spectrum of real heads.

The shares of angular speed per band, the spread of the angles and the speed of change are those published for people
who speak and who listen (and measured on VASA-1's clips): see `_BANDS_HZ` and `_MANNERS`.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.control import State
from animator.motion.rows.filters import Follower, Pulses, Resonators, Row, Steady, soft_limit
from animator.motion.voice.prosody import Heard
from animator.units import FPS

_BANDS_HZ = (0.22, 0.62, 1.15, 2.2)  # Hz
_YAW_SPREAD = (3.60, 1.90, 1.05, 0.24)  # degrees of standard deviation per band
_PITCH_SPREAD = (3.50, 1.75, 0.85, 0.15)
_ROLL_SPREAD = (2.70, 1.50, 0.80, 0.20)
# Face widths of standard deviation in the first two bands.
_SHIFT_X_SPREAD, _SHIFT_Y_SPREAD, _SHIFT_Z_SPREAD = (0.016, 0.005), (0.010, 0.003), (0.014, 0.004)
_ANGLE_LIMITS = (10.0, 8.0, 8.0)  # degrees
_NOD_SHARE = 0.75  # of the phrases that a listener hears end
_REACTION_S = (0.1, 0.6)
_POSTURE_S = 0.9  # in which most of the way to another posture is gone
# The last phrase of a turn is told when its end is known
_ATTENTIVE_STATES: tuple[State, ...] = ("listening", "thinking")
_SPEED_LIMITS = (1.9, 2.4)  # degrees a frame: what is exceeded in a frame of a hundred, and what no head does who talks
_TURN_LIMITS = (0.9, 1.2)  # the same of their change from frame to frame
_TORSO_SHARE, _TORSO_LAG_S = 0.25, 0.22
_BREATH_HZ, _BREATH_HEIGHT = 0.27, 0.0045  # face widths


@dataclass(frozen=True, slots=True)
class Manner:
    """How one state moves: share of the noise, seconds between postures, their size in degrees."""

    activity: float
    posture_s: float
    posture: float


_MANNERS: dict[State, Manner] = {
    "speaking": Manner(1.2, 2.6, 2.0),
    "listening": Manner(0.34, 5.0, 1.6),
    "thinking": Manner(0.40, 3.5, 2.6),
    "idle": Manner(0.28, 6.0, 2.0),
}


class Head:
    """Six numbers of the head, a frame at a time."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._noise = Resonators([*_BANDS_HZ * 3, *_BANDS_HZ[:2] * 3])
        self._activity = Follower(0.6, 0.3)
        self._burst = Resonators([0.35])
        self._posture = [Follower(_POSTURE_S) for _ in range(3)]
        self._goal = [0.0, 0.0, 0.0]
        self._until_posture = 0.0
        self._beats = [Pulses() for _ in range(3)]
        self._looking: deque[tuple[float, float]] = deque([(0.0, 0.0)] * 4, maxlen=4)
        self._following = [Follower(0.3), Follower(0.3)]
        self._state: State = "idle"
        self._last = np.zeros((2, 6))

    def __call__(self, state: State, heard: Heard, gaze: tuple[float, float], pace: float = 1.0) -> NDArray[np.float32]:
        """One frame: yaw, pitch, roll (degrees), x, y, z (face widths). ``pace``: how quick it moves, 1 as a rule."""
        manner = _MANNERS[state]
        self._change(state)
        self._hold_posture(manner)
        self._beat(heard, pace)
        noise = self._drift(manner, heard, pace)
        for axis in range(3):
            noise[axis] += self._beats[axis]()
        smooth = 0.25 * self._last[0] + 0.5 * self._last[1] + 0.25 * noise  # real heads have next to nothing over 4 Hz
        self._last = np.stack([self._last[1], noise])
        angles = [float(smooth[a]) + self._posture[a](self._goal[a]) for a in range(3)]
        follow = [self._following[a](self._looking[0][a]) for a in range(2)]
        self._looking.append((0.28 * gaze[0], 0.22 * gaze[1]))
        angles[0] += follow[0]
        angles[1] += follow[1]
        angles[2] -= 0.12 * angles[0]
        yaw, pitch, roll = (soft_limit(angle, limit) for angle, limit in zip(angles, _ANGLE_LIMITS, strict=True))
        x = float(smooth[3]) + 0.003 * roll + 0.0015 * yaw
        y = float(smooth[4]) + 0.0032 * pitch
        z = float(smooth[5]) - 0.002 * pitch
        return np.array([yaw, pitch, roll, x, y, z], np.float32)

    def _change(self, state: State) -> None:
        if state == self._state:
            return
        self._state = state
        self._until_posture = min(self._until_posture, self._random.uniform(0.1, 0.5))

    def _hold_posture(self, manner: Manner) -> None:
        self._until_posture -= 1 / FPS
        if self._until_posture > 0:
            return
        self._until_posture = manner.posture_s * self._random.lognormal(-0.18, 0.6)
        tilt = self._random.normal(0, manner.posture, 3)
        self._goal = [1.15 * float(tilt[0]), 1.0 * float(tilt[1]) - 0.4, 0.8 * float(tilt[2])]

    def _beat(self, heard: Heard, pace: float) -> None:
        """Stressed syllables push the head, mostly down; phrases end with a small settling nod."""
        if heard.accent and self._random.random() < 0.75:
            size = heard.accent * self._random.lognormal(0, 0.35)
            rise, fall = self._random.uniform(0.24, 0.36) / pace, self._random.uniform(0.5, 0.9) / pace
            self._beats[1].add(-2.3 * size if self._random.random() < 0.8 else 1.6 * size, rise, fall)
            self._beats[0].add(self._random.normal(0, 1.3) * size, rise, fall)
            self._beats[2].add(self._random.normal(0, 0.9) * size, rise, fall)
        if heard.ended and self._random.random() < 0.5:
            self._beats[1].add(-self._random.uniform(1.0, 2.5), 0.2, 0.45)
        if heard.started and self._random.random() < 0.6:
            self._beats[1].add(self._random.uniform(0.6, 1.8), 0.16, 0.6)

    def _drift(self, manner: Manner, heard: Heard, pace: float) -> Row:
        """The noise of yaw, pitch, roll, x, y, z; livelier in some moments, and while the voice is up."""
        voice = 0.85 + 0.3 * heard.loudness if heard.talking else 0.85
        burst = math.exp(0.35 * float(self._burst(self._random.standard_normal(1))[0]))
        active = self._activity(manner.activity) * voice * burst
        parts = self._noise(self._random.standard_normal(18) * active)
        return (parts * _NOISE_SPREAD * pace**_PACE_POWERS) @ _NOISE_MIX


class Nods:
    """Those of a listener at the ends of the other's phrases, on top of what the head does by itself."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._down = Pulses()
        self._waiting: list[tuple[int, float, float]] = []  # frames to wait, degrees, seconds down

    def __call__(self, state: State, other: Heard) -> NDArray[np.float64]:
        """One frame, as `Head`. That a phrase has ended takes 0.3 s to tell: the nods begin 0.4 to 0.9 s after it."""
        if other.ended and state in _ATTENTIVE_STATES and self._random.random() < _NOD_SHARE:
            self._begin()
        self._waiting = [(frames - 1, degrees, down) for frames, degrees, down in self._waiting]
        for frames, degrees, down in self._waiting:
            if frames < 0:
                self._down.add(-degrees, down, down)
        self._waiting = [nod for nod in self._waiting if nod[0] >= 0]
        return self._down() * _NOD_DIRECTION

    def _begin(self) -> None:
        """Two or three at 2 to 3 Hz, 3 to 6 degrees and less each time."""
        wait, hertz = self._random.uniform(*_REACTION_S) * FPS, self._random.uniform(2.0, 3.0)
        degrees = self._random.uniform(3.0, 6.0)
        self._waiting = [
            (round(wait + i * FPS / hertz), degrees * 0.65**i, 0.45 / hertz)
            for i in range(int(self._random.integers(2, 4)))
        ]


def steady_head() -> Steady:
    """Keeps three angles, whatever adds up in them, from turning faster than a head does."""
    return Steady(3, _SPEED_LIMITS, _TURN_LIMITS)


class Torso:
    """What carries the head: it follows late, and breathes."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._lagging = [Follower(_TORSO_LAG_S * 1.6), Follower(_TORSO_LAG_S * 1.6)]
        self._breath = -0.5 * math.pi  # about to breathe in

    def __call__(self, x: float, y: float, talking: bool) -> tuple[float, float]:
        """One frame: where the torso is, right and up, for a head at ``x`` and ``y`` (face widths).

        While talking it breathes quickly in and slowly out.
        """
        inhaling = math.sin(self._breath) < 0
        pace = (0.75 if not inhaling else 1.8) if talking else 1.0
        self._breath += 2 * math.pi * _BREATH_HZ / FPS * pace * self._random.uniform(0.8, 1.2)
        follow = [self._lagging[0](_TORSO_SHARE * x), self._lagging[1](_TORSO_SHARE * y)]
        return follow[0], follow[1] + _BREATH_HEIGHT * math.cos(self._breath)


_NOISE_SPREAD = np.array(
    [*_YAW_SPREAD, *_PITCH_SPREAD, *_ROLL_SPREAD, *_SHIFT_X_SPREAD, *_SHIFT_Y_SPREAD, *_SHIFT_Z_SPREAD]
)
_PACE_POWERS = np.array([*(-0.6, 0.0, 1.0, 2.0) * 3, *(-0.6, 0.0) * 3])  # a quick head has less of the slow noise
_NOISE_MIX = np.repeat(np.eye(6), [4, 4, 4, 2, 2, 2], axis=0)
_NOD_DIRECTION = np.array([0.0, 1.0, 0.0, 0.0, 0.0032, -0.002])  # yaw, pitch, roll, x, y, z for each degree of a nod
