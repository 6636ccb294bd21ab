"""What one session recalls and stores, where its user agreed."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from companion.chat import Conversation
from companion.settings import Remembering
from companion.stages import Memory, Message

STANDING = 3  # memories that are recalled whatever the subject
PASSING = 3  # memories that are recalled for one message


class Recollection:
    """``known`` is for the system prompt: recalled once, so that the prompt stays the same.

    ``session`` is the session's id. The methods raise what the memory raises; storing goes on beside the session,
    which need not wait, and calls ``failed``.
    """

    def __init__(
        self, memory: Memory, session: str, conversation: Conversation, failed: Callable[[Exception], None]
    ) -> None:
        self.known: Sequence[str] = ()
        self._memory, self._session, self._conversation = memory, session, conversation
        self._user = ""
        self._told: set[str] = set()
        self._stored: set[str] = set()  # items
        self._failed = failed
        self._unwritten: deque[tuple[str, list[Message]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def meet(self, wish: Remembering | None) -> None:
        """Recall what is always known of this user, if that has not been done."""
        if wish and wish.consent and wish.user != self._user:
            self._user = wish.user
            self.known = await self._memory.recall(wish.user, "", STANDING)
            self._told = set(self.known)

    async def recall(self, wish: Remembering | None, about: str, tell: bool = True) -> list[str]:
        """What bears on this message of the user's, beyond what is known or was told; ``tell``: it is told now."""
        if not (wish and wish.consent):
            return []
        await self.meet(wish)
        found = await self._memory.recall(wish.user, about, PASSING) if about else []
        fresh = [memory for memory in found if memory not in self._told]
        if tell:
            self._told.update(fresh)
        return fresh

    def store(self, wish: Remembering | None) -> None:
        """What was said since the last call; without consent it is passed over for good."""
        new = [item for item in self._conversation if item.id not in self._stored and item.status != "in_progress"]
        new = [item for item in new if item.text is not None and item.role in ("user", "assistant")]
        self._stored.update(item.id for item in new)
        messages = [Message(item.role, item.content()) for item in new if item.content().strip()]
        if wish and wish.consent and messages:
            self._unwritten.append((wish.user, messages))
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write(), name=f"{self._session} store")

    async def change(self, before: Remembering | None, now: Remembering | None) -> None:
        """The user changed the consent."""
        if before and before.consent and not (now and now.consent):
            self.known, self._user = (), ""
            await self._written()
            await self._memory.discard(self._session)
        await self.meet(now)

    async def end(self, wish: Remembering | None) -> None:
        """The session is over."""
        self.store(wish)
        await self._written()
        if wish and wish.consent:
            await self._memory.conclude(self._session)

    async def _write(self) -> None:
        while self._unwritten:
            user, messages = self._unwritten.popleft()
            try:
                await self._memory.remember(user, self._session, messages)
            except Exception as error:  # of whatever memory; the next lines may fare better
                self._failed(error)

    async def _written(self) -> None:
        if self._writing:
            await self._writing
