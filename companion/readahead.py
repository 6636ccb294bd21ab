"""Reading ahead: a language model of this process reads what its next reply will follow, before it is asked."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from companion.stages import LLM, Message, Prepares


class ReadAhead:
    """One text at a time, the latest one; ``spawn`` starts a named task that ends with the session."""

    def __init__(self, llm: LLM, spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]]) -> None:
        self._llm = llm if isinstance(llm, Prepares) else None
        self._spawn = spawn
        self._next: Callable[[], Sequence[Message]] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None

    @property
    def possible(self) -> bool:
        """The model is of the kind that can."""
        return self._llm is not None

    def read(self, messages: Callable[[], Sequence[Message]], after: float = 0.0) -> None:
        """Read what ``messages`` gives in ``after`` seconds, unless something else is to be read by then."""
        if self._llm is None:
            return
        self._drop()
        self._next = messages
        self._waiting = self._spawn(self._begin(after), "read ahead soon")

    async def settled(self) -> None:
        """Forget what waits, and wait until the model is free: one that replies meanwhile reads all of it again."""
        self._drop()
        if self._reading:
            await asyncio.wait([self._reading])

    def _drop(self) -> None:
        self._next = None
        if self._waiting:
            self._waiting.cancel()

    async def _begin(self, after: float) -> None:
        await asyncio.sleep(after)
        if self._llm and self._reading is None:
            self._reading = self._spawn(self._read(self._llm), "read ahead")

    async def _read(self, llm: Prepares) -> None:
        try:
            while messages := self._next:
                self._next = None
                with suppress(Exception):  # whatever is wrong with the model, the next reply will say it
                    await llm.prepare(messages())
        finally:
            self._reading = None
