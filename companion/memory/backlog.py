"""A queue for a database that does not answer: what is to be written is kept in order, sealed, and written once it
does."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from companion.errors import StageError

log = logging.getLogger(__name__)

RETRIES_S = (1.0, 2.0, 4.0, 8.0, 15.0)  # s until the next attempts; the last one holds for all that follow
MOST_BYTES = 4_000_000  # bytes of words that are kept; of more the oldest go
RETRIED_CODE = "memory_failed"  # code of what may succeed later


@dataclass(frozen=True, slots=True)
class Entry:
    """``words``, sealed, of a ``conversation`` of ``user`` (as stored); or what is to be deleted of either."""

    kind: Literal["remember", "discard", "forget"]
    user: str
    conversation: str
    at: datetime  # UTC, without a zone
    words: bytes = field(default=b"", repr=False)


class Backlog:
    """``write`` carries out one entry. After StageError `RETRIED_CODE` it is tried again later, after any other given
    up. All of it is lost with the process."""

    def __init__(self, write: Callable[[Entry], Awaitable[None]]) -> None:
        self._write = write
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._free = asyncio.Lock()
        self._trying: asyncio.Task[None] | None = None

    async def add(self, entry: Entry) -> None:
        """Carry it out after those before it. Raises what went wrong, and StageError `RETRIED_CODE` at once while the
        database is known not to answer: it is kept then."""
        self.keep(entry)
        if self._trying:
            raise StageError(
                RETRIED_CODE, "The memory's database does not answer. What is said is stored once it does."
            )
        try:
            await self._flush(entry)
        except StageError as error:
            if error.code == RETRIED_CODE:
                self.try_later()
            raise

    def keep(self, entry: Entry) -> None:
        """Queue it for the next attempt."""
        self._entries.append(entry)
        self._bytes += len(entry.words)
        while self._bytes > MOST_BYTES:
            self._remove(next(entry for entry in self._entries if entry.words))
            log.error("the memory has not answered for so long that the oldest of what was said is lost")

    def try_later(self) -> None:
        """Retry until the queue is empty."""
        if self._trying is None and self._entries:
            self._trying = asyncio.create_task(self._try_again(), name="memory backlog")

    def drop(self, user: str = "", conversation: str = "") -> None:
        """Remove from the queue what is to be remembered of a user (as stored), or of a conversation."""
        for entry in [*self._entries]:
            if entry.words and (entry.user == user or entry.conversation == conversation):
                self._remove(entry)

    def close(self) -> None:
        """Stop retrying."""
        if self._trying:
            self._trying.cancel()

    async def _flush(self, mine: Entry | None = None) -> None:
        async with self._free:
            while self._entries:
                entry = self._entries[0]
                try:
                    await self._write(entry)
                except Exception as error:  # of the database, or of what was to be written
                    if isinstance(error, StageError) and error.code == RETRIED_CODE:
                        raise
                    self._remove(entry)
                    if entry is mine:
                        raise
                    log.error("something cannot be remembered: %s", type(error).__name__)
                self._remove(entry)

    async def _try_again(self) -> None:
        attempt = 0
        try:
            while self._entries:
                await asyncio.sleep(RETRIES_S[min(attempt, len(RETRIES_S) - 1)])
                attempt += 1
                try:
                    await self._flush()
                except StageError as error:  # was told when it failed first
                    log.info("the memory does not answer yet: %s", error.code)
        finally:
            self._trying = None

    def _remove(self, entry: Entry) -> None:
        """Unless it was dropped meanwhile."""
        if entry in self._entries:
            self._entries.remove(entry)
            self._bytes -= len(entry.words)
