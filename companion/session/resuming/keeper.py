"""Keeps one session's conversation, so that its client can go on with it over its next connection."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from companion.errors import StageError
from companion.memory.resumables import Resumables, new_token
from companion.protocol.codec import WireError
from companion.protocol.events import AudioDelta, Json, ServerEvent, VideoDelta
from companion.protocol.settings import Settings
from companion.session.resuming.snapshot import Snapshot, dumps

log = logging.getLogger(__name__)

REST_S = 0.3  # s between two times at which it is stored
MEDIA = (AudioDelta, VideoDelta)  # events that change nothing that is kept


class Keeper:
    """One session's. ``before`` is what it goes on with, and ``used`` the token of that, which is given up as soon as
    the client shows that it has the new one: the line may be lost in between."""

    def __init__(self, store: Resumables, before: Snapshot | None = None, used: str = "") -> None:
        self.before = before
        self.used = used if before else ""
        self.token = new_token()
        self.left = False  # the client has said goodbye: the conversation will not be resumed
        self.ended = asyncio.Event()  # the last has been kept
        self._store = store
        self._changed = asyncio.Event()
        self._begun = self._revoked = self._failed = False

    def accepted(self, check: Callable[[Settings], Settings]) -> Snapshot | None:
        """What to go on with, under the settings that this server can keep; nothing where it cannot (``check`` raises
        WireError): it may run another configuration since."""
        try:
            self.before = self.before and replace(self.before, settings=check(self.before.settings))
        except WireError:
            self.before = None
        return self.before

    def describe(self) -> Json:
        """What `session.created` says of it."""
        own = {"token": self.token, "seconds": self._store.seconds, "resumed": self.before is not None}
        return {"resume": own}

    def watching(self, send: Callable[[ServerEvent], None]) -> Callable[[ServerEvent], None]:
        """``send``, where every event but media means that there is something new to keep."""

        def sent(event: ServerEvent) -> None:
            send(event)
            if not isinstance(event, MEDIA):
                self._changed.set()

        return sent

    async def run(self, snapshot: Callable[[], Snapshot]) -> None:
        """Store the session at every change and now and then, until cancelled."""
        while not self._revoked:
            await self._save(snapshot())
            await asyncio.sleep(REST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._store.seconds / 3):
                    await self._changed.wait()

    async def confirm(self) -> None:
        """The client has the new token."""
        used, self.used = self.used, ""
        if used:
            with suppress(StageError):  # then its time ends it
                await self._store.drop(used)

    async def end(self, snapshot: Snapshot) -> None:
        """The session is over."""
        try:
            if self.left:
                with suppress(StageError):
                    await self._store.drop(self.token)
            else:
                await self._save(snapshot)
        finally:
            self.ended.set()

    async def _save(self, snapshot: Snapshot) -> None:
        self._changed.clear()
        data = dumps(snapshot)
        begun, self._begun = self._begun, True  # also where this is cancelled: the database does it all the same
        try:
            if not begun:
                await self._store.begin(self.token, snapshot.user, data)
            elif not self._revoked:
                self._revoked = not await self._store.keep(self.token, snapshot.user, data)
            self._failed = False
        except StageError as error:
            if not self._failed:
                log.error("a conversation cannot be kept for its next line: %s", error)
            self._begun, self._failed = begun, True
