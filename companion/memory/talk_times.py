"""Stores how long minors have talked, so that their limits outlast a restart: numbers and days, no words.

Rows older than `KEPT_S`, which no limit looks at any more, are deleted.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Text, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from companion.config import Care, Resume
from companion.errors import StageError
from companion.memory import seal, tables
from companion.memory.resumables import FILE
from companion.stages.worker import one_thread

Json = dict[str, Any]
T = TypeVar("T")

KEPT_S = 48 * 3600.0  # s: the local day of any time zone, and the longest pause


class Base(DeclarativeBase):
    pass


class TalkTime(Base):
    """What `companion.safety.allowance.Talked` holds, of one user."""

    __tablename__ = "vasari_talk_times"
    user: Mapped[str] = mapped_column(Text, primary_key=True)  # the name as the memory stores it
    day: Mapped[str]
    at: Mapped[float] = mapped_column(index=True)
    day_s: Mapped[float]
    run_s: Mapped[float]


class TalkTimes:
    """The table of talk times, beside that of resumable conversations.

    Args:
        url, key_file: as for `companion.memory.resumables.Resumables`.
        clock: gives Unix time in seconds.

    Raises StageError ``memory_key`` for an invalid key; it and the methods ``memory_failed`` when the database fails.
    """

    def __init__(self, url: str = "", key_file: str = "", clock: Callable[[], float] = time.time) -> None:
        self._names, self._clock = seal.find(key_file), clock
        self._pool = one_thread("talk times")
        self._opened: Any = self._run(tables.open_tables, url, Base, FILE).result()

    def name(self, user: str) -> str:
        """The name under which ``user`` is stored."""
        return self._names.name(user)

    def recent(self) -> dict[str, Json]:
        """What is stored, by the users' stored names. Blocks."""
        return self._run(self._recent).result()

    def keep(self, name: str, talked: Json, anew: bool) -> Future[bool]:
        """Update the row of ``name`` -> whether there is one: it is made where there is none only if ``anew``, since it
        may have been deleted."""
        return self._run(self._keep, name, talked, anew)

    def forget(self, name: str) -> int:
        """Delete the row of ``name``, after all that is still being stored -> 1, or 0 if there was none. Blocks."""
        return self._run(self._forget, name).result()

    def close(self) -> None:
        """Close the database. Blocks until everything is stored."""
        self._pool.shutdown()
        self._opened.kw["bind"].dispose()

    def _run(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        def explained() -> T:
            try:
                return work(*arguments)
            except SQLAlchemyError as error:
                raise StageError(
                    "memory_failed", f"The talk times' database failed: {type(error).__name__}."
                ) from error

        return self._pool.submit(explained)

    def _recent(self) -> dict[str, Json]:
        self._erase(TalkTime.at < self._clock() - KEPT_S)
        with self._opened() as session:
            rows = session.scalars(select(TalkTime)).all()
        return {row.user: {"day": row.day, "at": row.at, "day_s": row.day_s, "run_s": row.run_s} for row in rows}

    def _keep(self, name: str, talked: Json, anew: bool) -> bool:
        mine = TalkTime.user == name
        with self._opened.begin() as session:
            if session.execute(update(TalkTime).where(mine).values(**talked)).rowcount:
                return True
            if anew:
                session.execute(insert(TalkTime).values(user=name, **talked))
            return anew

    def _forget(self, name: str) -> int:
        return self._erase(TalkTime.user == name)

    def _erase(self, which: Any) -> int:
        return tables.erase(self._opened, lambda session: session.execute(delete(TalkTime).where(which)).rowcount)


def opened(care: Care, resume: Resume) -> TalkTimes | None:
    """Those of a configuration: in the database of resumable conversations; None where no time is limited, or where
    nothing is to be kept there. Raises StageError."""
    limited = care.minors_minutes or care.minors_day_minutes
    return TalkTimes(resume.url, resume.key_file) if limited and resume.seconds > 0 else None
