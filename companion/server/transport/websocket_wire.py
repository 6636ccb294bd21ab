"""A websocket as a `Wire`."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from companion.protocol import codec
from companion.protocol.events import Error, ServerEvent
from companion.server.transport.wire import GOODBYE_S, NORMAL_CLOSE, End, GoneError, Left

LONGEST_REASON = 123  # bytes of UTF-8 that a close frame may carry as its reason
CLOSED_ERRORS = (WebSocketDisconnect, RuntimeError)  # what sending to a closed websocket raises


class WebSocketWire:
    """An accepted ``websocket``; ``encode`` turns events into messages."""

    def __init__(self, websocket: WebSocket, encode: codec.Encoder) -> None:
        self._websocket, self._encode = websocket, encode
        self.tracks = False
        self.dropped: Callable[[int], None] = lambda frames: None  # never called: TCP loses nothing

    async def receive(self) -> str | bytes | Left:
        """As `Wire.receive`: a text or binary message."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return Left(for_good=message.get("code") == NORMAL_CLOSE)
        text: str | None = message.get("text")
        return text if text is not None else message["bytes"]

    async def send(self, event: ServerEvent) -> None:
        """As `Wire.send`: one message."""
        message = self._encode(event)
        try:
            if isinstance(message, str):
                await self._websocket.send_text(message)
            else:
                await self._websocket.send_bytes(message)
        except CLOSED_ERRORS as error:
            raise GoneError from error

    async def close(self, end: End) -> None:
        """As `Wire.close`; the problem's message is the reason in the close frame, too."""
        with suppress(GoneError, *CLOSED_ERRORS, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                if end.problem:
                    await self.send(Error(end.problem))
                reason = end.problem.message.encode()[:LONGEST_REASON].decode(errors="ignore") if end.problem else None
                await self._websocket.close(end.code, reason)
