"""One timeline per turn, and the figures of the whole server. No words are in them."""

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)  # s
FRAME_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.5)  # s, beside a frame's 0.04
BARGE_IN_BUCKETS = (0.05, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0)  # s
KEPT_TURNS = 50  # turns whose timelines are kept


@dataclass(frozen=True, slots=True)
class Span:
    """A stage at work on a turn, from ``start`` to ``end`` in seconds after the end of the user's speech."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Turn:
    """The timeline of one that is over. ``at`` is the Unix time of the end of the user's speech; ``status`` is how its
    response ended; ``changes`` as those of a `Trace`."""

    session: str
    response: str
    status: str
    at: float
    spans: tuple[Span, ...]
    changes: dict[str, int] = field(default_factory=dict[str, int])


class Trace:
    """When what happened in a turn, in seconds after ``start``, the end of the user's speech.

    Marks: ``turn_end`` (the silence was long enough), ``transcript``, ``first_token``, ``first_speech`` (synthesized),
    ``first_audio`` and ``first_frame`` (sent), ``done``. Spans: ``hear`` (the user speaks), ``judge`` (whether the turn
    is over), ``transcribe``, ``think`` (the language model, its wait for the voice included), ``speak`` (one for each
    sentence), ``draw`` (the first pictures that speak), ``send`` (all of the sound, as it is heard).
    """

    def __init__(self, clock: Callable[[], float], start: float) -> None:
        self._clock = clock
        self._start = start
        self.marks: dict[str, float] = {}
        self._spans: list[Span] = []
        self.changes: Tally[str] = Tally()

    def change(self, by: str) -> None:
        """Count a change to what the language model said. ``by``: a sentence was changed by the ``manners``, the
        ``guard`` or ``obedience``; the reply began with an ``opener``; or the model was asked ``again`` because it had
        nothing to add to one."""
        self.changes[by] += 1

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def mark(self, name: str) -> None:
        """Note the time of ``name``; only the first call for it counts."""
        self.marks.setdefault(name, self._clock() - self._start)

    def add(self, name: str, start: float, end: float) -> None:
        """A span between two times of the clock."""
        self._spans.append(Span(name, start - self._start, end - self._start))

    @contextmanager
    def span(self, name: str) -> Generator[None]:
        """A span that lasts as long as the ``with`` block."""
        begun = self._clock()
        try:
            yield
        finally:
            self.add(name, begun, self._clock())

    def spans(self) -> tuple[Span, ...]:
        """All of them, by when they begin."""
        marks = self.marks
        judged = [Span("judge", 0.0, marks["turn_end"])] if "turn_end" in marks else []
        sent = [Span("send", marks["first_audio"], marks["done"])] if {"first_audio", "done"} <= marks.keys() else []
        return tuple(sorted([*self._spans, *judged, *sent], key=lambda span: span.start))

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
        self.stages = Histogram(
            "vasari_stage_seconds", "That a stage works on a turn", ["stage"], buckets=BUCKETS, registry=self.registry
        )
        self.changes = Counter(
            "vasari_changed", "Changes to what the language model said", ["by"], registry=self.registry
        )
        self.silenced = Histogram(
            "vasari_barge_in_seconds",
            "From the start of speech over the face to its silence",
            buckets=BARGE_IN_BUCKETS,
            registry=self.registry,
        )
        self.drawing = Histogram(
            "vasari_draw_seconds",
            "Of drawing and encoding the pictures of a chunk, its wait for a thread included",
            buckets=FRAME_BUCKETS,
            registry=self.registry,
        )
        self.frames = Counter("vasari_frames", "Frames sent", registry=self.registry)
        self.dropped = Counter(
            "vasari_frames_dropped", "Frames dropped: a slow client or a busy machine", registry=self.registry
        )
        self.undrawn = Counter("vasari_frames_undrawn", "Of these, a busy machine's", registry=self.registry)
        self.late = Counter("vasari_late", "Times the face fell behind and left time out", registry=self.registry)
        self.lag = Gauge("vasari_lag_seconds", "By which the event loop comes late", registry=self.registry)

        self.turns: deque[Turn] = deque(maxlen=KEPT_TURNS)  # the latest last
        self.told: list[Callable[[Turn], None]] = []  # of each turn that is over; must not block

    def turn(self, trace: Trace, session: str, response: str, status: str) -> None:
        """A turn is over."""
        for step, seconds in trace.marks.items():
            self.latency.labels(step).observe(seconds)
        turn = Turn(session, response, status, time.time() - trace.elapsed, trace.spans(), dict(trace.changes))
        for span in turn.spans:
            self.stages.labels(span.name).observe(span.end - span.start)
        for by, times in turn.changes.items():
            self.changes.labels(by).inc(times)
        self.turns.append(turn)
        for tell in self.told:
            tell(turn)
