"""Voice activity detection: the probability that the next 32 ms of a microphone are speech."""

import functools
from typing import Any

import numpy as np

from companion.models import locate
from companion.models.needs import Needs
from companion.stages.protocols import HEAR_RATE, VAD_WINDOW, Samples

CONTEXT = 64  # samples of the previous window that the network takes again as context
VAD_WINDOW_S = VAD_WINDOW / HEAR_RATE


class Silero:
    """Silero VAD v6 (snakers4/silero-vad, MIT). One instance per microphone; all instances share the weights.

    Raises:
        StageError: ``model_missing`` or ``model_corrupt``.
    """

    needs = Needs(("silero-vad",))

    def __init__(self) -> None:
        self._session = _session()
        self.reset()

    def reset(self) -> None:
        """Reset the recurrent state, as if the microphone had just been opened."""
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def __call__(self, audio: Samples) -> float:
        """(512,) float32 at 16 kHz, the next 32 ms -> probability of speech in [0, 1].

        Raises:
            ValueError: another shape.
        """
        if audio.shape != (VAD_WINDOW,):
            raise ValueError(
                f"Silero takes {VAD_WINDOW} samples at {HEAR_RATE} Hz at a time, not an array of {audio.shape}."
            )
        sound = np.concatenate([self._context, audio]).astype(np.float32, copy=False)
        out, self._h, self._c = self._session.run(None, {"input": sound[None], "h": self._h, "c": self._c})
        self._context = sound[-CONTEXT:]
        return float(out.reshape(()))


@functools.cache
def _session() -> Any:
    from animator.onnx import session

    return session(locate.resolve("silero-vad"))  # one call takes 0.1 ms: more threads would slow it down
