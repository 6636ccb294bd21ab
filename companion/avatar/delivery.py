"""The state of the speaker's delivery: who speaks, since when, and whether it pauses. Arithmetic on samples.

    SILENT -> WAITING -> SPEAKING -> PAUSING -> PAUSED -> RESUMING -> SPEAKING

Every state can go to SILENT, when the speaker is done or interrupted.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from enum import Enum

import numpy as np

from companion.phases import following
from companion.speech.playout import Cue, Speaker
from companion.stages.protocols import Samples

FADE_SAMPLES = 240  # samples of the fade when speech pauses and resumes, so that it does not click


class Phase(Enum):
    SILENT = "silent"  # nobody speaks
    WAITING = "waiting"  # there is a speaker, but no sound yet
    SPEAKING = "speaking"  # its sound has begun
    PAUSING = "pausing"  # as SPEAKING, but the next chunk fades out
    PAUSED = "paused"  # the rest moves back, by gaps; the position of the pause is known
    RESUMING = "resuming"  # as SPEAKING, but the next chunk fades in


FOLLOWS = {  # what may come after each phase
    Phase.SILENT: {Phase.SILENT, Phase.WAITING},
    Phase.WAITING: {Phase.SILENT, Phase.SPEAKING},
    Phase.SPEAKING: {Phase.SILENT, Phase.PAUSING},
    Phase.PAUSING: {Phase.SILENT, Phase.SPEAKING, Phase.PAUSED},
    Phase.PAUSED: {Phase.SILENT, Phase.RESUMING},
    Phase.RESUMING: {Phase.SILENT, Phase.SPEAKING, Phase.PAUSING},
}
SOUNDING_PHASES = {Phase.SPEAKING, Phase.PAUSING, Phase.PAUSED, Phase.RESUMING}  # the speaker's sound has a start
HELD_PHASES = {Phase.PAUSING, Phase.PAUSED}


class Delivery:
    """One speaker after the other. ``clock`` is that of the output, in samples; a position is one in the speaker's
    sound."""

    def __init__(self) -> None:
        self._phase = Phase.SILENT
        self.end()

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def speaker(self) -> Speaker | None:
        """Who speaks, or will; None exactly when it is SILENT."""
        return self._speaker

    @property
    def sounding(self) -> bool:
        """Whether the speaker's sound has begun and is not over."""
        return self._phase in SOUNDING_PHASES

    @property
    def held(self) -> bool:
        """Whether the speaker pauses and may go on."""
        return self._phase in HELD_PHASES

    def begin(self, speaker: Speaker) -> None:
        """``speaker`` takes its turn."""
        self._go(Phase.WAITING)
        self._speaker = speaker

    def start(self, clock: int) -> None:
        """The first sound of the waiting speaker is at ``clock``."""
        self._go(Phase.SPEAKING)
        self._start = clock

    def hold(self) -> None:
        """The speaker pauses from the next chunk on. Does nothing if nobody speaks."""
        if self.sounding and not self.held:
            self._go(Phase.PAUSING)

    def release(self) -> None:
        """The paused speaker goes on from the next chunk on."""
        if self.held:
            self._go(Phase.SPEAKING if self._phase is Phase.PAUSING else Phase.RESUMING)

    def end(self) -> None:
        """Nobody speaks any more."""
        self._go(Phase.SILENT)
        self._speaker: Speaker | None = None
        self._start = 0  # clock at which the speaker's sound begins to be sent, later by what was held
        self._gaps: list[tuple[int, int]] = []  # clock and length of what was held
        self._cues: deque[Cue] = deque()
        self.paused_at = 0  # position

    def postpone(self, by: int) -> None:
        """Shift all of the sound by so many samples."""
        self._start += by

    def wait(self, clock: int, n: int) -> None:
        """The chunk of ``n`` samples at ``clock`` is silent: the speaker pauses."""
        assert self._phase is Phase.PAUSED
        self.miss(clock, n)

    def miss(self, clock: int, n: int) -> None:
        """Nothing is sent for ``n`` samples from ``clock`` on; the rest of the speaker's sound moves back by as
        much."""
        if self.sounding:
            self._gaps.append((clock, n))
            self._start += n

    def faded(self, sound: Samples, clock: int) -> Samples:
        """The chunk at ``clock``, faded out if the speaker begins to pause and faded in if it resumes."""
        ramp = np.linspace(0, 1, FADE_SAMPLES, dtype=np.float32)
        if self._phase is Phase.RESUMING:
            self._go(Phase.SPEAKING)
            return np.concatenate([sound[:FADE_SAMPLES] * ramp, sound[FADE_SAMPLES:]])
        if self._phase is not Phase.PAUSING:
            return sound
        self._go(Phase.PAUSED)
        self.paused_at = clock - self._start
        return np.concatenate([sound[:FADE_SAMPLES] * ramp[::-1], np.zeros(len(sound) - FADE_SAMPLES, np.float32)])

    def add(self, cues: Iterable[Cue]) -> None:
        """Queue the cues of the sound that was taken."""
        self._cues.extend(cues)

    def again(self, by: int) -> None:
        """Cues that were taken but not shown yet come ``by`` samples later."""
        self._cues = deque(cue.later(by) for cue in self._cues)

    def due(self, clock: int) -> Iterator[Cue]:
        """The cues before ``clock``, once each."""
        while self.sounding and self._cues and self._cues[0].at < clock - self._start:
            yield self._cues.popleft()

    def span(self, clock: int, n: int, ends_at: int | None) -> tuple[int, int]:
        """The range of the ``n`` samples at ``clock`` that belongs to the speaker: first, last; empty if they are
        equal. ``ends_at`` is the position at which its sound ends, if that is known."""
        if not self.sounding:
            return 0, 0
        last = n if ends_at is None else min(n, self._start + ends_at - clock)
        return max(0, self._start - clock), max(last, 0)

    def over(self, clock: int, ends_at: int | None) -> bool:
        """Whether all of the sound had been sent by ``clock``. A speaker without any sound is done at once."""
        return ends_at == 0 or (ends_at is not None and self.sounding and clock >= self._start + ends_at)

    def heard(self, clock: int) -> int:
        """The position in the speaker's sound that is heard at ``clock``."""
        if not self.sounding:
            return 0
        later = sum(length - min(max(clock - at, 0), length) for at, length in self._gaps)
        return max(0, clock - self._start + later)

    def _go(self, phase: Phase) -> None:
        self._phase = following(FOLLOWS, self._phase, phase)
