"""One websocket connection and the session behind it."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from companion.metrics import Metrics
from companion.protocol import codec
from companion.protocol.events import Error, Problem, ServerEvent
from companion.server.entry.admission import REPLACED_MESSAGE, Place
from companion.server.entry.comebacks import Comebacks
from companion.server.outbox import Outbox
from companion.session.client.visitor import Visitor
from companion.session.resuming.keeper import Keeper
from companion.session.session import Session

log = logging.getLogger(__name__)

NORMAL_CLOSE, POLICY_CLOSE, INTERNAL_CLOSE, LATER_CLOSE = 1000, 1008, 1011, 1013  # close codes
PASSING_CODES = ("session_limit_reached", "server_busy", "server_draining")  # refusals that pass with time
FINAL_CLOSE = 4000  # tells the client not to reconnect by itself
LONGEST_REASON = 123  # bytes of UTF-8 that a close frame may carry as its reason
CLOSED_ERRORS = (WebSocketDisconnect, RuntimeError)  # what sending to a closed websocket raises
HEARD_S = 1.5  # s after which a client is taken to have played everything that was sent
GOODBYE_S = 2.0  # s that a closing handshake may take

# Makes a session from: where its events are put, id of the persona, visitor, keeper of a resumable conversation.
Opens = Callable[[Callable[[ServerEvent], None], str, Visitor, Keeper | None], Session]


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ends: the websocket's close code, and the error event to send before it."""

    code: int
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """One client's websocket.

    ``encode`` turns events into messages; ``visitor`` holds the client's rights; ``place`` is its place on the server;
    ``patience`` is how long it may stay silent before its first message and between later ones, in seconds; ``token``
    names the conversation that it resumes, or is "".
    """

    websocket: WebSocket
    encode: codec.Encoder
    visitor: Visitor
    place: Place
    patience: tuple[float, float]
    token: str = ""


async def converse(caller: Caller, persona: str, *, opens: Opens, comebacks: Comebacks, metrics: Metrics) -> None:
    """Run one conversation until either side ends it, then close the websocket. An error ends it, and is logged."""
    end = End(INTERNAL_CLOSE)
    outbox = Outbox()
    try:
        async with (
            comebacks.line(caller.token, caller.visitor, caller.place) as keeper,
            opens(outbox.put, persona, caller.visitor, keeper) as session,
        ):

            def dropped(frames: int) -> None:
                metrics.dropped.inc(frames)
                session.want_keyframe()

            outbox.dropped = dropped
            log.info("session %s begins", session.id)
            end = await _exchange(caller, session, outbox, keeper)
            log.info("session %s ends, code %d", session.id, end.code)
    except Exception:  # a bug must end one conversation only, not the server
        log.exception("a session was ended by an error")
        end = End(INTERNAL_CLOSE)
    await _farewell(caller.websocket, caller.encode, end)


async def refuse(websocket: WebSocket, encode: codec.Encoder, code: str, message: str) -> None:
    """Send an error with ``code`` and ``message``, and close the websocket without opening a session."""
    end = LATER_CLOSE if code in PASSING_CODES else POLICY_CLOSE
    await _farewell(websocket, encode, End(end, Problem(code, message)))


async def _exchange(caller: Caller, session: Session, outbox: Outbox, keeper: Keeper | None) -> End:
    """Receive and send until one side ends, the client stops reading, or its place is lost."""
    stalled = asyncio.create_task(outbox.stalled.wait(), name=f"{session.id} stalled")
    lost = asyncio.create_task(caller.place.lost.wait(), name=f"{session.id} lost")
    receiving = asyncio.create_task(_receive_all(caller, session, keeper), name=f"{session.id} receive")
    sending = asyncio.create_task(_send_all(caller, outbox), name=f"{session.id} send")
    over = asyncio.create_task(_over(session), name=f"{session.id} over")
    tasks: list[asyncio.Task[Any]] = [receiving, sending, stalled, lost, over]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if lost in done:
            return End(FINAL_CLOSE, Problem("session_replaced", REPLACED_MESSAGE))
        if receiving in done:
            return receiving.result()
        if over in done:
            return End(FINAL_CLOSE, over.result())
        return End(POLICY_CLOSE if stalled in done else NORMAL_CLOSE)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _over(session: Session) -> Problem:
    """Wait until the user's time is up and the farewell has been played -> the error to send."""
    message = await session.over()
    await asyncio.sleep(HEARD_S)
    return Problem("time_over", message)


async def _receive_all(caller: Caller, session: Session, keeper: Keeper | None) -> End:
    """Receive messages until the client disconnects or stays silent for longer than its patience."""
    patience, later = caller.patience
    while True:
        try:
            async with asyncio.timeout(patience):
                message = await caller.websocket.receive()
        except TimeoutError:
            return End(FINAL_CLOSE, Problem("session_idle", f"Nothing was heard of you for {patience:.0f} s."))
        patience = later
        if message["type"] == "websocket.disconnect":
            if keeper:
                keeper.left = message.get("code") == NORMAL_CLOSE
            return End(NORMAL_CLOSE)
        caller.place.hear()
        if keeper and keeper.used:
            await keeper.confirm()
        await _take(message, session)


async def _take(message: Message, session: Session) -> None:
    """Decode one message of the client and pass it to the session. If that takes long, only this client waits."""
    text: str | None = message.get("text")
    begun = time.perf_counter()
    try:
        event = codec.decode(text if text is not None else message["bytes"])
    except codec.WireError as error:
        problem = Problem(error.code, str(error), param=error.param, event_id=error.event_id)
        await session.refuse(problem, time.perf_counter() - begun)
    else:
        await session.take(event, time.perf_counter() - begun)


async def _send_all(caller: Caller, outbox: Outbox) -> None:
    with suppress(*CLOSED_ERRORS):
        async for event in outbox.messages():
            await _send(caller.websocket, caller.encode(event))


async def _send(websocket: WebSocket, message: str | bytes) -> None:
    if isinstance(message, str):
        await websocket.send_text(message)
    else:
        await websocket.send_bytes(message)


async def _farewell(websocket: WebSocket, encode: codec.Encoder, end: End) -> None:
    """Send the error, if there is one, and close, as far as the client is still connected."""
    with suppress(*CLOSED_ERRORS, TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            if end.problem:
                await _send(websocket, encode(Error(end.problem)))
            reason = end.problem.message.encode()[:LONGEST_REASON].decode(errors="ignore") if end.problem else None
            await websocket.close(end.code, reason)
