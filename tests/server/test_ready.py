"""Nobody is sent to a server that cannot answer, and nobody is let in at the expense of those who talk."""

import asyncio
import signal
from typing import Any

import httpx
import pytest

from companion import config, engine
from companion.metrics import Metrics
from companion.server import readiness
from companion.server.app import create_app
from companion.server.load import MOST_LAG_S, WINDOW, Load
from companion.server.readiness import AGAIN_S, KNOWN_S, Readiness
from companion.stages import fakes
from tests.server.loopback import QUICK, Running, ask, receive, running

BROKEN = "companion.stages.fakes:Broken"


async def ready(server: Running, within: float = 5.0) -> tuple[int, str]:
    """The status, and why it is not ready, once it is no longer starting."""
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        for _ in range(round(within / 0.02)):
            answer = await http.get("/ready")
            if answer.json().get("why") != "starting":
                return answer.status_code, answer.json().get("why", "")
            await asyncio.sleep(0.02)
    raise AssertionError("it never starts")


async def healthy(server: Running) -> bool:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        return (await http.get("/health")).json()["status"] == "ok"


def test_the_application_is_made_before_any_loop_runs():
    """As `companion serve` makes it."""
    parts = engine.build(config.load("fakes", QUICK))
    assert create_app(parts).routes
    parts.device.close()  # type: ignore[attr-defined]


async def test_a_server_that_can_answer_is_ready():
    async with running() as server:
        assert await ready(server) == (200, "")


@pytest.mark.parametrize("stage", ["asr", "llm", "tts"])
async def test_a_stage_that_fails_makes_it_unready_and_leaves_it_alive(stage):
    async with running(**{stage: {"use": BROKEN}}) as server:
        assert await ready(server) == (503, "turn_failed")
        assert await healthy(server)


async def test_a_stage_that_hangs_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr(readiness, "PROBE_S", 0.2)
    async with running(asr={"use": "companion.stages.fakes:ScriptedASR", "delay_s": 60.0}) as server:
        assert await ready(server) == (503, "turn_failed")


async def test_a_face_that_cannot_be_shown_is_one_reason(monkeypatch):
    class Faceless(fakes.Broken):
        size = 64

        def open(self, portrait: Any) -> Any:
            raise ValueError("no face")

    monkeypatch.setattr(fakes, "Faceless", Faceless, raising=False)
    async with running(face={"use": "companion.stages.fakes:Faceless"}) as server:
        assert await ready(server) == (503, "face_failed")


async def test_a_full_server_is_not_ready():
    async with running(server={"max_sessions": 1}) as server:
        async with server.connect() as ws:
            await receive(ws, "session.created")
            assert await ready(server) == (503, "session_limit_reached")
        await server.emptied()
        assert await ready(server) == (200, "")


async def test_what_users_see_counts_and_is_tried_again_when_it_fails():
    now, tried, works = 0.0, 0, True

    async def probe() -> None:
        nonlocal tried
        tried += 1
        if not works:
            raise ConnectionError

    metrics = Metrics()
    known = Readiness(probe, metrics, lambda: now)
    assert await known.works(idle=True) and tried == 1
    now = KNOWN_S - 1
    assert await known.works(idle=True) and tried == 1
    now = KNOWN_S + 1
    assert await known.works(idle=False) and tried == 1, "not beside conversations that go on"
    assert await known.works(idle=True) and tried == 2
    works = False
    metrics.responses.labels("failed").inc()
    assert not await known.works(idle=False) and tried == 3
    now += AGAIN_S - 1
    assert not await known.works(idle=True) and tried == 3
    works, now = True, now + 2
    assert await known.works(idle=True) and tried == 4
    works = False
    metrics.responses.labels("completed").inc()
    now += KNOWN_S - 1
    assert await known.works(idle=True) and tried == 4, "somebody was answered"


def looked(*, frames: int = 25, undrawn: int = 0, lag: float = 0.0, times: int = WINDOW) -> Load:
    metrics = Metrics()
    load = Load(metrics)
    for _ in range(times):
        metrics.frames.inc(frames)
        metrics.undrawn.inc(undrawn)
        load.look(lag)
    return load


def test_load_is_high_where_frames_are_left_out_or_everything_comes_late():
    assert not looked().high
    assert not looked(frames=0).high
    assert not looked(frames=23, undrawn=2).high
    assert looked(frames=15, undrawn=10).high
    assert looked(lag=MOST_LAG_S + 0.01).high
    assert not looked(lag=5.0, times=WINDOW - 1).high, "one moment is none"
    recovered = looked(frames=15, undrawn=10)
    for _ in range(WINDOW):
        recovered._metrics.frames.inc(25)
        recovered.look(0.0)
    assert not recovered.high


async def test_a_busy_server_takes_nobody_else_and_keeps_those_it_has():
    async with running() as server:
        load = server.server._app.load
        async with server.connect() as first:
            await receive(first, "session.created")
            for _ in range(WINDOW):
                load.look(1.0)
            async with server.connect() as second:
                assert (await receive(second, "error"))["error"]["code"] == "server_busy"
                await asyncio.wait_for(second.wait_closed(), 5)
                assert second.close_code == 1013
            assert await ready(server) == (503, "server_busy")
            await ask(first, "Still there?")
            assert (await receive(first, "response.done"))["response"]["status"] == "completed"
        await server.emptied()
        async with server.connect() as third:  # nobody is there who would have to pay for it
            await receive(third, "session.created")


async def test_a_server_that_is_to_stop_lets_conversations_end():
    async with running(server={"drain_s": 20.0}) as server:
        async with server.connect() as first:
            await receive(first, "session.created")
            server.server.handle_exit(signal.SIGTERM, None)
            async with server.connect() as second:
                assert (await receive(second, "error"))["error"]["code"] == "server_draining"
            assert await ready(server) == (503, "server_draining")
            await ask(first, "Still there?")
            assert (await receive(first, "response.done"))["response"]["status"] == "completed"
        for _ in range(250):
            if not server.server.servers[0].is_serving():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it does not stop when the last conversation is over")


async def test_it_does_not_wait_for_ever():
    async with running(server={"drain_s": 0.2}) as server, server.connect() as ws:
        await receive(ws, "session.created")
        server.server.handle_exit(signal.SIGTERM, None)
        await asyncio.wait_for(ws.wait_closed(), 5)
        assert ws.close_code == 1012
