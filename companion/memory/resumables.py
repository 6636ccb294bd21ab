"""Stores conversations for some minutes, so that clients that lose their connection can resume them with a token.

Each is encrypted with a key derived from its token, which itself is not stored: without the client's token neither the
database nor a copy of it reveals anything that was said.
"""

import asyncio
import base64
import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Text, delete, event, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from companion.errors import StageError
from companion.memory import seal, tables
from companion.stages.worker import one_thread

log = logging.getLogger(__name__)
T = TypeVar("T")

FILE = "resumables.sqlite"


class Base(DeclarativeBase):
    pass


class Resumable(Base):
    """One stored conversation. ``id`` is a digest of its token; ``data`` is encrypted with a key derived from it."""

    __tablename__ = "vasari_resumables"
    id: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(Text, index=True)  # the name as the memory stores it; "" for an unnamed user
    until: Mapped[float] = mapped_column(index=True)  # Unix time in s at which it expires
    data: Mapped[bytes]


class Resumables:
    """The store of resumable conversations.

    Args:
        seconds: how long each is kept after it was last stored.
        url: as for `companion.memory.LongTerm`, with its own default file; ":memory:" is lost with the process.
        key_file: as for `companion.memory.LongTerm`: user names are hashed with its key.
        clock: gives Unix time in seconds.

    A database that cannot be opened is logged and replaced by one in memory, so that the server starts nevertheless.

    Raises:
        StageError: ``memory_key`` for an invalid key; from the methods ``resume_failed``.
    """

    def __init__(
        self, seconds: float, url: str = "", key_file: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._names = seal.find(key_file)
        self._pool = one_thread("resumables")
        self._opened: Any = self._pool.submit(_open, url).result()
        self._pool.submit(self._purge).result()

    def close(self) -> None:
        """Close the database. Blocks until running queries end."""
        self._pool.shutdown()
        self._opened.kw["bind"].dispose()

    async def begin(self, token: str, user: str, data: bytes) -> None:
        """Store a new conversation under ``token``; ``data`` is its snapshot, ``user`` may be ""."""
        await self._run(self._begin, token, user, data)

    async def keep(self, token: str, user: str, data: bytes) -> bool:
        """Update a stored conversation -> False if it has been deleted since, so that it must not be stored again."""
        return await self._run(self._keep, token, user, data)

    async def find(self, token: str) -> bytes | None:
        """The snapshot stored under ``token``; None if the token is invalid or expired."""
        return await self._run(self._find, token)

    async def drop(self, token: str) -> None:
        """Delete a conversation; its token becomes invalid."""
        await self._run(self._drop, token)

    async def forget(self, user: str) -> int:
        """Delete all conversations of ``user`` -> their number."""
        return await self._run(self._forget, user)

    async def until(self, user: str) -> list[float]:
        """When the stored conversations of ``user`` expire, as Unix times in seconds, earliest first."""
        return await self._run(self._until, user)

    async def purge(self) -> None:
        """Delete expired conversations."""
        await self._run(self._purge)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run ``work`` in the database's thread, to its end even if the caller is cancelled."""
        try:
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments))
        except SQLAlchemyError as error:
            raise StageError("resume_failed", f"The resumables' database failed: {type(error).__name__}.") from error

    def _begin(self, token: str, user: str, data: bytes) -> None:
        with self._opened.begin() as session:
            session.add(Resumable(id=digest(token), **self._row(token, user, data)))

    def _keep(self, token: str, user: str, data: bytes) -> bool:
        these = update(Resumable).where(Resumable.id == digest(token))
        with self._opened.begin() as session:
            return session.execute(these.values(**self._row(token, user, data))).rowcount > 0

    def _row(self, token: str, user: str, data: bytes) -> dict[str, Any]:
        return {
            "user": self._names.name(user) if user else "",
            "until": self._clock() + self.seconds,
            "data": _fernet(token).encrypt(data),
        }

    def _find(self, token: str) -> bytes | None:
        with self._opened() as session:
            row = session.get(Resumable, digest(token))
            return _fernet(token).decrypt(row.data) if row and row.until > self._clock() else None

    def _drop(self, token: str) -> None:
        self._erase(Resumable.id == digest(token))

    def _forget(self, user: str) -> int:
        return self._erase(Resumable.user == self._names.name(user)) if user else 0

    def _until(self, user: str) -> list[float]:
        these = select(Resumable.until).where(Resumable.user == self._names.name(user))
        with self._opened() as session:
            return list(session.scalars(these.order_by(Resumable.until)))

    def _purge(self) -> None:
        self._erase(Resumable.until <= self._clock())

    def _erase(self, which: Any) -> int:
        return tables.erase(self._opened, lambda session: session.execute(delete(Resumable).where(which)).rowcount)


def new_token() -> str:
    """A random token of 256 bits, in characters that the name of a websocket subprotocol may have."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """The id under which the conversation of ``token`` is stored: SHA-256, in hex."""
    return hashlib.sha256(b"vasari resumable " + token.encode()).hexdigest()


def _fernet(token: str) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"vasari seal " + token.encode()).digest()))


def _open(url: str) -> Any:
    try:
        opened = tables.open_tables(url, Base, FILE)
        if url != tables.IN_MEMORY and opened.kw["bind"].dialect.name == "sqlite":
            event.listen(opened.kw["bind"], "connect", _write_ahead)
            opened.kw["bind"].dispose()  # the connection that made the tables lacks these settings
        return opened
    except StageError as error:
        log.error("conversations can be resumed until this process ends, and no longer: %s", error)
        return tables.open_tables(tables.IN_MEMORY, Base, FILE)


def _write_ahead(connection: Any, _: object) -> None:
    """Let SQLite write without waiting for the disk, since conversations are stored several times a second. A killed
    process loses nothing by that, a power failure the last seconds."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
