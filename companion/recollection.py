"""What one session recalls and stores, where its user agreed."""

import asyncio
from collections.abc import Sequence

from companion.chat import Conversation
from companion.settings import Remembering
from companion.stages import Memory, Message

STANDING = 3  # memories that are recalled whatever the subject
PASSING = 3  # memories that are recalled for one message


class Recollection:
    """``known`` is for the system prompt: recalled once, so that the prompt stays the same.

    ``session`` is the session's id. The methods raise what the memory raises.
    """

    def __init__(self, memory: Memory, session: str, conversation: Conversation) -> None:
        self.known: Sequence[str] = ()
        self._memory, self._session, self._conversation = memory, session, conversation
        self._user = ""
        self._told: set[str] = set()
        self._stored: set[str] = set()  # items
        self._storing = asyncio.Lock()

    async def recall(self, wish: Remembering | None, history: Sequence[Message]) -> list[str]:
        """What bears on the last message, beyond what is known or was told before."""
        if not (wish and wish.consent):
            return []
        if wish.user != self._user:
            self._user = wish.user
            self.known = await self._memory.recall(wish.user, "", STANDING)
            self._told = set(self.known)
        about = history[-1].content if history else ""
        found = await self._memory.recall(wish.user, about, PASSING) if about else []
        fresh = [memory for memory in found if memory not in self._told]
        self._told.update(fresh)
        return fresh

    async def store(self, wish: Remembering | None) -> None:
        """What was said since the last call; without consent it is passed over for good."""
        async with self._storing:
            new = [i for i in self._conversation if i.id not in self._stored and i.status != "in_progress"]
            new = [item for item in new if item.text is not None and item.role != "system"]
            self._stored.update(item.id for item in new)
            messages = [Message(item.role, item.content()) for item in new if item.content().strip()]
            if wish and wish.consent and messages:
                await self._memory.remember(wish.user, self._session, messages)

    async def change(self, before: Remembering | None, now: Remembering | None) -> None:
        """The user changed the consent."""
        if before and before.consent and not (now and now.consent):
            self.known, self._user = (), ""
            await self._memory.discard(self._session)

    async def end(self, wish: Remembering | None) -> None:
        """The session is over."""
        await self.store(wish)
        if wish and wish.consent:
            await self._memory.conclude(self._session)
