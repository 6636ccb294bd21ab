"""What is stored of whom, and who may change it: blocking, for one thread."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import sessionmaker

from companion.embeddings import Embeds, Vectors
from companion.memory import tables
from companion.memory.notes import Note
from companion.memory.seal import Seal
from companion.stages import Kept, Message

MOST = 500  # memories of one user; the least important, oldest go first
LINES = 100  # newest messages of a conversation that are kept until it is over
SAME = 0.85  # cosine from which two memories say the same
ABANDONED = timedelta(hours=1)  # a conversation without a new line for so long belongs to a process that is gone


@dataclass(frozen=True, slots=True)
class Memory:
    """A row, unsealed."""

    id: int
    note: Note
    at: datetime  # UTC, without a zone
    vector: Vectors  # (384,)


@dataclass(frozen=True, slots=True)
class Past:
    """A conversation that is over. ``name`` is the user as stored."""

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
        query = select(tables.Memory).where(tables.Memory.user == name)
        with self._open() as session:
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

    def append(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        """More of what was said in a conversation."""
        with self._open.begin() as session:
            row = session.get(tables.Conversation, conversation)
            before = self._messages(row.lines) if row else []
            if row is None:
                row = tables.Conversation(id=conversation, user=self.name(user))
                session.add(row)
            lines = [[m.role, m.content] for m in (*before, *messages)]
            row.at, row.lines = now(), self._seal.close(json.dumps(lines[-LINES:]).encode())

    def add(self, name: str, fresh: Iterable[Note], at: datetime) -> None:
        """Store what is new of a user (as stored). What takes an older one's place replaces it; what the user has
        corrected stays."""
        known = self.of(name)
        texts = {memory.note.text for memory in known}
        new = [note for note in dict.fromkeys(fresh) if note.text not in texts]
        if not new:
            return
        vectors = self._embedder.embed([note.text for note in new])
        with self._open.begin() as session:
            for note, vector in zip(new, vectors, strict=True):
                if _is_known(note, vector, known):
                    continue
                gone = {old.id for old in known if _replaces(note, vector, old)}
                session.execute(delete(tables.Memory).where(tables.Memory.id.in_(gone)))
                known = [old for old in known if old.id not in gone]
                session.add(self._row(name, note, vector, at))
            least = sorted(known, key=lambda memory: (memory.note.importance, memory.at))
            surplus = [memory.id for memory in least[: max(0, len(known) + len(new) - MOST)]]
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
        with self._open.begin() as session:
            row = session.get(tables.Memory, memory_id)
            if row is None or row.user != self.name(user):
                return False
            session.delete(row)
        return True

    def forget(self, user: str) -> int:
        """Delete everything of ``user`` -> how many memories and conversations that were."""
        name, count = self.name(user), 0
        with self._open.begin() as session:
            for table in (tables.Memory, tables.Conversation):
                count += session.scalar(select(func.count()).select_from(table).where(table.user == name)) or 0
                session.execute(delete(table).where(table.user == name))
        return count

    def over(self, conversation: str) -> list[Past]:
        """This conversation, and those that a process which ended left behind."""
        table = tables.Conversation
        with self._open() as session:
            rows = session.scalars(select(table).where((table.id == conversation) | (table.at < now() - ABANDONED)))
            return [Past(row.id, row.user, self._messages(row.lines), row.at) for row in rows]

    def drop(self, conversation: str) -> None:
        """Delete the words of a conversation."""
        with self._open.begin() as session:
            session.execute(delete(tables.Conversation).where(tables.Conversation.id == conversation))

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
        if note.kind == "noted" and note.slot != old.note.slot and float(old.vector @ vector) > SAME:
            return True
    return False


def _replaces(note: Note, vector: Vectors, old: Memory) -> bool:
    if note.slot and note.slot == old.note.slot:
        return True
    return old.note.kind == "noted" and float(old.vector @ vector) > SAME
