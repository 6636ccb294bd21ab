"""One websocket and its session."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from companion import wire
from companion.access import Visitor
from companion.engine import Engine
from companion.events import Error, Problem
from companion.outbox import Outbox
from companion.session import Session

log = logging.getLogger(__name__)

NORMAL, POLICY, INTERNAL, TRY_AGAIN_LATER = 1000, 1008, 1011, 1013  # close codes
GOODBYE = 2.0  # s that a closing handshake may take


async def converse(engine: Engine, websocket: WebSocket, encode: wire.Encoder, persona: str, visitor: Visitor) -> None:
    """Until either side ends it."""
    code = NORMAL
    outbox = Outbox()
    try:
        async with Session(engine, outbox.put, persona, visitor) as session:

            def dropped(frames: int) -> None:
                engine.metrics.dropped.inc(frames)
                session.want_keyframe()

            outbox.dropped = dropped
            log.info("session %s begins", session.id)
            code = await _exchange(websocket, session, outbox, encode)
            log.info("session %s ends, code %d", session.id, code)
    except Exception:  # a mistake of ours ends one conversation and not the server
        log.exception("a session was ended by an error")
        code = INTERNAL
    await _close(websocket, code)


async def refuse(websocket: WebSocket, encode: wire.Encoder, code: str, message: str) -> None:
    """Say why there will be no session, and close."""
    with suppress(WebSocketDisconnect, RuntimeError):
        await _send(websocket, encode(Error(Problem(code, message))))
    await _close(websocket, TRY_AGAIN_LATER if code == "session_limit_reached" else POLICY)


async def _exchange(websocket: WebSocket, session: Session, outbox: Outbox, encode: wire.Encoder) -> int:
    """Receive and send until one of them ends, or the client stops reading -> the close code."""
    stalled = asyncio.create_task(outbox.stalled.wait(), name=f"{session.id} stalled")
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(_receive_all(websocket, session), name=f"{session.id} receive"),
        asyncio.create_task(_send_all(websocket, outbox, encode), name=f"{session.id} send"),
        stalled,
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return POLICY if stalled in done else NORMAL
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _receive_all(websocket: WebSocket, session: Session) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text: str | None = message.get("text")
        try:
            session.receive(wire.decode(text if text is not None else message["bytes"]))
        except wire.WireError as error:
            session.complain(Problem(error.code, str(error), param=error.param, event_id=error.event_id))


async def _send_all(websocket: WebSocket, outbox: Outbox, encode: wire.Encoder) -> None:
    with suppress(WebSocketDisconnect):
        async for event in outbox.messages():
            await _send(websocket, encode(event))


async def _send(websocket: WebSocket, message: str | bytes) -> None:
    if isinstance(message, str):
        await websocket.send_text(message)
    else:
        await websocket.send_bytes(message)


async def _close(websocket: WebSocket, code: int) -> None:
    """Politely, if the other side still listens."""
    with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(GOODBYE):
            await websocket.close(code)
