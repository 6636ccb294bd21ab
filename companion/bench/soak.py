"""``companion bench soak``: conversations for a long time, over real websockets, half of whose answers are cut off."""

import asyncio
import json
import logging
import random
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypedDict

import numpy as np
import typer
import websockets.asyncio.client as websocket
from websockets.typing import Subprotocol

from animator.bench.footprint import resident_mb
from companion.config import load
from companion.engine import Engine, build
from companion.server.app import server

QUESTION = "Tell me something about the sea."
PATIENCE_S = 120.0  # s in which an answer begins
HEARD_S = (0.3, 2.0)  # s of an answer that are heard before it is cancelled
PAUSE_S = 1.0  # s between an answer and the next question
SETTLED = 0.25  # share of the time after which what is kept anyway has been made
LOOK_S = 5.0  # s between two looks at the memory


class Delay(TypedDict):
    p95: float | None


class Figures(TypedDict):
    """What the last line says. ``drift_ms_per_min``: by how much the output clocks fall behind the wall's (the session
    that does most); ``dropped_frames``: of all sessions; ``rss_growth_mb``: in the last three quarters, the clients of
    this process included; ``cancel_ms``: from a cancellation to the last that is sent of the answer, at the client."""

    minutes: float
    sessions: int
    drift_ms_per_min: float
    dropped_frames: int
    rss_growth_mb: float
    cancel_ms: Delay


@dataclass(slots=True)
class _Client:
    """One user, who asks, and cancels every other answer while it is heard."""

    line: websocket.ClientConnection
    rng: random.Random
    frames: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])  # s of arrival, s of place
    cancels: list[float] = field(default_factory=list[float])  # s
    sounded: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    last: float = 0.0  # when the last sound, or the end of an answer, came

    async def send(self, kind: str, **fields: Any) -> None:
        await self.line.send(json.dumps({"type": kind, **fields}))

    async def listen(self) -> None:
        """Until the line is closed."""
        async for message in self.line:
            head = message.partition(b"\n")[0] if isinstance(message, bytes) else message
            event, now = json.loads(head), time.monotonic()
            if event["type"] == "response.video.delta":
                self.frames.append((now, event["pts_ms"] / 1000))
            elif event["type"] == "response.output_audio.delta":
                self.last = now
                self.sounded.set()
            elif event["type"] == "response.done":
                self.last = now
                self.sounded.set()
                self.ended.set()

    async def talk(self, until: float) -> None:
        """Ask again and again until that moment."""
        await self.send("session.update", session={"avatar": {}})
        content = [{"type": "input_text", "text": QUESTION}]
        cut = False
        while time.monotonic() < until:
            self.sounded.clear()
            self.ended.clear()
            await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
            await self.send("response.create")
            async with asyncio.timeout(PATIENCE_S):
                await self.sounded.wait()
            if cut:
                await self._cut_off()
            async with asyncio.timeout(PATIENCE_S):
                await self.ended.wait()
            await asyncio.sleep(PAUSE_S)
            cut = not cut

    async def _cut_off(self) -> None:
        await asyncio.sleep(self.rng.uniform(*HEARD_S))
        if self.ended.is_set():
            return
        at = time.monotonic()
        await self.send("response.cancel")
        await self.ended.wait()
        await asyncio.sleep(PAUSE_S)  # whatever still comes
        self.cancels.append(self.last - at)


def soak(
    minutes: Annotated[float, typer.Option(help="How long.", min=0.05)] = 30.0,
    sessions: Annotated[int, typer.Option(help="Conversations at a time.", min=1)] = 4,
    config: Annotated[str, typer.Option(help="A file of configs/, or a path to one.")] = "default",
) -> None:
    """Holds conversations with faces for a long time. The last line of the output is one JSON object."""
    chosen = load(config)
    limits = replace(chosen.server, max_sessions=sessions, idle_s=60.0 * minutes + PATIENCE_S)
    logging.getLogger("companion.audit").disabled = True
    typer.echo(json.dumps(asyncio.run(_measure(build(replace(chosen, server=limits)), minutes, sessions))))


async def _measure(engine: Engine, minutes: float, sessions: int) -> Figures:
    resident: list[float] = []
    async with _served(engine) as port:
        url, binary = f"ws://127.0.0.1:{port}/v1/realtime", Subprotocol("realtime.binary")
        opened = [
            await websocket.connect(url, subprotocols=[binary], max_size=None, max_queue=None, proxy=None)
            for _ in range(sessions)
        ]
        clients = [_Client(line, random.Random(number)) for number, line in enumerate(opened)]
        listening = [asyncio.create_task(client.listen()) for client in clients]
        watching = asyncio.create_task(_watch(resident))
        until = time.monotonic() + 60 * minutes
        try:
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(client.talk(until))
        finally:
            watching.cancel()
            await asyncio.gather(*(line.close() for line in opened), *listening, watching, return_exceptions=True)
    cancels = [seconds for client in clients for seconds in client.cancels]
    settled = resident[int(SETTLED * len(resident)) :] or [0.0]
    return Figures(
        minutes=minutes,
        sessions=sessions,
        drift_ms_per_min=round(max(_drift(client.frames) for client in clients), 2),
        dropped_frames=int(engine.metrics.registry.get_sample_value("vasari_frames_dropped_total") or 0),
        rss_growth_mb=round(settled[-1] - settled[0], 1),
        cancel_ms=Delay(p95=round(1000 * float(np.quantile(cancels, 0.95)), 1) if cancels else None),
    )


async def _watch(resident: list[float]) -> None:
    while True:
        resident.append(resident_mb())
        await asyncio.sleep(LOOK_S)


def _drift(frames: list[tuple[float, float]]) -> float:
    """By how many ms a minute frames (arrival, place on the output clock, in s) come later and later."""
    if len(frames) < 2:
        return 0.0
    arrived, place = np.array(frames).T
    return float(60_000 * np.polyfit(arrived - arrived[0], arrived - place, 1)[0])


@asynccontextmanager
async def _served(engine: Engine) -> AsyncGenerator[int]:
    """The real server, on a free port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    ready = asyncio.Event()
    made = server(engine, ready.set)
    serving = asyncio.create_task(made.serve([listener]))
    await ready.wait()
    try:
        yield listener.getsockname()[1]
    finally:
        made.should_exit = True
        await serving
