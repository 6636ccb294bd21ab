"""One client's line and the session behind it."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from companion.metrics import Metrics
from companion.protocol import codec
from companion.protocol.events import ClientEvent, Problem, ServerEvent
from companion.server.entry.admission import REPLACED_MESSAGE, Guest
from companion.server.entry.comebacks import Comebacks
from companion.server.outbox import Outbox
from companion.server.transport.wire import (
    FINAL_CLOSE,
    INTERNAL_CLOSE,
    LATER_CLOSE,
    NORMAL_CLOSE,
    POLICY_CLOSE,
    End,
    GoneError,
    Left,
    Wire,
)
from companion.session.client.visitor import Visitor
from companion.session.resuming.keeper import Keeper
from companion.session.session import Session

log = logging.getLogger(__name__)

PASSING_CODES = ("session_limit_reached", "server_busy", "server_draining")  # refusals that pass with time
HEARD_S = 1.5  # s after which a client is taken to have played everything that was sent

# Makes a session from: where its events are put, id of the persona, visitor, keeper of a resumable conversation.
Opens = Callable[[Callable[[ServerEvent], None], str, Visitor, Keeper | None], Session]


@dataclass(frozen=True, slots=True)
class Caller:
    """One client on its ``wire``. ``patience`` is how long it may stay silent before its first message and between
    later ones, in seconds."""

    wire: Wire
    guest: Guest
    patience: tuple[float, float]


async def converse(caller: Caller, persona: str, *, opens: Opens, comebacks: Comebacks, metrics: Metrics) -> None:
    """Run one conversation until either side ends it, then close the wire. An error ends it, and is logged."""
    end = End(INTERNAL_CLOSE)
    outbox, guest = Outbox(), caller.guest
    try:
        async with (
            comebacks.line(guest.token, guest.visitor, guest.place) as keeper,
            opens(outbox.put, persona, guest.visitor, keeper) as session,
        ):

            def dropped(frames: int) -> None:
                metrics.dropped.inc(frames)
                session.want_keyframe()

            outbox.dropped = caller.wire.dropped = dropped
            log.info("session %s begins", session.id)
            end = await _exchange(caller, session, outbox, keeper)
            log.info("session %s ends, code %d", session.id, end.code)
    except Exception:  # a bug must end one conversation only, not the server
        log.exception("a session was ended by an error")
        end = End(INTERNAL_CLOSE)
    await caller.wire.close(end)


async def refuse(wire: Wire, problem: Problem) -> None:
    """Send ``problem``, and close the wire without opening a session."""
    await wire.close(End(LATER_CLOSE if problem.code in PASSING_CODES else POLICY_CLOSE, problem))


async def _exchange(caller: Caller, session: Session, outbox: Outbox, keeper: Keeper | None) -> End:
    """Receive and send until one side ends, the client stops reading, or its place is lost."""
    stalled = asyncio.create_task(outbox.stalled.wait(), name=f"{session.id} stalled")
    lost = asyncio.create_task(caller.guest.place.lost.wait(), name=f"{session.id} lost")
    receiving = asyncio.create_task(_receive_all(caller, session, keeper), name=f"{session.id} receive")
    sending = asyncio.create_task(_send_all(caller.wire, outbox), name=f"{session.id} send")
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
    """Receive messages until the client leaves or stays silent for longer than its patience."""
    patience, later = caller.patience
    while True:
        try:
            async with asyncio.timeout(patience):
                message = await caller.wire.receive()
        except TimeoutError:
            return End(FINAL_CLOSE, Problem("session_idle", f"Nothing was heard of you for {patience:.0f} s."))
        patience = later
        if isinstance(message, Left):
            if keeper:
                keeper.left = message.for_good
            return End(NORMAL_CLOSE)
        caller.guest.place.hear()
        if keeper and keeper.used and isinstance(message, str | bytes):  # a track's sound shows nothing of the kind
            await keeper.confirm()
        await _take(message, session)


async def _take(message: str | bytes | ClientEvent, session: Session) -> None:
    """Decode one message of the client and pass it to the session. If that takes long, only this client waits."""
    begun = time.perf_counter()
    try:
        event = codec.decode(message) if isinstance(message, str | bytes) else message
    except codec.WireError as error:
        problem = Problem(error.code, str(error), param=error.param, event_id=error.event_id)
        await session.refuse(problem, time.perf_counter() - begun)
    else:
        await session.take(event, time.perf_counter() - begun)


async def _send_all(wire: Wire, outbox: Outbox) -> None:
    with suppress(GoneError):
        async for event in outbox.messages():
            await wire.send(event)
