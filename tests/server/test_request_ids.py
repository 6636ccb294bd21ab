"""What a client complains of can be found in the log."""

import json
import logging

import httpx

from companion.server.entry.logs import REQUEST, Lines, Objects
from tests.server.loopback import receive, running, send


async def test_errors_of_a_connection_have_its_id():
    async with running() as server:
        found: list[str] = []
        for _ in range(2):
            async with server.connect() as ws:
                for _ in range(2):
                    await send(ws, "no.such.event")
                    found.append((await receive(ws, "error"))["error"]["request_id"])
        assert found[0] == found[1] != found[2] == found[3]
        assert all(one.startswith("req_") for one in found)


async def test_errors_over_http_have_the_id_of_their_header():
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        for path in ("/v1/characters/nobody/picture", "/v1/portraits/nothing/landmarks", "/v1/memories"):
            answer = await http.get(path)
            assert answer.status_code >= 400
            assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"], path
        assert "x-request-id" in (await http.get("/health")).headers


async def test_a_refused_connection_is_named_in_the_log(caplog):
    async with running(server={"api_key": "k"}) as server, httpx.AsyncClient(trust_env=False) as http:
        for handler in (caplog.handler,):
            handler.setFormatter(Lines())
        answer = await http.get(f"{server.http}/metrics")
        assert answer.status_code == 401
        assert f"[{answer.headers['x-request-id']}]" in caplog.text


def test_lines_are_objects_if_wished():
    record = logging.LogRecord("companion.server", logging.WARNING, "", 0, 'refused "%s"', ("a",), None)
    token = REQUEST.set("req_1")
    line = json.loads(Objects().format(record))
    REQUEST.reset(token)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "companion.server",
        "message": 'refused "a"',
        "request_id": "req_1",
    }
    assert "request_id" not in json.loads(Objects().format(record))
