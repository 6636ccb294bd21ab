"""The asyncio tasks of one conversation. Whoever starts a task is to end it; those that remain are cancelled when the
conversation ends."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

T = TypeVar("T")


class Spawn(Protocol):
    """Starts ``work`` as a task with a name; the task is cancelled when the session ends, if not before."""

    def __call__(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]: ...


class Tasks:
    """A context manager for tasks: `spawn` starts them, and leaving the block cancels those that still run and waits
    for them. An exception in one of them cancels the block. Their names begin with ``owner``."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._group = asyncio.TaskGroup()
        self._running: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        # The group must see a cancellation, which it may have caused; any other exception propagates unchanged.
        cancelled = isinstance(error, asyncio.CancelledError)
        await self._group.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Start ``work`` as a task, as `Spawn` describes. Only inside the ``with`` block."""
        task = self._group.create_task(work, name=f"{self._owner} {name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


def cancelled() -> bool:
    """Whether the running task was cancelled, even if a stage swallowed the CancelledError."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
