"""The database of the memory: its tables and connection. SQLite by default, PostgreSQL by URL."""

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, Text, create_engine, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from animator.storage import data_folder
from companion.errors import StageError
from companion.memory.seal import Seal

T = TypeVar("T")

SEAL_MARK = b"vasari"
FILE = "memories.sqlite"
IN_MEMORY = ":memory:"
PATIENCE_S = {"sqlite": 1.0, "postgresql": 5.0}  # s that the driver waits for the database
NO_ROOM_CODES = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
)  # SQLite's errors when the disk has no room for its journal


class Base(DeclarativeBase):
    pass


class Check(Base):
    """A single row, sealed, by which a wrong key is detected."""

    __tablename__ = "vasari_seal"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class Memory(Base):
    """One memory of a user. ``text``, ``slot`` and ``vector`` are sealed; ``vector`` is (384,) float16."""

    __tablename__ = "vasari_memories"
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(Text, index=True)
    kind: Mapped[str]  # "said": the user's own words; "noted": the language model's; "told": corrected by the user
    text: Mapped[bytes]
    slot: Mapped[bytes]  # a user has one memory per slot: a newer one replaces it; "" for none
    vector: Mapped[bytes]
    importance: Mapped[float]  # 0 to 1
    at: Mapped[datetime]  # UTC, when it was said


class Conversation(Base):
    """The words of a conversation from which no notes have been taken yet."""

    __tablename__ = "vasari_conversations"
    id: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(Text, index=True)
    at: Mapped[datetime] = mapped_column(index=True)  # UTC, of the last message
    lines: Mapped[bytes]  # sealed JSON: [[role, text], ...]


def open_database(url: str, seal: Seal) -> sessionmaker[Any]:
    """Connect to the memory's database, create missing tables, and check that ``seal`` has the key in use.

    Raises StageError ``memory_failed`` when it cannot be opened, ``memory_key`` when the key is not the one in use.
    """
    opened = open_tables(url, Base, FILE)
    try:
        with opened.begin() as session:
            check = session.scalars(select(Check)).first()
            if check is None:
                session.add(Check(id=1, value=seal.close(SEAL_MARK)))
            elif seal.open(check.value) != SEAL_MARK:
                raise StageError("memory_key", "The memory is sealed: give its key in VASARI_MEMORY_KEY or key_file.")
    except (SQLAlchemyError, StageError) as error:
        opened.kw["bind"].dispose()
        raise error if isinstance(error, StageError) else _unopened(opened.kw["bind"], error) from error
    return opened


def open_tables(url: str, base: type[DeclarativeBase], file: str) -> sessionmaker[Any]:
    """Connect to a database and create missing tables of ``base``. With an empty ``url`` it is the SQLite file ``file``
    in the platform's folder for user data. Raises StageError ``memory_failed``."""
    engine = _engine(url, file)
    try:
        base.metadata.create_all(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise _unopened(engine, error) from error
    return sessionmaker(engine)


def _unopened(engine: Engine, error: Exception) -> StageError:
    where = engine.url.render_as_string(hide_password=True)
    return StageError("memory_failed", f"The memory {where} cannot be opened: {error}")


def erase(opened: sessionmaker[Any], work: Callable[[Any], T]) -> T:
    """Run ``work``, which only deletes, in a transaction -> its result. On a full disk it is run again with SQLite's
    journal in memory, so that users can always delete. Raises SQLAlchemyError."""
    try:
        with opened.begin() as session:
            return work(session)
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF not in NO_ROOM_CODES:
            raise
    with opened() as session:
        session.execute(text("PRAGMA journal_mode=MEMORY"))
        try:
            result = work(session)
            session.commit()
        finally:
            session.execute(text("PRAGMA journal_mode=DELETE"))
    return result


def _engine(url: str, file: str) -> Engine:
    place = None if "://" in url or url == IN_MEMORY else _file(url, file)
    if "://" not in url:
        url = f"sqlite:///{place or url}"
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+pg8000")
        patience = {"timeout": PATIENCE_S.get(parsed.get_backend_name(), 0)}
        # hide_parameters: error messages must not quote the user.
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True, connect_args=patience)
    except ImportError as error:
        message = f'The memory\'s database needs a driver ({error}). PostgreSQL: pip install "vasari[postgres]"'
        raise StageError("memory_failed", message) from error
    except (ArgumentError, SQLAlchemyError) as error:
        raise StageError("memory_failed", f"The memory's url is not valid: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _overwrite_what_is_deleted)
        if place:
            _notice_that_it_is_gone(engine, place)
    return engine


def _overwrite_what_is_deleted(connection: Any, _: object) -> None:
    connection.execute("PRAGMA secure_delete=ON")


def _notice_that_it_is_gone(engine: Engine, place: Path) -> None:
    """Fail when SQLite's file is gone: SQLite would go on writing to a deleted file, and the data would be lost."""

    def check(connection: Any, record: Any, _: object) -> None:
        if not place.exists():
            record.invalidate()
            raise OperationalError("", {}, FileNotFoundError(place.name))

    event.listen(engine, "checkout", check)


def _file(path: str, file: str) -> Path:
    place = Path(path).expanduser() if path else data_folder() / file
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(place, os.O_CREAT, 0o600))
    except OSError as error:
        raise StageError("memory_failed", f"The file of the memory {place} cannot be made: {error}") from error
    return place
