"""Reconnection: clients that lost their connection resume the conversation on another one."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from companion.errors import StageError
from companion.memory.resumables import Resumables
from companion.server.entry.admission import Place
from companion.session.client.visitor import Visitor
from companion.session.resuming.keeper import Keeper
from companion.session.resuming.snapshot import Snapshot, loads

log = logging.getLogger(__name__)

PROTOCOL = "vasari-resume."  # the token follows; unlike a query parameter, a subprotocol appears in no log
ENDS_S = 10.0  # s that the conversation on the earlier connection may take to end


def token_of(protocols: Sequence[str]) -> str:
    """The resumption token among the subprotocols that a client offers; "" if there is none."""
    return next((name.removeprefix(PROTOCOL) for name in protocols if name.startswith(PROTOCOL)), "")


class Comebacks:
    """The resumable conversations of one server. Without a ``store`` none can be resumed."""

    def __init__(self, store: Resumables | None) -> None:
        self._store = store
        self._open: dict[Keeper, tuple[Visitor, Place]] = {}  # conversations that are connected now

    def place(self, token: str, visitor: Visitor) -> Place | None:
        """The place that the conversation with this token still holds, if it is connected and the visitor's own."""
        keeper = self._holder(token, visitor)
        return self._open[keeper][1] if keeper else None

    @asynccontextmanager
    async def line(self, token: str, visitor: Visitor, place: Place) -> AsyncGenerator[Keeper | None]:
        """A context manager around a connection's conversation, which is new or, with a valid ``token``, resumed ->
        its keeper; None without a store."""
        if self._store is None:
            yield None
            return
        keeper = Keeper(self._store, await self._find(self._store, token, visitor), token)
        self._open[keeper] = visitor, place
        try:
            yield keeper
        finally:
            del self._open[keeper]

    async def watch(self) -> None:
        """Delete expired conversations periodically until cancelled. Failures are logged."""
        while self._store:
            await asyncio.sleep(self._store.seconds / 10)
            try:
                await self._store.purge()
            except StageError as error:
                log.error("conversations that are over cannot be deleted: %s", error)

    def _holder(self, token: str, visitor: Visitor) -> Keeper | None:
        held = (keeper for keeper, (whose, _) in self._open.items() if whose == visitor)
        return next((keeper for keeper in held if token and token in (keeper.token, keeper.used)), None)

    async def _find(self, store: Resumables, token: str, visitor: Visitor) -> Snapshot | None:
        """The snapshot to resume; None for an invalid token or that of another visitor. If its earlier connection is
        still open, end that one first."""
        if not token:
            return None
        try:
            if holder := self._holder(token, visitor):
                self._open[holder][1].lost.set()
                await asyncio.wait_for(holder.ended.wait(), ENDS_S)
            found = await store.find(token)
            before = loads(found) if found else None
        except (StageError, ValueError, TimeoutError) as error:
            log.error("a conversation cannot be resumed: %s", type(error).__name__)
            return None
        return before if before and before.visitor == visitor.user else None
