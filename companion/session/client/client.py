"""The client of a session, as the session sees it."""

import logging
from collections.abc import Callable

from companion.errors import as_stage_error
from companion.metrics import Metrics
from companion.protocol import events
from companion.protocol.events import Problem, ServerEvent

log = logging.getLogger(__name__)


class Client:
    """``session`` is the session's id; ``tell`` is called with each event, in order, and must not block."""

    def __init__(self, session: str, tell: Callable[[ServerEvent], None], metrics: Metrics) -> None:
        self.session, self.tell, self._metrics = session, tell, metrics

    def complain(self, problem: Problem) -> None:
        """Tell it about a problem; the session goes on."""
        self._metrics.errors.labels(problem.code).inc()
        self.tell(events.Error(problem))

    def forgotten(self, error: Exception) -> None:
        """Say that the memory failed, here and in the log; nothing else fails with it."""
        log.error("session %s: the memory failed: %s", self.session, type(error).__name__)
        problem = as_stage_error(error, "memory_failed")
        self.complain(Problem(problem.code, str(problem), "server_error"))
