"""A small OpenAI-compatible endpoint on loopback, which notices when a client goes away."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Endpoint:
    """Streams ``deltas`` one at a time: texts, or what else a delta may hold, such as ``tool_calls``. After them it
    waits until the client is gone, if ``endless``."""

    deltas: list[str | dict] = field(default_factory=lambda: ["Good ", "morning."])
    endless: bool = False
    status: int = 200
    url: str = ""
    requests: list[dict] = field(default_factory=list)
    client_left: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        self.requests.append(json.loads(await reader.readexactly(length)))
        if self.status != 200:
            body = b'{"error": {"message": "no beans", "type": "refused", "code": "refused"}}'
            writer.write(b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\n" % self.status)
            writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for text in self.deltas:
                delta = text if isinstance(text, dict) else {"content": text}
                choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": None}
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
                writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
                await writer.drain()
            if self.endless:
                await reader.read()  # ends when the client closes the connection
                self.client_left.set()
            writer.write(b"data: [DONE]\n\n")
        writer.close()


@asynccontextmanager
async def serve(endpoint: Endpoint) -> AsyncIterator[Endpoint]:
    server = await asyncio.start_server(endpoint.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    endpoint.url = f"http://{host}:{port}/v1"
    async with server:
        yield endpoint
