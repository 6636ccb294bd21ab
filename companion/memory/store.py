"""The store of memories: what is stored, of whom, and who may change it. Blocking; for one thread."""

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

MOST_MEMORIES = 500  # memories of one user; the least important, oldest go first
MOST_MESSAGES = 100  # newest messages of a conversation that are kept until it is over
SAME_COSINE = 0.85  # cosine from which two memories say the same
_TABLES = (tables.Memory, tables.Conversation)  # what is stored of users
ABANDONED_AFTER = timedelta(hours=1)  # a conversation without a new line for so long belongs to a process that is gone


@dataclass(frozen=True, slots=True)
class Memory:
    """A row, unsealed."""

    id: int
    note: Note
    at: datetime  # UTC, without a zone
    vector: Vectors  # (384,)


@dataclass(frozen=True, slots=True)
class Past:
    """What was said in a conversation. ``name`` is the user as stored; ``at``: UTC, when its last line was."""

    id: str
    name: str
    messages: list[Message]
    at: datetime


class Store:
    """Users are those of the caller; what is stored of them is under ``seal``. Raises SQLAlchemyError."""

    def __init__(self, opened: sessionmaker[Any], seal: Seal, embedder: Embeds) -> None:
        self._open, self._seal, self._embedder = opened, seal, embedder

    def name(self, user: str) -> str:
        """The user as stored."""
        return self._seal.name(user)

    def of(self, name: str) -> list[Memory]:
        """All memories of a user (as stored), newest first."""
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
        """Everything that is stored of ``user``, also the words of conversations that are not over."""
        kept = [Kept(m.id, m.note.kind, m.note.text, m.note.importance, m.at) for m in self.of(self.name(user))]
        query = select(tables.Conversation).where(tables.Conversation.user == self.name(user))
        with self._open() as session:
            waiting = session.scalars(query.order_by(tables.Conversation.at.desc())).all()
        lines = ((row.at, message) for row in waiting for message in self._messages(row.lines))
        return kept + [Kept(None, f"conversation, {m.role}", m.content, 0.0, at) for at, m in lines]

    def remember(self, past: Past, found: Iterable[Note]) -> None:
        """More of what was said in a conversation, and what was ``found`` in it: all of it or nothing. What takes an
        older note's place replaces it; what the user has corrected stays.

        Raises StageError ``memory_foreign`` for a conversation of another user.
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
        """Store what was ``found`` in a conversation and delete its words; nothing of one that was forgotten meanwhile,
        or went on."""
        new, table = self._new(past.name, found), tables.Conversation
        same = (table.id == past.id) & (table.user == past.name) & (table.at == past.at)
        with self._open.begin() as session:
            if session.execute(delete(table).where(same)).rowcount:
                self._add(session, past.name, new, past.at)

    def _new(self, name: str, fresh: Iterable[Note]) -> list[tuple[Note, Vectors]]:
        """What is not known word for word, with its vectors."""
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
        """Whether there is such a memory of this user; then it says ``text`` now."""
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
        """Whether there was such a memory of this user."""
        table = tables.Memory
        these = delete(table).where((table.id == memory_id) & (table.user == self.name(user)))
        return tables.erase(self._open, lambda session: session.execute(these).rowcount > 0)

    def forget(self, user: str) -> int:
        """Delete everything of ``user`` -> how many memories and conversations that were."""
        return self.forget_name(self.name(user))

    def forget_name(self, name: str) -> int:
        """The same of a user as stored."""

        def work(session: Any) -> int:
            gone = [session.execute(delete(table).where(table.user == name)) for table in _TABLES]
            return sum(result.rowcount for result in gone)

        return tables.erase(self._open, work)

    def over(self, conversation: str) -> list[Past]:
        """This conversation, and those that a process which ended left behind."""
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
    """UTC, without a zone, as the tables have it."""
    return datetime.now(UTC).replace(tzinfo=None)


def _is_known(note: Note, vector: Vectors, known: Iterable[Memory]) -> bool:
    """A model's note of what is known, or words in the place of what the user has corrected."""
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
