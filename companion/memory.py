"""What is remembered between sessions. Whether it may be is the caller's question, and the user's answer."""

import asyncio
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

from companion.stages import Message, StageError
from companion.worker import one_thread

CANDIDATES = 500  # newest messages that are looked at
HALF_LIFE_DAYS = 30.0  # after this long a memory counts half
WORD = re.compile(r"[^\W\d_]{3,}|\d+")
COMMON = frozenset(
    {
        "about", "all", "also", "and", "any", "are", "been", "being", "but", "can", "could", "did", "does",
        "for", "from", "get", "got", "has", "had", "have", "her", "his", "him", "how", "into", "its", "just",
        "like", "more", "much", "not", "our", "out", "over", "really", "she", "some", "than", "that", "the",
        "their", "them", "then", "there", "they", "this", "too", "very", "was", "were", "what", "when", "where",
        "which", "while", "who", "why", "will", "with", "would", "yes", "you", "your",
    }
)  # fmt: skip  # words that say nothing about the subject


class Base(DeclarativeBase):
    pass


class Session(Base):
    """One conversation with one user."""

    __tablename__ = "sessions"
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]  # UTC
    lines: Mapped[list["Line"]] = relationship(back_populates="session", cascade="all, delete-orphan")


class Line(Base):
    """One message of a conversation."""

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
    content: Mapped[str]
    session: Mapped[Session] = relationship(back_populates="lines")


class SQLite:
    """History per user in one SQLite file, recalled by shared words and age.

    Args:
        path: the file, made when missing; "" is ``vasari/memory.sqlite`` in the platform's folder for user data,
            ":memory:" forgets everything at exit.
    """

    def __init__(self, path: str = "") -> None:
        place = path if path == ":memory:" else _file(path)
        engine = create_engine(f"sqlite:///{place}", hide_parameters=True)  # errors must not quote the user
        event.listen(engine, "connect", _enforce_references)
        self._open = sessionmaker(engine)
        self._pool = one_thread("memory")  # one at a time is what SQLite does anyway
        try:
            self._pool.submit(Base.metadata.create_all, engine).result()
        except SQLAlchemyError as error:
            raise StageError("memory_failed", f"The memory {place} cannot be opened: {error}") from error

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """What ``user`` said in earlier sessions that shares words with ``about``, best first; the newer wins a tie."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._recall, user, about, limit)

    async def remember(self, user: str, messages: Sequence[Message]) -> None:
        """Store what was said in one session, in order; instructions to the model were not said."""
        said = [message for message in messages if message.role != "system" and message.content.strip()]
        if said:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._remember, user, said)

    def _recall(self, user: str, about: str, limit: int) -> list[str]:
        newest = select(Line.content, Session.at).join(Session).where(Session.user == user, Line.role == "user")
        try:
            with self._open() as session:
                rows = session.execute(newest.order_by(Line.id.desc()).limit(CANDIDATES)).all()
        except SQLAlchemyError as error:
            raise StageError("memory_failed", f"The memory cannot be read: {type(error).__name__}") from error
        now = datetime.now(UTC)
        lines = {content: (now - at.replace(tzinfo=UTC)).total_seconds() / 86_400 for content, at in reversed(rows)}
        return rank(about, lines)[:limit]

    def _remember(self, user: str, said: Sequence[Message]) -> None:
        lines = [Line(role=message.role, content=message.content) for message in said]
        try:
            with self._open.begin() as session:
                session.add(Session(user=user, at=datetime.now(UTC), lines=lines))
        except SQLAlchemyError as error:
            raise StageError("memory_failed", f"The memory cannot be written: {type(error).__name__}") from error


def _enforce_references(connection: Any, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")


class Off:
    """No memory."""

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """Nothing."""
        return []

    async def remember(self, user: str, messages: Sequence[Message]) -> None:
        """Forget at once."""


def rank(about: str, lines: Mapping[str, float]) -> list[str]:
    """The lines that share a meaningful word with ``about``, best first: rare words weigh more, age (days) less."""
    words = {line: _words(line) for line in lines}
    asked = _words(about)
    frequency = {word: sum(word in found for found in words.values()) for word in asked}

    def score(line: str) -> float:
        weight = sum(math.log(1 + len(lines) / frequency[word]) for word in words[line] & asked)
        return weight * 0.5 ** (lines[line] / HALF_LIFE_DAYS)

    return sorted((line for line in lines if score(line) > 0), key=score, reverse=True)


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in WORD.findall(text.lower()) if word not in COMMON}


def _file(path: str) -> Path:
    place = Path(path).expanduser() if path else _data_dir() / "memory.sqlite"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError("memory_failed", f"The folder of the memory {place} cannot be made: {error}") from error
    return place


def _data_dir() -> Path:
    """The platform's folder for user data."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "vasari"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "vasari"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "vasari"
