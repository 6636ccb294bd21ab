"""A simulated user of a session on a server, connected by a real websocket like any client."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import websockets.asyncio.client as websocket
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from companion.call.caller import PATIENCE_S, Caller, Microphone, TalkError, seen
from companion.call.recording import Recording
from companion.protocol import events
from companion.protocol.codec import request
from companion.protocol.events import ClientEvent, ServerEvent
from companion.stages.streams import ended

LOST_CODE = "connection_lost"  # error code when the server has closed the connection
BINARY_PROTOCOL = Subprotocol("realtime.binary")
READERS: dict[str, TypeAdapter[ServerEvent]] = {name: TypeAdapter(kind) for name, kind in events.SERVER_EVENTS.items()}


@asynccontextmanager
async def dial(url: str, key: str = "", patience: float = PATIENCE_S) -> AsyncGenerator[Caller]:
    """Connect to the server at ``url`` (ws:// or wss://, ending in /v1/realtime), as `companion.call.caller.call` does
    in this process. Video is not kept.

    Args:
        key: API key, "" for none.
        patience: as in `Caller`, s.

    Raises:
        TalkError: the server cannot be reached or refuses; its ``code`` is the server's.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else None
    try:
        line = await websocket.connect(
            url, subprotocols=[BINARY_PROTOCOL], additional_headers=headers, max_size=None, max_queue=None, proxy=None
        )
    except (OSError, WebSocketException) as error:
        raise TalkError(f"{url} cannot be called: {error}") from error
    outgoing: asyncio.Queue[ClientEvent] = asyncio.Queue()
    caller = Caller(Microphone(outgoing.put_nowait), Recording(keep=False), patience=patience)
    talking = asyncio.create_task(_send(line, outgoing), name="send")
    listening = asyncio.create_task(_receive(line, caller.recording), name="receive")
    try:
        async with seen(caller, ""):
            yield caller
    finally:
        await ended(talking, listening)
        await line.close()


def read(message: str | bytes) -> ServerEvent | None:
    """A message of the server -> its event; None if its type is unknown. Raises ValueError or KeyError if malformed."""
    head, media = (message, None) if isinstance(message, str) else message.split(b"\n", 1)
    fields = json.loads(head)
    adapter = READERS.get(fields.pop("type"))
    fields.pop("event_id", None)
    return adapter.validate_python(fields if media is None else fields | {"delta": media}) if adapter else None


async def _receive(line: websocket.ClientConnection, recording: Recording) -> None:
    loop = asyncio.get_running_loop()
    async for message in line:
        if (event := read(message)) is not None:
            recording.add(event, loop.time())
    recording.errors.append((LOST_CODE, f"The server closed the line, code {line.close_code}."))


async def _send(line: websocket.ClientConnection, outgoing: asyncio.Queue[ClientEvent]) -> None:
    with suppress(ConnectionClosed):
        while True:
            await line.send(request(await outgoing.get()))
