"""One voice of a recording: pieces of audio at given times, joined to one track without gaps."""

import numpy as np

from companion.stages.protocols import Samples


class Soundtrack:
    """A track that begins at ``start``; gaps are silence. All positions are samples on the session's clock."""

    def __init__(self, start: int) -> None:
        self.taken = self.end = start  # end of what was taken, and of what was put
        self._waiting: Samples = np.zeros(0, np.float32)

    def put(self, at: int, sound: Samples) -> None:
        """Place ``sound``, (n,) float32, at ``at``; the part before what was taken already is dropped."""
        sound = sound[max(0, self.taken - at) :]
        first = max(at, self.taken) - self.taken
        lacking = first + len(sound) - len(self._waiting)
        self._waiting = np.concatenate([self._waiting, np.zeros(max(0, lacking), np.float32)])
        self._waiting[first : first + len(sound)] = sound
        self.end = max(self.end, at + len(sound))

    def take(self, until: int) -> Samples:
        """The audio from the end of the last call to ``until``, (n,) float32; empty if ``until`` is not later."""
        n = max(0, until - self.taken)
        sound, self._waiting = self._waiting[:n], self._waiting[n:]
        self.taken += n
        return np.concatenate([sound, np.zeros(n - len(sound), np.float32)])
