"""Monitoring for operators: ``/metrics`` and ``/traces``. Neither holds anything that was said."""

from collections.abc import Callable
from dataclasses import asdict

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from companion.metrics import Metrics
from companion.server.http.failures import failed
from companion.session.client.visitor import Visitor


class Figures:
    """The routes. ``visitor`` returns who sent a request, or the response to somebody who may not enter."""

    def __init__(self, metrics: Metrics, visitor: Callable[[Request], Visitor | Response]) -> None:
        self._metrics, self._visitor = metrics, visitor

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics), Route("/traces", self.traces)]

    async def metrics(self, request: Request) -> Response:
        """The metrics in Prometheus' text format."""
        visitor = self._visitor(request)
        if isinstance(visitor, Response):
            return visitor
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def traces(self, request: Request) -> Response:
        """The timelines of the last turns as JSON, oldest first; needs the server's key, not a client secret."""
        visitor = self._visitor(request)
        if isinstance(visitor, Response):
            return visitor
        if visitor != Visitor():
            return failed(403, "forbidden", "A client secret cannot see these; use the server's key.")
        return JSONResponse({"turns": [asdict(turn) for turn in self._metrics.turns]})
