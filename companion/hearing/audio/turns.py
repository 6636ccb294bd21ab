"""When a user's turn starts and stops: arithmetic on seconds and probabilities, no clock and no sound."""

from dataclasses import dataclass
from enum import Enum

HYSTERESIS = 0.15  # speech goes on until the probability is this far below the threshold


@dataclass(frozen=True, slots=True)
class Patience:
    """The silence that ends a turn, in seconds: ``least`` if its speaker is surely done, ``most`` if surely not."""

    least: float
    most: float

    def silence(self, done: float) -> float:
        """Between the two, for a speaker who is done with probability ``done``: doubt costs more than haste gains."""
        return self.least * (self.most / self.least) ** (1.0 - done)


@dataclass(frozen=True, slots=True)
class Rules:
    """``threshold`` is a probability, all others are seconds. ``silence`` ends a turn of which nothing else is known,
    and every turn if there is no ``patience``."""

    threshold: float = 0.5
    prefix_padding: float = 0.3
    silence: float = 0.5
    pause: float = 0.1
    min_speech: float = 0.1
    max_turn: float = 60.0
    patience: Patience | None = None


class Kind(Enum):
    STARTED = "started"  # at: start of the speech, less the padding
    PAUSED = "paused"  # at: end of the speech so far; the turn is perhaps over
    RESUMED = "resumed"  # at: where the speech goes on after a pause
    STOPPED = "stopped"  # at: end of the speech


@dataclass(frozen=True, slots=True)
class Turn:
    """An event, and the second of the sound at which it happened (``now`` is later: it takes time to tell)."""

    kind: Kind
    at: float


class TurnDetector:
    """Probabilities in, turn events out. ``now`` is the end of the sound heard so far, in seconds."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.now = 0.0
        self.reset()

    def reset(self) -> None:
        """Nobody is speaking; time goes on."""
        self.speaking = False
        self.voiced = 0.0  # s of speech in this turn, or so far in what may become one
        self._paused = False
        self._start = self.now
        self._end = self.now
        self._silence = self.rules.silence

    def expect(self, done: float | None) -> None:
        """The speaker who pauses now is done with probability ``done`` (None: unknown); valid until the speech
        goes on."""
        if self._paused and self.rules.patience:
            self._silence = self.rules.silence if done is None else self.rules.patience.silence(done)

    def feed(self, probability: float, seconds: float, earlier: float = 0.0) -> Turn | None:
        """The next ``seconds`` of sound, speech with ``probability`` -> what it means for the turn, if anything. If one
        begins now, so many seconds ``earlier`` were of it as well."""
        before, self.now = self.now, self.now + seconds
        voiced = probability >= self.rules.threshold - (HYSTERESIS if self.speaking else 0.0)
        if self.speaking:
            return self._during(voiced, before, seconds)
        return self._outside(voiced, before - earlier, seconds + earlier)

    def _outside(self, voiced: bool, before: float, seconds: float) -> Turn | None:
        if not voiced:
            self.voiced = 0.0
            return None
        if self.voiced == 0.0:
            self._start = max(0.0, before - self.rules.prefix_padding)
        self.voiced += seconds
        if self.voiced + 1e-9 < self.rules.min_speech:
            return None
        self.speaking, self._paused, self._end = True, False, self.now
        return Turn(Kind.STARTED, self._start)

    def _during(self, voiced: bool, before: float, seconds: float) -> Turn | None:
        if voiced:
            self.voiced += seconds
            self._end = self.now
            if self._paused:
                self._paused, self._silence = False, self.rules.silence
                return Turn(Kind.RESUMED, before)
        silence = self.now - self._end + 1e-9
        if silence >= self._silence or self.now - self._start >= self.rules.max_turn:
            end = self._end
            self.reset()
            return Turn(Kind.STOPPED, end)
        if silence >= self.rules.pause and not self._paused:
            self._paused = True
            return Turn(Kind.PAUSED, self._end)
        return None
