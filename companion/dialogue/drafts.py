"""Lets a language model read ahead what its next reply will follow, and draft that reply, before it is asked.

It does one thing at a time: a model in this process that replies while it reads would have to read everything again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

from companion.stages.protocols import LLM, Message, Prepares, prepares
from companion.stages.streams import closing
from companion.tasks import Spawn

Known = Callable[[], Sequence[Message]]  # what will be asked, as far as it is known
Expected = Callable[[], Awaitable[Sequence[Message]]]  # what is likely to be asked


class ReadAhead:
    """Reads one text at a time, always the latest."""

    def __init__(self, llm: LLM, spawn: Spawn) -> None:
        self._llm, self._spawn = llm, spawn
        self._free = asyncio.Lock()
        self._waiting: asyncio.Task[None] | None = None
        self._draft: _Draft | None = None

    @property
    def possible(self) -> bool:
        """Whether the model can read ahead."""
        return prepares(self._llm)

    def read(self, messages: Known, after: float = 0.0) -> None:
        """Read what ``messages`` returns after ``after`` seconds, unless there is something newer to read by then."""
        self.drop()
        if prepares(self._llm):
            self._waiting = self._spawn(self._read(self._llm, messages, after), "read ahead")

    def draft(self, messages: Expected) -> None:
        """Draft a reply to what ``messages`` returns, in case exactly that is asked next."""
        self.drop()
        self._draft = _Draft(self._llm, messages, self._free, self._spawn)

    def drop(self) -> None:
        """Forget what waits to be read, and the draft. What is being read already goes on: it will be of use."""
        if self._waiting:
            self._waiting.cancel()
        if self._draft:
            self._draft.cancel()
        self._waiting = self._draft = None

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """The model's deltas as soon as it is free; those of the draft if it answers these ``messages``."""
        draft, self._draft = self._draft, None
        self.drop()
        if draft and list(draft.messages) == list(messages):
            async with closing(draft.deltas()) as deltas:
                async for delta in deltas:
                    yield delta
            return
        if draft:
            draft.cancel()
        async with self._free, closing(self._llm.reply(messages)) as deltas:
            async for delta in deltas:
                yield delta

    async def _read(self, llm: Prepares, messages: Known, after: float) -> None:
        await asyncio.sleep(after)
        async with self._free:
            self._waiting = None
            with suppress(Exception):  # whatever is wrong with the model, the next reply will say it
                await llm.prepare(messages())


class _Draft:
    """A reply that nobody sees unless it is asked for. ``free`` is held while the model is at work."""

    def __init__(self, llm: LLM, messages: Expected, free: asyncio.Lock, spawn: Spawn) -> None:
        self.messages: Sequence[Message] = ()
        self._deltas: asyncio.Queue[str | None] = asyncio.Queue()
        self._error: Exception | None = None
        self._writing = spawn(self._write(llm, messages, free), "draft")

    def cancel(self) -> None:
        self._writing.cancel()

    async def deltas(self) -> AsyncIterator[str]:
        """From the first one on. Raises what the model raised."""
        try:
            while (delta := await self._deltas.get()) is not None:
                yield delta
        finally:
            self.cancel()
        if self._error:
            raise self._error

    async def _write(self, llm: LLM, expected: Expected, free: asyncio.Lock) -> None:
        try:
            self.messages = await expected()
            async with free, closing(llm.reply(self.messages)) as deltas:
                async for delta in deltas:
                    self._deltas.put_nowait(delta)
        except Exception as error:  # of whatever stage; it concerns whoever asks for the reply
            self._error = error
        finally:
            self._deltas.put_nowait(None)
