"""Nobody holds the server by being slow, silent or many, and a line that died keeps nobody out."""

import asyncio
import base64
import contextlib
import logging
import os
from collections.abc import AsyncIterator

import httpx
import pytest

from companion.server.entry import admission, handshake
from companion.server.entry.admission import Places
from companion.server.entry.handshake import Door
from companion.server.entry.logs import MOST_LINES, WITHIN_S, Sparing
from companion.server.http import bodies, uploads
from tests.server.loopback import Running, ask, receive, running, send

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
KEY = {"Authorization": "Bearer key"}
DIRECT = {"trust_env": False, "headers": KEY}


@contextlib.asynccontextmanager
async def lines(server: Running, count: int, said: bytes) -> AsyncIterator[list[Streams]]:
    """Plain connections that have ``said`` so much and no more."""
    opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(count)]
    for _, writer in opened:
        writer.write(said)
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()


async def ended(line: Streams, within: float = 5.0) -> bool:
    """Whether the server closes a line."""
    try:
        async with asyncio.timeout(within):
            await line[0].read()
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


HALF = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "


@pytest.mark.parametrize("said", [b"", HALF, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + HALF])
async def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch, said):
    monkeypatch.setattr(handshake, "HEADERS_S", 0.3)
    monkeypatch.setattr(handshake, "LOOK_S", 0.1)
    async with running() as server, lines(server, 3, said) as opened:
        assert all([await ended(line) for line in opened])


async def test_one_that_asks_again_and_again_is_not_hurried(monkeypatch):
    monkeypatch.setattr(handshake, "HEADERS_S", 0.3)
    monkeypatch.setattr(handshake, "LOOK_S", 0.1)
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        answers = []
        for _ in range(8):
            answers.append(await http.get("/health"))
            await asyncio.sleep(0.1)
        assert all(answer.status_code == 200 for answer in answers)
        peers = {answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers}
        assert len(peers) == 1, "over one connection"


@pytest.mark.parametrize("limits", [{"max_connections_per_address": 6}, {"max_connections": 6}])
async def test_whoever_says_nothing_makes_room_for_who_speaks(limits):
    async with running(server=limits) as server, server.connect() as first:
        await receive(first, "session.created")
        async with lines(server, 20, HALF) as opened:
            async with server.connect() as later:
                await receive(later, "session.created")
                await ask(later, "Hello")
                assert (await receive(later, "response.done"))["response"]["status"] == "completed"
            closed = [await ended(line, 0.05) for line in opened]
            assert closed[:14] == [True] * 14, "the oldest go first"
            assert sum(not c for c in closed) <= 6
        await ask(first, "Still there?")
        await receive(first, "response.done")


async def test_where_all_have_asked_for_something_the_newcomer_goes():
    two = {"max_connections": 2}
    async with running(server=two) as server, server.connect() as first, server.connect() as second:
        await receive(first, "session.created")
        await receive(second, "session.created")
        async with lines(server, 1, b"") as (third,):
            assert await ended(third)
        await ask(first, "Hello")
        await receive(first, "response.done")


def test_the_door_leaves_descriptors_for_the_server_itself(monkeypatch):
    monkeypatch.setattr(handshake, "_descriptors", lambda: 256)
    assert Door(1000, 64)._most == 256 - handshake.BACKLOG - handshake.OWN_DESCRIPTORS
    assert Door(50, 64)._most == 50


UNFINISHED = b"POST /v1/portraits HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n0123456789"


async def test_a_body_that_does_not_come_is_a_time_out(monkeypatch):
    monkeypatch.setattr(bodies, "PIECE_S", 0.2)
    async with running() as server, lines(server, 1, UNFINISHED) as ((reader, _),):
        answer = (await asyncio.wait_for(reader.readuntil(b"}}"), 5)).decode()
        assert answer.startswith("HTTP/1.1 408") and "request_timeout" in answer


async def test_a_body_that_comes_drop_by_drop_is_one_too(monkeypatch):
    monkeypatch.setattr(bodies, "WHOLE_S", 0.5)
    async with running() as server, lines(server, 1, UNFINISHED) as ((reader, writer),):

        async def drip() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        try:
            assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)).startswith(b"HTTP/1.1 408")
        finally:
            dripping.cancel()


