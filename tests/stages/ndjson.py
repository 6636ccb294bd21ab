"""Ollama's own protocol on loopback: ``POST /api/chat``, answered with one JSON object a line (its docs/api.md)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

MODEL = "llama3.2"


@dataclass
class Ollama:
    """Knows `MODEL` and streams ``messages``: texts, or tool calls as (name, arguments). After them it waits until the
    client is gone, if ``endless``."""

    messages: list[str | tuple[str, dict[str, Any]]] = field(default_factory=lambda: ["Good ", "morning."])
    endless: bool = False
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    client_left: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
        request = json.loads(await reader.readexactly(length))
        if not head.startswith("post /api/chat "):
            _refuse(writer, 404, "404 page not found")
        elif request["model"] != MODEL:
            _refuse(writer, 404, f"model '{request['model']}' not found")
        else:
            self.requests.append(request)
            await self._stream(reader, writer)
        writer.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        for said in self.messages:
            message: dict[str, Any] = {"role": "assistant", "content": said}
            if isinstance(said, tuple):
                calls = [{"function": {"name": said[0], "arguments": said[1]}}]
                message = {"role": "assistant", "content": "", "tool_calls": calls}
            _line(writer, {"message": message, "done": False})
            await writer.drain()
        if self.endless:
            await reader.read()  # ends when the client closes the connection
            self.client_left.set()
            return
        figures = {"total_duration": 10**9, "load_duration": 10**6, "prompt_eval_count": 9, "eval_count": 2}
        over = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
        _line(writer, over | figures | {"prompt_eval_duration": 10**8, "eval_duration": 10**8})
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def _line(writer: asyncio.StreamWriter, content: dict[str, Any]) -> None:
    line = json.dumps({"model": MODEL, "created_at": "2025-01-01T00:00:00.000000Z"} | content).encode() + b"\n"
    writer.write(b"%x\r\n%s\r\n" % (len(line), line))


def _refuse(writer: asyncio.StreamWriter, status: int, problem: str) -> None:
    body = json.dumps({"error": problem}).encode()
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


@asynccontextmanager
async def serve(ollama: Ollama) -> AsyncIterator[Ollama]:
    server = await asyncio.start_server(ollama.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    ollama.url = f"http://{host}:{port}"
    async with server:
        yield ollama
