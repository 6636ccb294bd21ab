"""Small dynamic systems, stepped once a frame, from which the behaviours are made."""

import math

import numpy as np
from numpy.typing import NDArray

from animator.units import FPS

Row = NDArray[np.float64]
_CATCH_UP_SHARE = 0.25  # of what a steady point is behind by, a frame


class Follower:
    """A value that follows its goal like a critically damped spring: smooth in place and in speed."""

    def __init__(self, seconds: float, value: float = 0.0) -> None:
        """``seconds`` is the time in which about 75 % of a step are covered."""
        self._pull = 2.7 / (seconds * FPS)
        self.value = value
        self.speed = 0.0

    def __call__(self, goal: float) -> float:
        """One frame on (exact for a constant goal)."""
        decay = math.exp(-self._pull)
        away = self.value - goal
        drift = self.speed + self._pull * away
        self.value = goal + (away + drift) * decay
        self.speed = (self.speed - self._pull * drift) * decay
        return self.value


class Steady:
    """A point that follows its goal exactly on a steady path, but never fast or abruptly.

    It lags where the path is too fast or turns too sharply, and catches up within about half a second.
    """

    def __init__(self, size: int, speed: tuple[float, float], turn: tuple[float, float]) -> None:
        """``speed``: lengths of a step, up to which the point follows exactly, and which is never passed; ``turn``: the
        same of the change from one step to the next. The point has ``size`` numbers and starts at zero, at rest."""
        self._speed, self._turn = speed, turn
        self._goal, self.value, self._step = np.zeros(size), np.zeros(size), np.zeros(size)

    def __call__(self, goal: Row) -> Row:
        """(size,), one frame on -> (size,)."""
        wanted = _shortened(goal - self._goal + _CATCH_UP_SHARE * (self._goal - self.value), *self._speed)
        self._step = self._step + _shortened(wanted - self._step, *self._turn)  # between two short steps: short
        self._goal = goal
        self.value = self.value + self._step
        return self.value


def _shortened(way: Row, free: float, limit: float) -> Row:
    length = float(np.linalg.norm(way))
    if length <= free:
        return way
    room = limit - free
    return way * ((free + room * math.tanh((length - free) / room)) / length)


class Resonators:
    """Independent band-limited noises: damped springs driven by white noise.

    They start at rest and come to unit variance.
    """

    def __init__(self, hertz: list[float], damping: float = 0.5) -> None:
        omega = 2 * np.pi * np.array(hertz) / FPS
        radius = np.exp(-damping * omega)
        self._a1 = 2 * radius * np.cos(omega * math.sqrt(1 - damping**2))
        self._a2 = -(radius**2)
        self._drive = np.sqrt((1 + self._a2) * ((1 - self._a2) ** 2 - self._a1**2) / (1 - self._a2))
        self._now = np.zeros(len(hertz))
        self._before = np.zeros(len(hertz))

    def __call__(self, white: Row) -> Row:
        """(n,) of normal noise (times how active to be) -> (n,)."""
        following = self._a1 * self._now + self._a2 * self._before + self._drive * white
        self._before, self._now = self._now, following
        return following


class Pulses:
    """Gestures that come and go as a raised cosine, added up."""

    def __init__(self) -> None:
        self._running: list[tuple[float, float, float, float, int]] = []  # value, rise, hold, fall (frames), age

    def add(self, value: float, rise_s: float, fall_s: float, hold_s: float = 0.0) -> None:
        """A gesture of height ``value`` that starts now, and keeps that height for ``hold_s``."""
        self._running.append((value, max(1.0, rise_s * FPS), hold_s * FPS, max(1.0, fall_s * FPS), 0))

    def end(self, fall_s: float) -> None:
        """What still rises or stays begins to fall, from where it is; what falls goes on, and all is over in
        ``fall_s``."""
        fall = max(1.0, fall_s * FPS)
        self._running = [
            (value, 1.0, 0.0, fall, 1 + round((1 - _part(rise, hold, last, age)) * fall))
            for value, rise, hold, last, age in self._running
        ]

    def __call__(self) -> float:
        """The sum one frame on."""
        total = 0.0
        kept: list[tuple[float, float, float, float, int]] = []
        for value, rise, hold, fall, age in self._running:
            age += 1
            part = _part(rise, hold, fall, age)
            if part > 0:
                total += value * 0.5 * (1 - math.cos(math.pi * part))
                kept.append((value, rise, hold, fall, age))
        self._running = kept
        return total


def _part(rise: float, hold: float, fall: float, age: int) -> float:
    """How much of a gesture there is, ``age`` frames after it began: linear up and down."""
    return min(age / rise, 1.0, 1 - (age - rise - hold) / fall)


def soft_limit(value: float, limit: float) -> float:
    """``value`` itself well inside +-``limit``, never beyond it."""
    return value / (1 + abs(value / limit) ** 4) ** 0.25


def smoothstep(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """0 up to 0, 1 from 1, and smooth in between, element by element."""
    share = np.clip(values, 0, 1)
    return share * share * (3 - 2 * share)
