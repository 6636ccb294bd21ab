"""Metrics: one timeline per turn, and the Prometheus figures of the whole server. Neither holds what was said."""

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)  # s
FRAME_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2, 0.5)  # s; a frame lasts 0.04 s
BARGE_IN_BUCKETS = (0.05, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0)  # s
KEPT_TURNS = 50  # turns whose timelines are kept


@dataclass(frozen=True, slots=True)
class Span:
    """The time for which one stage works on a turn, from ``start`` to ``end`` in seconds after the end of the user's
    speech; negative before it."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Turn:
    """The timeline of a finished turn. ``session`` and ``response`` are ids; ``status`` is how the response ended;
    ``at`` is the Unix time in seconds of the end of the user's speech; ``changes`` are counts, as in `Trace.change`."""

    session: str
    response: str
    status: str
    at: float
    spans: tuple[Span, ...]
    changes: dict[str, int] = field(default_factory=dict[str, int])


class Trace:
    """The running timeline of a turn, in seconds after ``start``, the end of the user's speech on ``clock``.

    Marks are moments: ``turn_end`` (endpointing has decided), ``transcript``, ``first_token``, ``first_speech``
    (synthesized), ``first_audio`` and ``first_frame`` (sent), ``done``. Spans are intervals: ``hear`` (the user
    speaks), ``judge`` (endpointing), ``transcribe``, ``think`` (the language model, including the time it waits for the
    voice), ``speak`` (synthesis, one per sentence), ``draw`` (rendering of the first speaking frames), ``send``
    (playout of the reply's sound).
    """

    def __init__(self, clock: Callable[[], float], start: float) -> None:
        self._clock = clock
        self._start = start
        self.marks: dict[str, float] = {}
        self._spans: list[Span] = []
        self.changes: Tally[str] = Tally()

    def change(self, by: str) -> None:
        """Count a change to what the language model said.

        ``by`` is ``manners``, ``guard`` or ``obedience`` (which changed a sentence), ``opener`` (the reply began with
        one), or ``again`` (the model added nothing to the opener and was asked once more).
        """
        self.changes[by] += 1

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start

    def mark(self, name: str) -> None:
        """Record the time of the mark ``name``; later calls with the same name are ignored."""
        self.marks.setdefault(name, self._clock() - self._start)

    def add(self, name: str, start: float, end: float) -> None:
        """Record a span between two times of the clock, in seconds."""
        self._spans.append(Span(name, start - self._start, end - self._start))

    @contextmanager
    def span(self, name: str) -> Generator[None]:
        """Record the duration of the ``with`` block as a span."""
        begun = self._clock()
        try:
            yield
        finally:
            self.add(name, begun, self._clock())

    def spans(self) -> tuple[Span, ...]:
        """All spans, in the order of their starts."""
        marks = self.marks
        judged = [Span("judge", 0.0, marks["turn_end"])] if "turn_end" in marks else []
        sent = [Span("send", marks["first_audio"], marks["done"])] if {"first_audio", "done"} <= marks.keys() else []
        return tuple(sorted([*self._spans, *judged, *sent], key=lambda span: span.start))

    def ms(self) -> dict[str, float]:
        """The marks in milliseconds after the end of the user's speech, rounded to 0.1."""
        return {name: round(seconds * 1000, 1) for name, seconds in self.marks.items()}


class Metrics:
    """Prometheus figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory and CPU time, where the operating system reports them
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

        self.turns: deque[Turn] = deque(maxlen=KEPT_TURNS)  # oldest first
        self.told: list[Callable[[Turn], None]] = []  # called with each finished turn; must not block

    def turn(self, trace: Trace, session: str, response: str, status: str) -> None:
        """Record a finished turn: observe its marks, spans and changes, and pass its timeline on."""
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
