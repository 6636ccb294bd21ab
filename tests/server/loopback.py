"""The real server on a free port of this machine, with scripted stages."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import websockets

from companion import config, engine
from companion.engine import Engine
from companion.server.app import create_app
from companion.server.launch import _Server

QUICK: dict[str, Any] = {
    "asr": {"use": "companion.stages.fakes:ScriptedASR", "texts": ["What is your name?"]},
    "llm": {"use": "companion.stages.fakes:ScriptedLLM", "replies": ["My name is Anna. I live here."]},
    "tts": {"use": "companion.stages.fakes:ToneTTS", "word_s": 0.1},
    "face": {"use": "companion.avatar.cartoon:CartoonAnimator", "size": 64},
}


@dataclass
class Running:
    port: int
    engine: Engine
    server: _Server

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    def connect(self, *protocols: str, **more: Any) -> Any:
        more = {"compression": None, "max_size": None, "proxy": None} | more
        return websockets.connect(self.ws, subprotocols=protocols or None, **more)

    async def emptied(self, within: float = 10.0) -> None:
        """Wait until no session is open."""
        for _ in range(round(within / 0.02)):
            if not self.engine.metrics.registry.get_sample_value("vasari_sessions"):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("a session is still open")


@contextlib.asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Running]:
    """Server and stages as in ``configs/fakes.toml``, quick, with ``changes`` to any table."""
    parts = engine.build(config.load("fakes", QUICK | changes))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    ready = asyncio.Event()
    server = _Server(create_app(parts), parts.config.server, ready.set)
    task = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.wait_for(ready.wait(), 20)
        yield Running(listener.getsockname()[1], parts, server)
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 20)
        parts.device.close()  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def relay(server: Running) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Lines to the server that are cut, without a goodbye, when the event is set."""
    cut = asyncio.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", server.port)
        pumps = [asyncio.create_task(pump(reader, onward)), asyncio.create_task(pump(there, writer))]
        await cut.wait()
        for task in pumps:
            task.cancel()
        for each in (writer, onward):
            each.transport.abort()

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as listener:
        try:
            yield f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1/realtime", cut
        finally:
            cut.set()


async def receive(ws: Any, kind: str, within: float = 20.0) -> dict[str, Any]:
    """The next event of a kind; of a binary message its head, with the raw bytes as ``bytes``."""
    async with asyncio.timeout(within):
        while True:
            message = await ws.recv()
            if isinstance(message, bytes):
                head, _, body = message.partition(b"\n")
                event = json.loads(head) | {"bytes": body}
            else:
                event = json.loads(message)
            if event["type"] == kind:
                return event


async def send(ws: Any, kind: str, **fields: Any) -> None:
    await ws.send(json.dumps({"type": kind, **fields}))


async def ask(ws: Any, text: str) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await send(ws, "conversation.item.create", item=item)
    await send(ws, "response.create")
