"""A queue in front of a database that may not answer: writes are kept in order, encrypted, and retried until they
succeed."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from companion.errors import StageError

log = logging.getLogger(__name__)

RETRIES_S = (1.0, 2.0, 4.0, 8.0, 15.0)  # s before each further attempt; the last one repeats
MOST_BYTES = 4_000_000  # bytes of queued words; beyond that the oldest are dropped
RETRIED_CODE = "memory_failed"  # code of a StageError after which a write is retried


@dataclass(frozen=True, slots=True)
class Entry:
    """A queued write: ``remember`` stores ``words`` (sealed) of a ``conversation`` of ``user``, ``discard`` deletes the
    words of a conversation, ``forget`` deletes all data of a user. ``user`` is the name as stored."""

    kind: Literal["remember", "discard", "forget"]
    user: str
    conversation: str
    at: datetime  # UTC, without a zone
    words: bytes = field(default=b"", repr=False)


class Backlog:
    """The queue. ``write`` carries out one entry: after a StageError with `RETRIED_CODE` it is retried later, after any
    other error dropped. The queue is in memory only and is lost with the process."""

    def __init__(self, write: Callable[[Entry], Awaitable[None]]) -> None:
        self._write = write
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._free = asyncio.Lock()
        self._trying: asyncio.Task[None] | None = None

    async def add(self, entry: Entry) -> None:
        """Queue ``entry`` and carry out everything queued, in order.

        Raises whatever ``write`` raises for this entry. After a StageError with `RETRIED_CODE` the entry stays queued;
        while the database is known not to answer, that is raised at once.
        """
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
        """Queue ``entry`` for the next attempt. Beyond `MOST_BYTES` the oldest words are dropped."""
        self._entries.append(entry)
        self._bytes += len(entry.words)
        while self._bytes > MOST_BYTES:
            self._remove(next(entry for entry in self._entries if entry.words))
            log.error("the memory has not answered for so long that the oldest of what was said is lost")

    def try_later(self) -> None:
        """Start a task that retries until the queue is empty, unless one is running."""
        if self._trying is None and self._entries:
            self._trying = asyncio.create_task(self._try_again(), name="memory backlog")

    def drop(self, user: str = "", conversation: str = "") -> None:
        """Remove the queued words of ``user`` (the name as stored), and those of ``conversation``."""
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
                except Exception as error:  # the database's fault, or the entry's
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
                except StageError as error:  # reported when it failed first
                    log.info("the memory does not answer yet: %s", error.code)
        finally:
            self._trying = None

    def _remove(self, entry: Entry) -> None:
        """Remove ``entry``, unless it was dropped meanwhile."""
        if entry in self._entries:
            self._entries.remove(entry)
            self._bytes -= len(entry.words)
