"""Readiness for load balancers: whether the next user would be answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from companion.metrics import Metrics

log = logging.getLogger(__name__)

PROBE_S = 20.0  # s that a probe may take to its first sound
KNOWN_S = 300.0  # s for which a success is taken as valid
AGAIN_S = 10.0  # s between a failed probe and the next one


class Readiness:
    """Whether turns are answered. ``probe`` runs a turn of one word through all stages, and raises what they raise;
    ``clock`` gives seconds. A user's turn proves as much as a probe: while users are answered, none is run."""

    def __init__(self, probe: Callable[[], Awaitable[None]], metrics: Metrics, clock: Callable[[], float]) -> None:
        self._probe, self._metrics, self._clock = probe, metrics, clock
        self._works: bool | None = None  # whether turns are answered; None: not known
        self._at = -KNOWN_S  # when that was established
        self._counts = (0.0, 0.0)
        self._trying: asyncio.Task[None] | None = None

    async def works(self, idle: bool) -> bool:
        """Whether turns are answered. ``idle``: no conversation is running; while one is, a success stays valid however
        old it is. Takes as long as a probe if one is needed, at most `PROBE_S` seconds."""
        self._watch()
        age = self._clock() - self._at
        known = self._works is not None and (age < (KNOWN_S if self._works else AGAIN_S) or (self._works and not idle))
        if not known:
            self._trying = self._trying or asyncio.create_task(self._try(), name="readiness")
            await asyncio.wait([self._trying])
        return bool(self._works)

    def _watch(self) -> None:
        """Update from how users' turns have ended since the last call."""
        value, (good, bad) = self._metrics.registry.get_sample_value, self._counts
        now = [value("vasari_responses_total", {"status": status}) or 0.0 for status in ("completed", "failed")]
        self._counts = (now[0], now[1])
        if now[0] > good:
            self._works, self._at = True, self._clock()
        elif now[1] > bad:
            self._works = None

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(PROBE_S):
                await self._probe()
            self._works = True
        except Exception as error:  # whatever a stage raises
            log.error("no turn can be answered: %s", type(error).__name__)
            self._works = False
        finally:
            self._at, self._trying = self._clock(), None