async def test_a_request_is_over_some_time_whoever_holds_it(monkeypatch):
    monkeypatch.setattr(handshake, "REQUEST_S", 0.3)
    monkeypatch.setattr(handshake, "LOOK_S", 0.1)
    async with running() as server, lines(server, 1, UNFINISHED) as (line,):
        assert await ended(line)


async def test_an_upload_that_is_broken_off_is_no_error_of_ours(caplog):
    async with running() as server, lines(server, 1, UNFINISHED) as ((_, writer),):
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.sleep(0.3)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_unfinished_uploads_of_one_address_leave_places_for_others(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_PER_ADDRESS", 2)
    behind = {"api_key": "key", "trusted_proxies": ["127.0.0.1"]}
    asked = UNFINISHED.replace(b"Host", b"api-key: key\r\nHost")
    async with running(server=behind) as server, httpx.AsyncClient(base_url=server.http, **DIRECT) as http:
        async with lines(server, 2, asked):
            await asyncio.sleep(0.3)
            busy = await http.post("/v1/portraits", content=b"x")
            assert (busy.status_code, busy.json()["error"]["code"]) == (503, "busy")
            assert int(busy.headers["retry-after"]) > 0
            elsewhere = {"X-Forwarded-For": "203.0.113.9"}
            assert (await http.post("/v1/portraits", content=b"x", headers=elsewhere)).status_code == 422
        for _ in range(100):
            if (await http.post("/v1/portraits", content=b"x")).status_code == 422:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the places of those who left are not free again")


@pytest.mark.parametrize(("limits", "spoken"), [({"first_message_s": 0.3}, False), ({"idle_s": 0.3}, True)])
async def test_who_never_says_anything_is_let_go(limits, spoken):
    async with running(server=limits | {"max_sessions": 1}) as server:
        async with server.connect() as ws:
            await receive(ws, "session.created")
            if spoken:
                await send(ws, "input_audio_buffer.clear")
            assert (await receive(ws, "error"))["error"]["code"] == "session_idle"
            await asyncio.wait_for(ws.wait_closed(), 5)
            assert ws.close_code == 4000
        await server.emptied()
        async with server.connect() as ws:
            await receive(ws, "session.created")


async def test_who_says_something_now_and_then_stays():
    async with running(server={"first_message_s": 2.0, "idle_s": 2.0}) as server, server.connect() as ws:
        for _ in range(10):
            await asyncio.sleep(0.25)
            await send(ws, "input_audio_buffer.clear")
        await ask(ws, "Hello")
        await receive(ws, "response.done")


async def secret(server: Running, user: str) -> str:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        body = {"session": {"memory": {"user": user}}}
        return (await http.post("/v1/realtime/client_secrets", json=body, headers=KEY)).json()["value"]


@pytest.mark.parametrize("limits", [{"max_sessions_per_user": 1}, {"max_sessions": 2, "max_sessions_per_user": 2}])
async def test_a_user_who_comes_back_takes_over_the_line_that_was_heard_longest_ago(limits):
    async with running(server={"api_key": "key"} | limits) as server:
        anna, bob = [f"openai-insecure-api-key.{await secret(server, user)}" for user in ("anna", "bob")]
        async with server.connect("realtime", anna) as old, server.connect("realtime", bob) as other:
            await receive(old, "session.created")
            await receive(other, "session.created")
            async with server.connect("realtime", anna) as new:
                await receive(new, "session.created", 2.0)
                assert (await receive(old, "error"))["error"]["code"] == "session_replaced"
                await asyncio.wait_for(old.wait_closed(), 5)
                assert (old.close_code, "another line" in old.close_reason) == (4000, True)
                for ws in (new, other):
                    await ask(ws, "Hello")
                    await receive(ws, "response.done")


async def half_open(server: Running) -> Streams:
    """A websocket of a machine that has gone without a word: nothing comes from it, no answer to a ping either."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    nonce = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await asyncio.wait_for(reader.readuntil(b"session.created"), 5)
    return reader, writer


async def test_a_dead_line_keeps_nobody_out(monkeypatch):
    monkeypatch.setattr(admission, "ASK_S", 0.5)
    async with running(server={"max_sessions": 2}) as server:
        dead = await half_open(server)
        async with server.connect() as alive:
            await receive(alive, "session.created")
            async with server.connect() as new:
                await receive(new, "session.created", 5.0)
                assert await ended(dead)
                async with server.connect() as late:
                    assert (await receive(late, "error"))["error"]["code"] == "session_limit_reached"
            for _ in range(2):
                await ask(alive, "Hello")
                await receive(alive, "response.done")
        dead[1].close()


async def test_places_count_and_come_back():
    kept = Places(2, 2)
    first, second = await kept.take("", None), await kept.take("anna", None)
    assert first and second and await kept.take("bob", None) is None
    third = await kept.take("anna", None)
    assert third and second.lost.is_set() and not first.lost.is_set()
    kept.leave(second)
    assert await kept.take("bob", None) is None, "a place that was lost is not given back twice"
    kept.leave(first)
    assert await kept.take("bob", None)


@pytest.mark.parametrize(("proxies", "address"), [([], "127.0.0.1"), (["127.0.0.1"], "203.0.113.9")])
async def test_forwarded_addresses_are_believed_of_named_proxies_only(caplog, proxies, address):
    async with running(server={"api_key": "key", "trusted_proxies": proxies}) as server:
        forwarded = KEY | {"X-Forwarded-For": "203.0.113.9"}
        async with server.connect(additional_headers=forwarded) as ws:
            await receive(ws, "session.created")
    (record,) = [record for record in caplog.records if record.name == "companion.audit"]
    assert record.getMessage() == f"a conversation from {address}, which speaks for all users; 1 now"


async def test_each_admission_is_a_line_that_names_nobody(caplog):
    async with running(server={"api_key": "key", "max_sessions": 20, "max_sessions_per_user": 20}) as server:
        anna = f"openai-insecure-api-key.{await secret(server, 'anna')}"
        for _ in range(MOST_LINES + 1):
            async with server.connect("realtime", anna) as ws:
                await receive(ws, "session.created")
            await server.emptied()
    audit = [record for record in caplog.records if record.name == "companion.audit"]
    assert [record.getMessage() for record in audit] == [
        "a conversation from 127.0.0.1, which speaks for one user; 1 now"
    ] * 6
    assert all(map(Sparing().filter, audit))


async def test_a_refused_client_is_one_line_in_the_log(caplog):
    caplog.set_level(logging.WARNING)
    async with running(server={"api_key": "right"}) as server, httpx.AsyncClient(trust_env=False) as http:
        await http.get(f"{server.http}/v1/portraits/x/picture", headers={"api-key": "guess"})
    (record,) = [record for record in caplog.records if record.name == "companion.server.app"]
    assert record.getMessage() == "refused 127.0.0.1: invalid_api_key"


def test_a_flood_of_one_kind_is_a_few_lines_and_a_number():
    now = 0.0
    sparing = Sparing(lambda: now)

    def passes(message: str, *values: object) -> str | None:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, message, values, None)
        return record.getMessage() if sparing.filter(record) else None

    passed = [passes("no room for %s", i) for i in range(1000)]
    assert passed == [f"no room for {i}" for i in range(MOST_LINES)] + [None] * (1000 - MOST_LINES)
    assert passes("something else") == "something else"
    now = WITHIN_S
    assert passes("no room for %s", 7) == f"no room for 7 (and {1000 - MOST_LINES} more like this before)"
    assert passes("no room for %s", 8) == "no room for 8"


async def test_much_sound_in_one_message_holds_nobody_else_up():
    gaps = [0.0]

    async def others():
        while True:
            begun = asyncio.get_running_loop().time()
            await asyncio.sleep(0)
            gaps.append(asyncio.get_running_loop().time() - begun)

    async with running() as server, server.connect("realtime") as ws:
        await receive(ws, "session.created")
        await send(ws, "session.update", session={"audio": {"input": {"turn_detection": None}}})
        await receive(ws, "session.updated")
        sound = base64.b64encode(6 * 48_000 * b"a").decode()
        working, begun = asyncio.create_task(others()), asyncio.get_running_loop().time()
        await send(ws, "input_audio_buffer.append", audio=sound)
        await send(ws, "input_audio_buffer.commit")
        await receive(ws, "input_audio_buffer.committed", 60)
        took = asyncio.get_running_loop().time() - begun
        working.cancel()
    assert max(gaps) < 0.4 * took  # else all of it was heard at once
