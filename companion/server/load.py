"""The load of the machine: whether it keeps up with the conversations it has."""

import asyncio
import statistics
from collections import deque

from companion.metrics import Metrics

LOOK_S = 1.0  # s between two looks
WINDOW = 5  # looks that count
MOST_UNDRAWN = 0.2  # share of frames that were skipped because the machine was too busy
MOST_LAG_S = 0.2  # s by which the event loop usually comes late


class Load:
    """Of one server, by its ``metrics``."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lags: deque[float] = deque(maxlen=WINDOW)  # s
        self._frames: deque[tuple[float, float]] = deque([self._counted()], maxlen=WINDOW + 1)  # sent, left out

    @property
    def high(self) -> bool:
        """Whether another conversation would be at the expense of the running ones."""
        sent, undrawn = (now - before for now, before in zip(self._frames[-1], self._frames[0], strict=True))
        late = len(self._lags) == WINDOW and statistics.median(self._lags) > MOST_LAG_S
        return late or undrawn > MOST_UNDRAWN * (sent + undrawn)

    def look(self, lag: float) -> None:
        """Take note of the frames drawn since the last look; this one comes ``lag`` s late."""
        self._lags.append(lag)
        self._frames.append(self._counted())
        self._metrics.lag.set(lag)

    async def watch(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_S
            await asyncio.sleep(LOOK_S)
            self.look(loop.time() - due)

    def _counted(self) -> tuple[float, float]:
        value = self._metrics.registry.get_sample_value
        return value("vasari_frames_total") or 0.0, value("vasari_frames_undrawn_total") or 0.0
