"""Base of further networks that hear the same windows of sound as the mouth network."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.media.mel import Features
from animator.motion.voice.mouth_net import session_of

Floats = NDArray[np.float32]


class Listener(ABC):
    """Output of ``model`` for a stream, for the same frame as the current output of `MouthNet`."""

    def __init__(self, model: Path, hidden: int, outputs: int) -> None:
        """``model`` takes features and a state of ``hidden`` numbers; ``outputs`` is how many it says of a frame."""
        self._network, self._hidden, self._outputs = session_of(model), hidden, outputs
        self.reset()

    def __call__(self, window: Features, speech: float) -> Floats:
        """`MouthNet.window` and `MouthNet.speech` of a frame -> (outputs,); zeros in silence, which ends its memory."""
        if speech == 0:
            self.reset()
            return np.zeros(self._outputs, np.float32)
        said, self._state = self._network.run(None, {"features": window[None], "state": self._state})
        return self.meant(np.asarray(said, np.float32).reshape(-1), speech)

    @abstractmethod
    def meant(self, said: Floats, speech: float) -> Floats:
        """What the network ``said`` -> what the mouth is to do, both (outputs,)."""

    def reset(self) -> None:
        """Forget all sound."""
        self._state = np.zeros((1, 1, self._hidden), np.float32)
