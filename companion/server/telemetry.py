"""Exports the timelines of turns as OpenTelemetry spans to a collector, by OTLP over HTTP. Needs the extra ``otel``."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from companion.metrics import Turn

NAME = "vasari"


class Exporter:
    """Called with each finished turn, it exports a span ``turn`` with a child span for each stage. They are sent from
    a background thread, so that a collector that does not answer holds up nobody. ``endpoint`` is the collector's URL,
    such as http://host:4318."""

    def __init__(self, endpoint: str) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": NAME}))
        sender = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(sender))
        self._tracer = self._provider.get_tracer(NAME)

    def __call__(self, turn: Turn) -> None:
        def moment(seconds: float) -> int:
            return int((turn.at + seconds) * 1e9)

        start = min((span.start for span in turn.spans), default=0.0)
        about = {"session.id": turn.session, "vasari.response_id": turn.response, "vasari.status": turn.status}
        whole = self._tracer.start_span("turn", start_time=moment(start), attributes=about)
        within = trace.set_span_in_context(whole)
        for span in turn.spans:
            self._tracer.start_span(span.name, within, start_time=moment(span.start)).end(moment(span.end))
        whole.end(moment(max((span.end for span in turn.spans), default=0.0)))

    def close(self) -> None:
        """Send the spans that are queued, and stop. Blocks."""
        self._provider.shutdown()
