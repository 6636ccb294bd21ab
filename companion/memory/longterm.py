"""Memory across sessions: stored as the user speaks, recalled by similarity, age and importance."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from companion.errors import StageError
from companion.memory import notes, seal, store, tables
from companion.memory.backlog import RETRIED_CODE, Backlog, Entry
from companion.memory.notes import Note
from companion.memory.store import Memory, Past, Store
from companion.models.embeddings import Embedder, Embeds
from companion.models.needs import EMBEDDER, Needs
from companion.speech.text.thoughts import thoughtless
from companion.stages.protocols import LLM, Abilities, Kept, Message
from companion.stages.streams import collected
from companion.stages.worker import one_thread

log = logging.getLogger(__name__)
T = TypeVar("T")

RELEVANT_COSINE = 0.28  # cosine similarity from which on a memory is relevant to a subject
HALF_LIFE_DAYS = 30.0  # days in which the recency of a memory halves
PINNED_IMPORTANCE = 1.0  # importance from which on a memory is always recalled
LEAST_MESSAGES = 2  # user messages from which on the language model takes notes of a conversation
READING_S = 60.0  # s that it may take for that
LONGEST_MEMORY = 1000  # characters of a memory that a user writes
FINAL_ERRORS = (DataError, IntegrityError, ProgrammingError)  # faults of the data, which no retry would cure


class LongTerm:
    """Facts and summaries of each user, in a database. Its queries run in one thread and do not block the event loop.

    Args:
        url: "" is ``vasari/memories.sqlite`` in the platform's folder for user data; a path is another SQLite file;
            ``postgresql://user:password@host/database`` is PostgreSQL (``pip install "vasari[postgres]"``).
        key_file: a file with the encryption key (made by ``companion memory key``); the environment variable
            VASARI_MEMORY_KEY takes precedence; without either nothing is encrypted.
        model_notes: let the language model take notes after a conversation, in addition to the user's own words. This
            needs a model that follows instructions: notes that the user's words do not support are dropped.
        embedder: computes the embeddings; by default `companion.models.embeddings.Embedder`.

    Raises:
        StageError: ``memory_failed`` (the database cannot be opened), ``memory_key`` (a wrong or missing key),
            ``memory_prompt`` (an invalid ``prompts/memory.md``). The methods raise ``memory_failed`` when the database
            does not answer, ``memory_refused`` when it rejects the data, and ``memory_foreign`` for a conversation of
            another user.
    """

    abilities = Abilities(keeps=True, learns=True)
    needs = Needs((EMBEDDER,))

    def __init__(
        self, url: str = "", key_file: str = "", model_notes: bool = False, embedder: Embeds | None = None
    ) -> None:
        sealed = seal.find(key_file)
        self._wording = notes.load()
        self._embedder = embedder or Embedder()
        self._pool = one_thread("memory")  # SQLite runs one transaction at a time anyway
        opened = self._pool.submit(tables.open_database, url, sealed).result()
        self._opened, self._store, self._seal = opened, Store(opened, sealed, self._embedder), sealed
        self._model_notes = model_notes
        self._llm: LLM | None = None
        self._concluding: set[asyncio.Task[None]] = set()
        self._backlog = Backlog(self._write)

    def learn_with(self, llm: LLM) -> None:
        """Let ``llm`` take notes of conversations that end from now on, if ``model_notes`` is set."""
        self._llm = llm if self._model_notes else None

    def close(self) -> None:
        """Stop retrying and close the database. Blocks until running queries end."""
        self._backlog.close()
        self._pool.shutdown()
        self._opened.kw["bind"].dispose()

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """Recall up to ``limit`` memories of ``user`` that are relevant to ``about``, best first, worded for a language
        model; with ``about`` empty, the most important and recent ones."""
        return await self._run(self._recall, user, about, limit)

    async def remember(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        """Append ``messages`` to the stored words of ``conversation``, and extract memories from the user's.

        While the database does not answer, StageError is raised and they are stored as soon as it does.
        """
        said = [[m.role, m.content] for m in messages if m.role != "system" and m.content.strip()]
        if said:
            words = self._seal.close(json.dumps(said).encode())
            entry = Entry("remember", self._store.name(user), conversation, store.now(), words)
            await self._backlog.add(entry)

    async def conclude(self, conversation: str) -> None:
        """End ``conversation``: in the background the language model takes notes, then its words are deleted. The same
        is done for conversations that an earlier process left behind. Failures are logged."""
        task = asyncio.create_task(self._conclude(conversation), name=f"{conversation} notes")
        self._concluding.add(task)
        task.add_done_callback(self._concluding.discard)

    async def discard(self, conversation: str) -> None:
        """Delete the words of a conversation whose user has withdrawn consent."""
        self._backlog.drop(conversation=conversation)
        await self._backlog.add(Entry("discard", "", conversation, store.now()))

    async def memories(self, user: str) -> list[Kept]:
        """Everything stored about ``user``: memories, newest first, then the words of unfinished conversations."""
        return await self._run(self._store.everything, user)

    async def change(self, user: str, memory_id: int, text: str) -> bool:
        """Replace the text of one memory -> whether this user has a memory with this id.

        Raises StageError ``memory_text`` where ``text`` is empty or longer than `LONGEST_MEMORY` characters.
        """
        text = " ".join(text.split())
        if not 0 < len(text) <= LONGEST_MEMORY:
            raise StageError("memory_text", f"A memory has between 1 and {LONGEST_MEMORY} characters.")
        return await self._run(self._store.change, user, memory_id, text)

    async def delete(self, user: str, memory_id: int) -> bool:
        """Delete one memory -> whether this user had a memory with this id."""
        return await self._run(self._store.delete, user, memory_id)

    async def forget(self, user: str) -> int:
        """Delete everything stored about ``user`` -> the number of memories and conversations deleted.

        While the database does not answer, StageError is raised and all is deleted as soon as it does.
        """
        name = self._store.name(user)
        self._backlog.drop(user=name)
        try:
            return await self._run(self._store.forget, user)
        except StageError as error:
            if error.code == RETRIED_CODE:
                self._backlog.keep(Entry("forget", name, "", store.now()))
                self._backlog.try_later()
            raise

    async def _write(self, entry: Entry) -> None:
        match entry.kind:
            case "remember":
                await self._run(self._remember, entry)
            case "discard":
                await self._run(self._store.drop, entry.conversation)
            case "forget":
                await self._run(self._store.forget_name, entry.user)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        def guarded() -> T:
            try:
                return work(*arguments)
            except SQLAlchemyError as error:  # its text may quote what was stored
                code = "memory_refused" if isinstance(error, FINAL_ERRORS) else RETRIED_CODE
                raise StageError(code, f"The memory's database failed: {type(error).__name__}.") from error

        return await asyncio.get_running_loop().run_in_executor(self._pool, guarded)

    def _recall(self, user: str, about: str, limit: int) -> list[str]:
        memories = self._store.of(self._store.name(user))
        if not memories:
            return []
        now = store.now()
        likeness = np.ones(len(memories))
        if about:
            likeness = np.stack([memory.vector for memory in memories]) @ self._embedder.embed([about])[0]
        scored = [(score(m, float(like), now), m) for m, like in zip(memories, likeness, strict=True)]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])[:limit]
        return [self._wording.tell(memory.note, memory.at, now) for _, memory in best]

    def _remember(self, entry: Entry) -> None:
        said = [Message(role, text) for role, text in json.loads(self._seal.open(entry.words))]
        fresh = [note for m in said if m.role == "user" for note in notes.from_words(m.content, self._wording)]
        self._store.remember(Past(entry.conversation, entry.user, said, entry.at), fresh)

    async def _conclude(self, conversation: str) -> None:
        try:
            for past in await self._run(self._store.over, conversation):
                await self._run(self._store.conclude, past, await self._notes(past.messages))
        except Exception as error:  # nobody awaits this; the words stay stored until a later conversation ends
            log.error("the memory could not take notes: %s", type(error).__name__)

    async def _notes(self, messages: list[Message]) -> list[Note]:
        if self._llm is None or sum(m.role == "user" for m in messages) < LEAST_MESSAGES:
            return []
        prompt = notes.conversation_prompt(self._wording, messages)
        try:
            async with asyncio.timeout(READING_S):
                answer = thoughtless("".join(await collected(self._llm.reply([Message("user", prompt)]))))
        except (StageError, TimeoutError) as error:
            log.warning("the language model took no notes: %s", getattr(error, "code", "too slow"))
            return []
        return notes.from_model(answer, messages, self._wording)


class Off:
    """A memory that stores nothing."""

    abilities = Abilities(keeps=True)  # users can list it: it is empty

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """No memories."""
        return []

    async def remember(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        """Do nothing."""

    async def conclude(self, conversation: str) -> None:
        """Do nothing."""

    async def discard(self, conversation: str) -> None:
        """Do nothing."""

    async def memories(self, user: str) -> list[Kept]:
        """No memories."""
        return []

    async def change(self, user: str, memory_id: int, text: str) -> bool:
        """There is no such memory."""
        return False

    async def delete(self, user: str, memory_id: int) -> bool:
        """There is no such memory."""
        return False

    async def forget(self, user: str) -> int:
        """Nothing to delete: 0."""
        return 0


def score(memory: Memory, likeness: float, now: datetime) -> float:
    """The score of a memory for a subject: 0 if it is not relevant, 2 if it is pinned, else up to 1, by similarity,
    recency and importance. ``likeness`` is their cosine similarity; ``now`` is UTC without a zone."""
    if memory.note.importance >= PINNED_IMPORTANCE:
        return 2.0
    recency = 0.5 ** ((now - memory.at).total_seconds() / 86_400 / HALF_LIFE_DAYS)
    return (
        likeness * (0.6 + 0.4 * recency) * (0.6 + 0.4 * memory.note.importance) if likeness >= RELEVANT_COSINE else 0.0
    )
