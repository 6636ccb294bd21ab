"""What one session recalls and stores, where its user agreed."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from companion.conversation.items import Conversation, Item
from companion.dialogue.remembering.calls import PATIENCE_S, Calls
from companion.protocol.settings import Remembering
from companion.stages.protocols import Kept, Memory, Message, keeps

MOST_STANDING = 3  # memories that are recalled whatever the subject
MOST_PASSING = 3  # memories that are recalled for one message
PACKET_S = 0.1  # s of sound that come at a time, at most: so much earlier than it comes it may have been said


@dataclass(slots=True)
class _Part:
    """The part of a conversation in which one user consents. ``name``: the conversation under which it is stored."""

    user: str
    name: str
    since: float  # loop time
    met: bool = False  # what is always known of the user was recalled


class Recollection:
    """``known`` is for the system prompt: recalled once, so that the prompt stays the same.

    ``session`` is the session's id; ``failed`` as in `Calls`. Storing goes on beside the session.
    """

    def __init__(
        self, memory: Memory, session: str, conversation: Conversation, failed: Callable[[Exception], None]
    ) -> None:
        self.known: Sequence[str] = ()
        self._memory, self._session, self._conversation = memory, session, conversation
        self._part: _Part | None = None  # None: nobody agrees
        self._parts = 0
        self._told: set[str] = set()
        self._done: set[str] = set()  # items that were stored or passed over
        self._owned: dict[str, _Part | None] = {}  # the part to which an item belongs
        self._calls = Calls(f"{session} store", failed)

    def agree(self, wish: Remembering | None) -> None:
        """From now on what is said is stored under the user of ``wish``, if that consents. What was said before, and
        the answer to it, stays with the user who had consented then; when a user withdraws consent, whatever of theirs
        is still unread is discarded."""
        self.store()
        over, self._part = self._part, None
        self.known, self._told = (), set()
        if wish and wish.consent:
            self._parts += 1
            now = asyncio.get_running_loop().time()
            self._part = _Part(wish.user, f"{self._session}.{self._parts}", now)
        withdrawn = self._part is None
        if withdrawn:
            self._owned = dict.fromkeys(self._owned)
        if over:
            self._calls.later(partial(self._close, over, self._calls.writing, withdrawn))

    @property
    def user(self) -> str | None:
        """The user who consents; None if nobody does."""
        return self._part.user if self._part else None

    def others(self) -> set[str]:
        """The items that belong to other users than the one who consents."""
        self._own()
        return {id for id, part in self._owned.items() if part and self._part and part.user != self._part.user}

    async def kept(self) -> list[Kept]:
        """Everything stored of the user, as far as they may see it; nothing without consent."""
        part, memory = self._part, self._memory
        if part is None or not keeps(memory):
            return []
        return await self._calls.answer(partial(memory.memories, part.user)) or []

    async def erase(self, kept: Sequence[Kept]) -> None:
        """Delete these memories, and the words of this conversation."""
        part, memory = self._part, self._memory
        if part is None or not keeps(memory):
            return
        await self._calls.written(PATIENCE_S)
        for one in kept:
            if one.id is not None:
                await self._calls.answer(partial(memory.delete, part.user, one.id))
        await self._calls.answer(partial(memory.discard, part.name))
        self.renew()

    def renew(self) -> None:
        """What is stored has changed: recall it again."""
        self.known, self._told = (), set()
        if self._part:
            self._part.met = False

    async def meet(self) -> None:
        """Recall what is always known of the user, once."""
        part = self._part
        if part is None or part.met:
            return
        known = await self._recall(part.user, "", MOST_STANDING)
        if known is not None and part is self._part and not part.met:
            part.met, self.known, self._told = True, known, {*self._told, *known}

    async def recall(self, about: str, tell: bool = True) -> list[str]:
        """The memories that bear on this message, beyond those that are known or were told; ``tell``: they are told
        now."""
        part = self._part
        if part is None:
            return []
        await self.meet()
        found = await self._recall(part.user, about, MOST_PASSING) if about else []
        if found is None or part is not self._part:
            return []
        fresh = [memory for memory in found if memory not in self._told]
        if tell:
            self._told.update(fresh)
        return fresh

    def store(self) -> None:
        """Store what was said since the last call. What was said without consent is skipped for good."""
        messages: dict[str, list[Message]] = {}
        parts: dict[str, _Part] = {}
        self._own()
        for item in self._fresh():
            part = self._owned[item.id]
            self._done.add(item.id)
            if part and item.content().strip():
                parts[part.name] = part
                messages.setdefault(part.name, []).append(Message(item.role, item.content()))
        for name, said in messages.items():
            self._calls.later(partial(self._memory.remember, parts[name].user, name, said))
            if parts[name] is not self._part:  # it was read already
                self._calls.later(partial(self._close, parts[name], self._calls.writing, withdrawn=False))

    def _own(self) -> None:
        """Assign new items to the current part; an answer belongs to the part of its question. Speech that began before
        the part belongs to nobody: its user may not have consented yet, or may be another one."""
        asked: Item | None = None
        for item in self._conversation:
            if item.id not in self._owned:
                begun = item.begun
                before = self._part and begun is not None and begun < self._part.since - PACKET_S
                part = None if before else self._part
                self._owned[item.id] = self._owned[asked.id] if asked and item.role != "user" else part
            asked = item if item.role in ("user", "tool") or item.call else None

    def stored(self) -> list[str]:
        """The items of the conversation that are stored or skipped."""
        self._own()
        passed = {id for id, part in self._owned.items() if part is not self._part}
        return [item.id for item in self._conversation if item.id in self._done or item.id in passed]

    def pass_over(self, items: Iterable[str]) -> None:
        """Skip these items: another session has stored them, or was not allowed to."""
        self._done.update(items)

    async def end(self) -> None:
        """The session is over: wait until all of it is stored, if that does not take long."""
        self.store()
        if self._part:
            self._calls.later(partial(self._close, self._part, self._calls.writing, withdrawn=False))
        await self._calls.end()

    def _fresh(self) -> Iterator[Item]:
        for item in self._conversation:
            complete = item.status != "in_progress" and item.text is not None
            if item.id not in self._done and complete and item.role in ("user", "assistant"):
                yield item

    async def _close(self, part: _Part, before: set[asyncio.Task[None]], withdrawn: bool) -> None:
        if before:
            await asyncio.wait(before)
        await (self._memory.discard(part.name) if withdrawn else self._memory.conclude(part.name))

    async def _recall(self, user: str, about: str, limit: int) -> list[str] | None:
        return await self._calls.answer(partial(self._memory.recall, user, about, limit))
