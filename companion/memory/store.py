"""The store of memories: reads and writes of the tables, sealed, per user. Blocks; to be used from one thread."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import sessionmaker

from companion.errors import StageError
from companion.memory import tables
from companion.memory.notes import Note
from companion.memory.seal import Seal
from companion.models.embeddings import Embeds, Vectors
from companion.stages.protocols import Kept, Message

MOST_MEMORIES = 500  # memories of one user; the least important, then the oldest, are dropped first
MOST_MESSAGES = 100  # latest messages of a conversation that are kept until it ends
SAME_COSINE = 0.85  # cosine similarity above which two memories count as the same
_TABLES = (tables.Memory, tables.Conversation)  # the tables with users' data
ABANDONED_AFTER = timedelta(hours=1)  # time without a new message after which a conversation's process counts as gone


@dataclass(frozen=True, slots=True)
class Memory:
    """A row of `tables.Memory`, unsealed."""

    id: int
    note: Note
    at: datetime  # UTC, without a zone
    vector: Vectors  # (384,) float32, of length 1


@dataclass(frozen=True, slots=True)
class Past:
    """The messages of a conversation. ``id`` is the conversation's, ``name`` the user's as stored; ``at`` is the time
    of the last message, UTC without a zone."""

    id: str
    name: str
    messages: list[Message]
    at: datetime


class Store:
    """Reads and writes memories, protected by ``seal``. Arguments called ``user`` are names as the caller has them,
    those called ``name`` are names as stored. All methods raise SQLAlchemyError when the database fails."""

    def __init__(self, opened: sessionmaker[Any], seal: Seal, embedder: Embeds) -> None:
        self._open, self._seal, self._embedder = opened, seal, embedder

    def name(self, user: str) -> str:
        """The name under which ``user`` is stored."""
        return self._seal.name(user)

    def of(self, name: str) -> list[Memory]:
        """All memories of the user stored as ``name``, newest first."""
        with self._open() as session:
            return self._known(session, name)

    def _known(self, session: Any, name: str) -> list[Memory]:
        query = select(tables.Memory).where(tables.Memory.user == name)
        rows = session.scalars(query.order_by(tables.Memory.at.desc(), tables.Memory.id.desc())).all()
        opened = self._seal.open
        return [
            Memory(
                row.id,
                Note(opened(row.text).decode(), row.kind, row.importance, opened(row.slot).decode()),
                row.at,
                np.frombuffer(opened(row.vector), np.float16).astype(np.float32),
            )
            for row in rows
        ]

    def everything(self, user: str) -> list[Kept]:
        """Everything stored about ``user``: memories, newest first, then the words of unfinished conversations."""
        kept = [Kept(m.id, m.note.kind, m.note.text, m.note.importance, m.at) for m in self.of(self.name(user))]
        query = select(tables.Conversation).where(tables.Conversation.user == self.name(user))
        with self._open() as session:
            waiting = session.scalars(query.order_by(tables.Conversation.at.desc())).all()
        lines = ((row.at, message) for row in waiting for message in self._messages(row.lines))
        return kept + [Kept(None, f"conversation, {m.role}", m.content, 0.0, at) for at, m in lines]

    def remember(self, past: Past, found: Iterable[Note]) -> None:
        """Append the messages of ``past`` to a conversation and add the notes ``found`` in them, in one transaction.

        A note with the same slot as an older one replaces it, except where the user has corrected that. Raises
        StageError ``memory_foreign`` for a conversation of another user.
        """
        new = self._new(past.name, found)
        with self._open.begin() as session:
            self._append(session, past)
            self._add(session, past.name, new, past.at)

    def _append(self, session: Any, past: Past) -> None:
        row = session.get(tables.Conversation, past.id)
        if row is not None and row.user != past.name:
            raise StageError("memory_foreign", "This conversation is stored as another user's.")
        before = self._messages(row.lines) if row else []
        if row is None:
            row = tables.Conversation(id=past.id, user=past.name)
            session.add(row)
        lines = [[m.role, m.content] for m in (*before, *past.messages)]
        row.at, row.lines = now(), self._seal.close(json.dumps(lines[-MOST_MESSAGES:]).encode())

    def conclude(self, past: Past, found: Iterable[Note]) -> None:
        """Delete the words of a conversation and store the notes ``found`` in it. Does nothing if the conversation has
        been deleted or continued since ``past`` was read."""
        new, table = self._new(past.name, found), tables.Conversation
        same = (table.id == past.id) & (table.user == past.name) & (table.at == past.at)
        with self._open.begin() as session:
            if session.execute(delete(table).where(same)).rowcount:
                self._add(session, past.name, new, past.at)

    def _new(self, name: str, fresh: Iterable[Note]) -> list[tuple[Note, Vectors]]:
        """The notes that are not stored verbatim yet, each with its embedding."""
        texts = {memory.note.text for memory in self.of(name)}
        new = [note for note in dict.fromkeys(fresh) if note.text not in texts]
        return list(zip(new, self._embedder.embed([note.text for note in new]), strict=True)) if new else []

    def _add(self, session: Any, name: str, new: Sequence[tuple[Note, Vectors]], at: datetime) -> None:
        if not new:
            return
        known = self._known(session, name)
        for note, vector in new:
            if _is_known(note, vector, known):
                continue
            gone = {old.id for old in known if _replaces(note, vector, old)}
            session.execute(delete(tables.Memory).where(tables.Memory.id.in_(gone)))
            known = [old for old in known if old.id not in gone]
            session.add(self._row(name, note, vector, at))
        least = sorted(known, key=lambda memory: (memory.note.importance, memory.at))
        surplus = [memory.id for memory in least[: max(0, len(known) + len(new) - MOST_MEMORIES)]]
        session.execute(delete(tables.Memory).where(tables.Memory.id.in_(surplus)))

    def change(self, user: str, memory_id: int, text: str) -> bool:
        """Replace the text of a memory -> whether this user has a memory with this id."""
        vector = self._embedder.embed([text])[0]
        with self._open.begin() as session:
            row = session.get(tables.Memory, memory_id)
            if row is None or row.user != self.name(user):
                return False
            old = Note("", "told", row.importance, self._seal.open(row.slot).decode())
            new = self._row(row.user, replace(old, text=text), vector, row.at)
            row.text, row.vector, row.kind = new.text, new.vector, new.kind
        return True

    def delete(self, user: str, memory_id: int) -> bool:
        """Delete a memory -> whether this user had a memory with this id."""
        table = tables.Memory
        these = delete(table).where((table.id == memory_id) & (table.user == self.name(user)))
        return tables.erase(self._open, lambda session: session.execute(these).rowcount > 0)

    def forget(self, user: str) -> int:
        """Delete everything stored about ``user`` -> the number of memories and conversations deleted."""
        return self.forget_name(self.name(user))

    def forget_name(self, name: str) -> int:
        """`forget`, for the user stored as ``name``."""

        def work(session: Any) -> int:
            gone = [session.execute(delete(table).where(table.user == name)) for table in _TABLES]
            return sum(result.rowcount for result in gone)

        return tables.erase(self._open, work)

    def over(self, conversation: str) -> list[Past]:
        """The words of this conversation, and those of conversations that another process has left behind."""
        table = tables.Conversation
        with self._open() as session:
            rows = session.scalars(
                select(table).where((table.id == conversation) | (table.at < now() - ABANDONED_AFTER))
            )
            return [Past(row.id, row.user, self._messages(row.lines), row.at) for row in rows]

    def drop(self, conversation: str) -> None:
        """Delete the words of a conversation."""
        these = delete(tables.Conversation).where(tables.Conversation.id == conversation)
        tables.erase(self._open, lambda session: session.execute(these))

    def _row(self, name: str, note: Note, vector: Vectors, at: datetime) -> tables.Memory:
        close = self._seal.close
        return tables.Memory(
            user=name,
            kind=note.kind,
            text=close(note.text.encode()),
            slot=close(note.slot.encode()),
            vector=close(vector.astype(np.float16).tobytes()),
            importance=note.importance,
            at=at,
        )

    def _messages(self, lines: bytes) -> list[Message]:
        return [Message(role, text) for role, text in json.loads(self._seal.open(lines))]


def now() -> datetime:
    """The current time, UTC without a zone, as the tables store it."""
    return datetime.now(UTC).replace(tzinfo=None)


def _is_known(note: Note, vector: Vectors, known: Iterable[Memory]) -> bool:
    """Whether to skip ``note``: a model's note of something known, or one whose slot holds a correction by the user."""
    for old in known:
        if note.slot and note.slot == old.note.slot and old.note.kind == "told":
            return True
        if note.kind == "noted" and note.slot != old.note.slot and float(old.vector @ vector) > SAME_COSINE:
            return True
    return False


def _replaces(note: Note, vector: Vectors, old: Memory) -> bool:
    if note.slot and note.slot == old.note.slot:
        return True
    return old.note.kind == "noted" and float(old.vector @ vector) > SAME_COSINE
