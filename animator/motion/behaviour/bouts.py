"""Facial gestures that go with speaking and listening: smiles, raised brows, frowns, squints, pressed lips, swallows.

They come in bouts, on top of what a behaviour does by itself. How often, how long and how far is that of people who
talk, as a tracker sees them in video: see `animator/evaluate/people.toml`.
"""

import numpy as np

from animator.control import Control, Emotion, State
from animator.motion.behaviour.emotions import LOOKS, Temper, Weights, shapes
from animator.motion.rows.filters import Follower, Pulses, Resonators, Row, soft_limit
from animator.motion.rows.space import ARKIT
from animator.motion.voice.mouth_net import CHANNELS, MouthRow
from animator.motion.voice.prosody import Heard
from animator.motion.voice.voices import Other, Own
from animator.units import FPS

_SMILE = shapes(mouthSmile=1.0, cheekSquint=0.6, mouthDimple=0.2, eyeSquint=0.3)
_LIFTED_LIP = shapes(mouthUpperUp=1.25, mouthLowerDown=0.2)  # what it lifts in speech
_BROW_RAISE = shapes(browInnerUp=1.05, browOuterUp=1.0)
_FROWN = shapes(browDown=0.2, eyeSquint=0.2, noseSneer=0.1)
_SQUINT = shapes(eyeSquint=0.7, cheekSquint=0.35)
_PRESS = shapes(mouthPress=0.6, mouthRollLower=0.35, mouthRollUpper=0.25, mouthDimple=0.15)
_SWALLOW = shapes(mouthPress=0.4, mouthShrugLower=0.4, mouthRollLower=0.2, jawForward=0.1)
_SIDE_SIGNS = np.array([name.endswith("Left") * 1.0 - name.endswith("Right") for name in ARKIT])  # left 1, right -1

_STATE_WARMTH: dict[State, float] = {"speaking": 0.0, "listening": -0.3, "thinking": -0.9, "idle": -0.8}
_SPREADING_SHAPES = ("mouthStretch", "mouthSmile", "mouthDimple")
_ROUNDING_SHAPES = ("mouthFunnel", "mouthPucker")
_WIDENING = np.array([(name in _SPREADING_SHAPES) - 0.7 * (name in _ROUNDING_SHAPES) for name in CHANNELS])
_MELODY_S = 2.5  # for which a lively melody makes a voice a warm one
_HOLD_S = 0.05, 0.35  # for which brows stay up
_REST_S = 3.0  # after which brows rise again as readily as ever
_SHUTTING, _BLINK_FALL_S = 0.4, 0.24  # the blink from which brows that are raised fall, and in what time
_RAISES_PER_MINUTE = 8.0  # a minute at most, of no cause that is heard
_FROWNS_PER_MINUTE, _SQUINTS_PER_MINUTE, _SWALLOWS_PER_MINUTE = 4.0, 8.0, 2.0  # a minute


class Bouts:
    """Gestures of one face, with a manner of its own: how warm it is, how lively its brows, which side it favours."""

    def __init__(self, random: np.random.Generator) -> None:
        streams = random.spawn(4)
        self._smiles, self._brows = _Smiles(streams[0]), _Brows(streams[1])
        self._passing, self._lips = _Passing(streams[2]), _Lips(streams[3])
        self._awake = Follower(1.0)  # a session starts with the face of the picture

    def __call__(self, own: Own, other: Other, control: Control, blink: float) -> Weights:
        """One frame on -> (52,). ``blink``: how far a blink shuts the lids in it, 0 to 1."""
        listening = control.state == "listening"
        temper = _tempered(control.emotion, control.emotion_strength)
        heard = other.prosody if listening else own.prosody
        row = self._smiles(own, heard, control.state, temper) + self._brows(heard, temper, blink)
        row = row + self._passing(own.prosody.talking, temper)
        return (self._awake(1.0) * (row + self._lips(own.prosody))).astype(np.float32)


def _tempered(emotion: Emotion, strength: float) -> Temper:
    full, share = LOOKS[emotion].temper, min(1.0, strength)
    return Temper(share * full.warmth, *(1 + share * (size - 1) for size in (full.smiles, full.raises, full.frowns)))


