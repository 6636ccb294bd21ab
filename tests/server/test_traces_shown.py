"""Traces leave the server: as JSON, as a waterfall in the terminal, and as OpenTelemetry's spans to a collector."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from typer.testing import CliRunner

from companion.__main__ import app
from companion.metrics import Span, Turn
from tests.server.loopback import ask, receive, running

TURN = Turn("sess_1", "resp_1", "completed", 1_700_000_000.0, (Span("hear", -1.0, 0.0), Span("think", 0.5, 1.0)))


async def test_a_turn_of_a_server_is_shown_stage_by_stage():
    async with running() as server, server.connect() as ws:
        await ask(ws, "Who are you?")
        done = (await receive(ws, "response.done"))["response"]
        url = ["trace", "--url", server.http]
        shown = await asyncio.to_thread(CliRunner().invoke, app, url, env={"COLUMNS": "140"})
        assert shown.exit_code == 0, shown.output
        assert done["id"] in shown.output and "█" in shown.output
        assert [name for name in ("think", "speak", "send") if name not in shown.output] == []
        unknown = await asyncio.to_thread(CliRunner().invoke, app, [*url, "--turn", "resp_none"])
        assert unknown.exit_code == 1 and "resp_none" in unknown.stderr


async def test_only_the_key_sees_them():
    own = {"Authorization": "Bearer k"}
    async with running(server={"api_key": "k"}) as server, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{server.http}/traces")).status_code == 401
        assert (await http.get(f"{server.http}/traces", headers=own)).json() == {"turns": []}
        secret = (await http.post(f"{server.http}/v1/realtime/client_secrets", headers=own)).json()["value"]
        lent = {"Authorization": f"Bearer {secret}"}
        assert (await http.get(f"{server.http}/traces", headers=lent)).status_code == 403


def test_nobody_there_is_told():
    result = CliRunner().invoke(app, ["trace", "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 1 and "127.0.0.1:9" in result.stderr


@pytest.mark.extra
def test_a_collector_gets_a_turn_as_spans():
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from companion.server.telemetry import Exporter

    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    exporter = Exporter(f"http://127.0.0.1:{server.server_port}/")
    exporter(TURN)
    exporter.close()
    server.shutdown()
    server.server_close()
    ((path, body),) = got
    assert path == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"] == "vasari"
    spans = {span.name: span for span in resource.scope_spans[0].spans}
    whole = spans.pop("turn")
    assert {name: span.parent_span_id for name, span in spans.items()} == dict.fromkeys(
        ("hear", "think"), whole.span_id
    )
    assert (whole.start_time_unix_nano, whole.end_time_unix_nano) == (1_699_999_999 * 10**9, 1_700_000_001 * 10**9)
    assert spans["think"].start_time_unix_nano == 1_700_000_000_500_000_000
