"""One timeline per turn, and the figures of the whole server."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)  # s


class Trace:
    """When what happened in a turn, in seconds after ``start``, the end of the user's speech.

    Marks: ``turn_end`` (the silence was long enough), ``transcript``, ``first_token``, ``first_speech`` (synthesized),
    ``first_audio`` and ``first_frame`` (sent), ``done``.
    """

    def __init__(self, clock: Callable[[], float], start: float) -> None:
        self._clock = clock
        self._start = start
        self.marks: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def mark(self, name: str) -> None:
        """It happens now; only the first time counts."""
        self.marks.setdefault(name, self._clock() - self._start)

    def ms(self) -> dict[str, float]:
        return {name: round(seconds * 1000, 1) for name, seconds in self.marks.items()}


class Metrics:
    """Prometheus figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory and processor, where the system tells
        self.sessions = Gauge("vasari_sessions", "Conversations that are open", registry=self.registry)
        self.refused = Counter("vasari_refused", "Connections refused", ["code"], registry=self.registry)
        self.responses = Counter("vasari_responses", "Responses by how they ended", ["status"], registry=self.registry)
        self.errors = Counter("vasari_errors", "Errors sent to clients", ["code"], registry=self.registry)
        self.latency = Histogram(
            "vasari_turn_seconds",
            "From the end of the user's speech",
            ["step"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.frames = Counter("vasari_frames", "Frames sent", registry=self.registry)
        self.dropped = Counter(
            "vasari_frames_dropped", "Frames dropped: a slow client or a busy machine", registry=self.registry
        )
        self.undrawn = Counter("vasari_frames_undrawn", "Of these, a busy machine's", registry=self.registry)
        self.late = Counter("vasari_late", "Times the face fell behind and left time out", registry=self.registry)

        self.lag = Gauge("vasari_lag_seconds", "By which the event loop comes late", registry=self.registry)

    def turn(self, trace: Trace) -> None:
        for step, seconds in trace.marks.items():
            self.latency.labels(step).observe(seconds)