class _Smiles:
    """Half a smile most of the time that is spoken, whole ones now and then. Sounds that spread the lips, loud ones and
    a lively melody widen it."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._warm, self._favours = random.normal(0, 0.25), random.normal(0, 0.08)
        self._noise, self._slant = Resonators([0.2, 0.45]), Resonators([0.15])
        self._ends, self._melody = Pulses(), 0.0
        self._voice, self._wide, self._loud = Follower(0.3), Follower(0.3), Follower(0.4, 0.5)
        self._temper = Follower(0.7), Follower(0.7, 1.0)

    def __call__(self, own: Own, heard: Heard, state: State, temper: Temper) -> Row:
        if heard.ended and self._random.random() < 0.3:
            self._ends.add(self._random.uniform(0.5, 1.2), 0.3, self._random.uniform(0.6, 1.5))
        voice = self._voice(float(own.prosody.talking))
        slow, fast = self._noise(self._random.standard_normal(2)).tolist()
        wide = self._wide(voice * _widened(own.mouth))
        self._melody += heard.lift - self._melody / (_MELODY_S * FPS)
        lively = voice * (0.7 * (self._loud(heard.loudness) - 0.5) + 0.4 * min(1.0, 0.5 * self._melody) - 0.2)
        warm = self._warm + self._temper[0](_STATE_WARMTH[state] + temper.warmth) + self._ends()
        drive = warm + 0.55 * slow + (0.3 + 0.4 * voice) * fast + wide + lively
        size = soft_limit(0.6 * self._temper[1](temper.smiles) * _above(drive), 1.0)
        side = self._favours + 0.12 * float(self._slant(self._random.standard_normal(1))[0])
        return size * (_SMILE + voice * _LIFTED_LIP) * (1 + side * _SIDE_SIGNS)


class _Brows:
    """They rise on what is stressed, in loudness or melody, stay up at a question, and seldom rest for long: a voice
    without stress or melody moves them, too. A blink ends what is raised, and no brow rises under shut lids."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._lively, self._favours = random.lognormal(0, 0.25), random.normal(0, 0.09)
        self._rising = Pulses()
        self._since_lift = self._since_raise = 0

    def __call__(self, heard: Heard, temper: Temper, blink: float) -> Row:
        if blink > _SHUTTING:
            self._rising.end(_BLINK_FALL_S)
        self._since_lift = 0 if heard.lift else self._since_lift + 1
        self._since_raise += 1
        rested = min(1.0, self._since_raise / (_REST_S * FPS))
        if heard.lift and self._random.random() < 0.6:
            self._raise(0.4 + heard.lift, 0.45, 0.8)
        if heard.accent and self._random.random() < 0.5 * rested:
            self._raise(0.5 + heard.accent, 0.5, 1.0)
        if heard.ended and self._since_lift < _QUESTION_FRAMES:
            self._raise(1.0, 0.7, 1.3)
        if heard.talking and self._random.random() < _RAISES_PER_MINUTE * rested / (60 * FPS):
            self._raise(1.1, 0.4, 0.9)
        size = soft_limit(self._rising(), 1.2)
        return temper.raises * size * _BROW_RAISE * (1 + self._favours * _SIDE_SIGNS)

    def _raise(self, size: float, shortest: float, longest: float) -> None:
        size *= self._lively * self._random.uniform(0.55, 1.1)
        self._since_raise = 0
        self._rising.add(size, 0.28, self._random.uniform(shortest, longest), self._random.uniform(*_HOLD_S))


class _Passing:
    """Frowns and squints."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._frown, self._squint = Pulses(), Pulses()
        self._favours = random.normal(0, 0.15)

    def __call__(self, talking: bool, temper: Temper) -> Row:
        often = (1.0 if talking else 0.5) / (60 * FPS)
        if self._random.random() < _FROWNS_PER_MINUTE * temper.frowns * often:
            self._frown.add(self._random.lognormal(-0.1, 0.35), 0.36, self._random.uniform(0.4, 0.9))
        if self._random.random() < _SQUINTS_PER_MINUTE * often:
            self._squint.add(self._random.lognormal(-0.1, 0.35), 0.3, self._random.uniform(0.5, 1.5))
        frown, squint = soft_limit(self._frown(), 1.1), soft_limit(self._squint(), 1.1)
        return (frown * _FROWN + squint * _SQUINT) * (1 + self._favours * _SIDE_SIGNS)


class _Lips:
    """Pressed after a phrase, now and then; swallowing while nothing is said."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._press, self._swallow = Pulses(), Pulses()
        self._quiet = Follower(0.2, 1.0)

    def __call__(self, heard: Heard) -> Row:
        if heard.ended and self._random.random() < 0.35:
            self._press.add(self._random.uniform(0.5, 1.1), 0.3, self._random.uniform(0.3, 0.7))
        if not heard.talking and self._random.random() < _SWALLOWS_PER_MINUTE / (60 * FPS):
            self._swallow.add(self._random.uniform(0.7, 1.1), 0.35, 0.5)
        quiet = self._quiet(float(not heard.talking))
        return quiet * (self._press() * _PRESS + self._swallow() * _SWALLOW)


def _above(drive: float) -> float:
    """``drive`` where it is well above zero, zero where it is well below."""
    return float(np.logaddexp(0.0, 4 * drive)) / 4


def _widened(mouth: MouthRow) -> float:
    """How much a sound spreads the lips, -1 to 1; rounded ones below zero."""
    return float(np.tanh(4 * (mouth @ _WIDENING)))


_QUESTION_FRAMES = 10  # frames from the last peak of the melody to the end of a phrase: it ended high
