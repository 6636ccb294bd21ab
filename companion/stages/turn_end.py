"""Endpointing by sound: whether a user who pauses has finished the turn, judged by Smart Turn."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import numpy as np

from companion.errors import StageError
from companion.models import locate
from companion.models.needs import Needs
from companion.stages.protocols import HEAR_RATE, Samples
from companion.stages.worker import one_thread

log = logging.getLogger(__name__)

WINDOW_S = 8  # s of audio, up to the pause, that the network takes


class SmartTurn:
    """Smart Turn v3.2 (Daily, BSD-2): a classifier on Whisper tiny's encoder, 23 languages, about 60 ms per call.

    If its model is not installed, it logs a warning once and returns None: turns then end by silence alone.
    """

    needs = Needs(("smart-turn",))

    def __init__(self) -> None:
        self._pool = one_thread("turn end")
        self._session: Any = None
        self._features: Any = None
        try:
            path = locate.resolve("smart-turn")
        except StageError as error:
            log.warning("turns end by silence alone, without the model of ends of turns: %s", error)
            return
        self._session, self._features = self._pool.submit(_load, path).result()
        self._pool.submit(self._judge, np.zeros(HEAR_RATE, np.float32)).result()

    async def finished(self, audio: Samples) -> float | None:
        """(n,) float32 at 16 kHz, a turn up to a pause -> probability in [0, 1] that it is complete; None: unknown."""
        if self._session is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._judge, audio)

    def _judge(self, audio: Samples) -> float:
        features = self._log_mel(audio)
        return float(self._session.run(None, {"input_features": features[None]})[0].reshape(()))

    def _log_mel(self, audio: Samples) -> Samples:
        """(n,) -> (80, 800) log-mel spectrogram of the last 8 s, left-padded with silence and normalised to mean 0 and
        variance 1 as in training."""
        size = WINDOW_S * HEAR_RATE
        last = np.pad(audio[-size:], (max(0, size - len(audio)), 0))
        level = (last - last.mean()) / np.sqrt(last.var() + 1e-7)
        return np.asarray(self._features(level.astype(np.float32), padding=0), np.float32)


def _load(path: Path) -> tuple[Any, Any]:
    from faster_whisper.feature_extractor import FeatureExtractor

    from animator.onnx import session

    return session(path), FeatureExtractor(chunk_length=WINDOW_S)
