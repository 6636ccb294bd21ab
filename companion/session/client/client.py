"""The client of a session, as the session sees it."""

from collections.abc import Callable

from companion.metrics import Metrics
from companion.protocol import events
from companion.protocol.events import Problem, ServerEvent


class Client:
    """``session`` is the session's id; ``tell`` is called with each event, in order, and must not block."""

    def __init__(self, session: str, tell: Callable[[ServerEvent], None], metrics: Metrics) -> None:
        self.session, self.tell, self._metrics = session, tell, metrics

    def complain(self, problem: Problem) -> None:
        """Tell it about a problem; the session goes on."""
        self._metrics.errors.labels(problem.code).inc()
        self.tell(events.Error(problem))
