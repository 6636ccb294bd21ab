"""Gaze (fixations, saccades, microsaccades) and blinks, with the statistics of people."""

import math
from dataclasses import dataclass

import numpy as np

from animator.control import State
from animator.motion.rows.filters import Follower
from animator.motion.voice.prosody import Heard
from animator.units import FPS


@dataclass(frozen=True, slots=True)
class Manner:
    """How one state looks: seconds on the user and away, degrees away, blinks a minute besides those below."""

    contact_s: float
    away_s: float
    away: float
    up: float  # degrees, mean of the vertical part of an averted gaze
    blinks: float
    down: float  # share of averted gazes that are glances at what lies below


_MANNERS: dict[State, Manner] = {
    "speaking": Manner(2.7, 2.4, 8.0, -0.5, 18.0, 0.14),
    "listening": Manner(4.6, 1.4, 6.0, -1.0, 15.0, 0.1),
    "thinking": Manner(1.3, 2.4, 10.0, 4.0, 11.0, 0.1),
    "idle": Manner(3.2, 2.4, 7.0, -1.5, 14.0, 0.15),
}
_LIMIT_YAW, _LIMIT_PITCH = 18.0, 11.0
_GLANCE_PITCH, _GLANCE_S = (-8.0, 1.5), (0.4, 1.2)  # a glance below: degrees up, mean and spread; how long
_INTERVAL_SPREAD = 0.75  # sd of the logarithm of the time between blinks


class Gaze:
    """Where the eyes look, in degrees: 0, 0 is the user. Fixations, saccades of a frame or two, and microsaccades."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._goal = (0.0, 0.0)
        self._at = [0.0, 0.0]
        self._small = [0.0, 0.0]
        self._away = False
        self._left = random.uniform(0.5, 2.0)
        self._state: State = "idle"
        self.shifted = False

    def __call__(self, state: State, heard: Heard, other: Heard) -> tuple[float, float]:
        """One frame on, of the own voice and the other's -> yaw, pitch. `shifted` tells whether a shift of more than 3
        degrees starts here."""
        manner = _MANNERS[state]
        self.shifted = False
        self._react(state, heard)
        if state == "listening" and other.started:
            self._attend()
        self._left -= 1 / FPS
        if self._left <= 0:
            again = state == "thinking" and self._away and self._random.random() < 0.3
            self._look(manner, away=again or not self._away)
        self._tremble()
        for axis in range(2):
            self._at[axis] += (self._goal[axis] - self._at[axis]) * 0.78
        return self._at[0] + self._small[0], self._at[1] + self._small[1]

    def _react(self, state: State, heard: Heard) -> None:
        """Turns of the conversation: avert when a turn or a thought starts, look back when it ends."""
        if state != self._state:
            self._state = state
            self._left = min(self._left, self._random.uniform(0.12, 0.45))
            self._away = state == "listening" or (state in ("idle", "speaking") and self._random.random() < 0.35)
        if heard.ended and self._away and self._random.random() < 0.6:
            self._left = min(self._left, self._random.uniform(0.04, 0.3))
        if heard.started and not self._away and self._random.random() < 0.35:
            self._left = min(self._left, self._random.uniform(0.0, 0.3))

    def _attend(self) -> None:
        """Somebody begins to speak: look there, and stay."""
        if self._away:
            self._left = min(self._left, self._random.uniform(0.12, 0.3))
        else:
            self._left = max(self._left, self._random.uniform(1.0, 2.5))

    def _look(self, manner: Manner, away: bool) -> None:
        self._away = away
        self._left = (manner.away_s if away else manner.contact_s) * self._random.lognormal(-0.15, 0.55)
        goal = (self._random.normal(0, 0.6), self._random.normal(-0.3, 0.5))
        if away:
            side = math.copysign(1.0, self._random.normal(0.2 if self._goal[0] < 0 else -0.2, 1.0))
            yaw = side * manner.away * self._random.lognormal(-0.05, 0.35)
            pitch = self._random.normal(manner.up, 2.8)
            if self._random.random() < manner.down:
                yaw, pitch = 0.5 * yaw, self._random.normal(*_GLANCE_PITCH)
                self._left = self._random.uniform(*_GLANCE_S)
            goal = (max(-_LIMIT_YAW, min(_LIMIT_YAW, yaw)), max(-_LIMIT_PITCH, min(_LIMIT_PITCH, pitch)))
        self.shifted = math.hypot(goal[0] - self._goal[0], goal[1] - self._goal[1]) > 3.0
        self._goal = goal

    def _tremble(self) -> None:
        """Microsaccades about once a second, and slow drift between them."""
        for axis in range(2):
            self._small[axis] = 0.985 * self._small[axis] + self._random.normal(0, 0.015)
        if self._random.random() < 1.1 / FPS:
            self._small = [float(v) for v in self._random.normal(0, 0.28, 2)]


class Blinks:
    """The upper lids: 0 open, 1 closed."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._left = random.uniform(0.4, 2.5)
        self._frames: list[float] = []
        self._rate = 14.0

    def __call__(self, state: State, heard: Heard, shifted: bool) -> float:
        """One frame on. A shift of gaze and the end of a phrase are often blinked away."""
        self._left *= self._rate / _MANNERS[state].blinks
        self._rate = _MANNERS[state].blinks
        self._left -= 1 / FPS
        wanted = (shifted and self._random.random() < 0.28) or (heard.ended and self._random.random() < 0.35)
        if not self._frames and (self._left <= 0 or wanted):
            self._blink()
        return self._frames.pop(0) if self._frames else 0.0

    def _blink(self) -> None:
        """Closing in 80 ms, closed for one frame or two, opening in 160 to 200 ms; seldom only half."""
        mean = 60 / self._rate
        self._left = 0.3 + (mean - 0.3) * self._random.lognormal(-(_INTERVAL_SPREAD**2) / 2, _INTERVAL_SPREAD)
        depth = self._random.uniform(0.4, 0.65) if self._random.random() < 0.06 else 1.0
        opening = int(self._random.integers(4, 6))
        closed = [1.0] * (2 if self._random.random() < 0.7 else 1)
        ease = [0.5 * (1 + math.cos(math.pi * (i + 0.6) / (opening + 0.6))) for i in range(opening)]
        first = self._random.uniform(0.45, 0.65)
        self._frames = [depth * value for value in [first, *closed, *ease]]


class Aim:
    """The user's wish where to look, taken over like a slow saccade."""

    def __init__(self) -> None:
        self._axes = (Follower(0.12), Follower(0.12))

    def __call__(self, yaw: float, pitch: float) -> tuple[float, float]:
        """One frame on, in degrees."""
        return self._axes[0](yaw), self._axes[1](pitch)
