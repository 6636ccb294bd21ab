"""One voice of a film: sound that comes in pieces, at times of the session's clock, as one line without gaps."""

import numpy as np

from companion.stages.protocols import Samples


class Soundtrack:
    """Positions are samples of the session's clock; what nobody said is silence. It begins at ``start``."""

    def __init__(self, start: int) -> None:
        self.taken = self.end = start  # of what was taken, and of what was put
        self._waiting: Samples = np.zeros(0, np.float32)

    def put(self, at: int, sound: Samples) -> None:
        """``sound`` (n,) begins at ``at``; what was taken already is not changed by it."""
        sound = sound[max(0, self.taken - at) :]
        first = max(at, self.taken) - self.taken
        lacking = first + len(sound) - len(self._waiting)
        self._waiting = np.concatenate([self._waiting, np.zeros(max(0, lacking), np.float32)])
        self._waiting[first : first + len(sound)] = sound
        self.end = max(self.end, at + len(sound))

    def take(self, until: int) -> Samples:
        """All from where the last one ended to ``until``."""
        n = max(0, until - self.taken)
        sound, self._waiting = self._waiting[:n], self._waiting[n:]
        self.taken += n
        return np.concatenate([sound, np.zeros(n - len(sound), np.float32)])
