"""Conversations kept for some minutes for clients whose connection may be lost, each for the holder of its token.

They are sealed with a key that is derived from the token, and the token itself is not stored: neither the database nor
a copy of it reveals anything without the client's help.
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
    """One conversation. ``id`` is a digest of its token; ``data`` is sealed with the token."""

    __tablename__ = "vasari_resumables"
    id: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(Text, index=True)  # as the memory stores users; "" where nobody was named
    until: Mapped[float] = mapped_column(index=True)  # s, Unix time at which it is deleted
    data: Mapped[bytes]


class Resumables:
    """Each is kept for ``seconds`` after it was stored last.

    Args:
        url: as that of `companion.memory.LongTerm`, with a file of its own; ":memory:" ends with the process.
        key_file: as that of the memory: user names are hashed with its key.

    A database that cannot be opened is not worth a server that does not start: the process's memory takes its place.
    The methods raise StageError ``resume_failed``.
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
        """Close the database."""
        self._pool.shutdown()
        self._opened.kw["bind"].dispose()

    async def begin(self, token: str, user: str, data: bytes) -> None:
        """Keep a conversation from now on."""
        await self._run(self._begin, token, user, data)

    async def keep(self, token: str, user: str, data: bytes) -> bool:
        """It has gone on -> whether it may be kept: somebody may have deleted it."""
        return await self._run(self._keep, token, user, data)

    async def find(self, token: str) -> bytes | None:
        """The conversation of a token, if it has not expired. Quick for invalid tokens."""
        return await self._run(self._find, token)

    async def drop(self, token: str) -> None:
        """Delete a conversation; its token is invalid from now on."""
        await self._run(self._drop, token)

    async def forget(self, user: str) -> int:
        """Delete everything of ``user`` -> how many conversations that were."""
        return await self._run(self._forget, user)

    async def until(self, user: str) -> list[float]:
        """Until when conversations of ``user`` are kept, as Unix times in seconds."""
        return await self._run(self._until, user)

    async def purge(self) -> None:
        """Delete expired conversations."""
        await self._run(self._purge)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Also where the caller is cancelled before its turn comes."""
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
    """A secret of 256 bits, in letters that a subprotocol may have."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """By which a conversation is found."""
    return hashlib.sha256(b"vasari resumable " + token.encode()).hexdigest()


def _fernet(token: str) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"vasari seal " + token.encode()).digest()))


def _open(url: str) -> Any:
    try:
        opened = tables.open_tables(url, Base, FILE)
        if url != tables.IN_MEMORY and opened.kw["bind"].dialect.name == "sqlite":
            event.listen(opened.kw["bind"], "connect", _write_ahead)
            opened.kw["bind"].dispose()  # the connection that has made the tables
        return opened
    except StageError as error:
        log.error("conversations can be resumed until this process ends, and no longer: %s", error)
        return tables.open_tables(tables.IN_MEMORY, Base, FILE)


def _write_ahead(connection: Any, _: object) -> None:
    """A conversation is stored several times a second: nobody waits for the disk. A process that is killed loses
    nothing by it, a power cut the last seconds."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
