"""The load of the machine: whether it keeps up with the conversations that are running."""

import asyncio
import statistics
from collections import deque

from companion.metrics import Metrics

LOOK_S = 1.0  # s between two samples
WINDOW = 5  # latest samples that count
MOST_UNDRAWN = 0.2  # share of frames skipped for lack of time, above which the load is high
MOST_LAG_S = 0.2  # s of median event-loop lag, above which the load is high


class Load:
    """The load of one server, computed from its ``metrics`` over the last `WINDOW` samples."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lags: deque[float] = deque(maxlen=WINDOW)  # s
        self._frames: deque[tuple[float, float]] = deque([self._counted()], maxlen=WINDOW + 1)  # totals: sent, undrawn

    @property
    def high(self) -> bool:
        """Whether the machine is too busy for another conversation: too many frames skipped, or the loop lags."""
        sent, undrawn = (now - before for now, before in zip(self._frames[-1], self._frames[0], strict=True))
        late = len(self._lags) == WINDOW and statistics.median(self._lags) > MOST_LAG_S
        return late or undrawn > MOST_UNDRAWN * (sent + undrawn)

    def look(self, lag: float) -> None:
        """Take one sample; ``lag`` is by how many seconds the event loop woke us late."""
        self._lags.append(lag)
        self._frames.append(self._counted())
        self._metrics.lag.set(lag)

    async def watch(self) -> None:
        """Sample once every `LOOK_S` seconds until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_S
            await asyncio.sleep(LOOK_S)
            self.look(loop.time() - due)

    def _counted(self) -> tuple[float, float]:
        value = self._metrics.registry.get_sample_value
        return value("vasari_frames_total") or 0.0, value("vasari_frames_undrawn_total") or 0.0
