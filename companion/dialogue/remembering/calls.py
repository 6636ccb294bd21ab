"""Calls to a memory that may be slow, broken or away: nobody waits long for it, and nothing fails with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from companion.errors import StageError

T = TypeVar("T")

PATIENCE_S = 2.0  # s that a reply waits for the memory
REST_S = 30.0  # s for which a memory that failed is not asked again
READING, WRITING = "reading", "writing"
GOODBYE_S = 5.0  # s that it may take when the session ends
SILENCE_ERROR = ("memory_failed", "The memory does not answer. The conversation goes on without it.")


class Calls:
    """One session's; ``name`` is that of the tasks that write. ``failed`` is called when the memory cannot be asked or
    cannot be written, once until that works again."""

    def __init__(self, name: str, failed: Callable[[Exception], None]) -> None:
        self._name, self._failed = name, failed
        self._failing = set[str]()  # READING, WRITING
        self._resting = 0.0  # loop time until which the memory is not asked
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def writing(self) -> set[asyncio.Task[None]]:
        """What was begun by `later` and is not over."""
        return set(self._writing)

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The result of ``ask``, which asks the memory; None if it fails or takes too long, and then the memory is not
        asked again for a while."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._resting:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await ask()
        except TimeoutError:
            self._rest(READING, StageError(*SILENCE_ERROR))
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            self._rest(READING, StageError(*SILENCE_ERROR))  # the memory itself was cancelled, as by a closing pool
        except Exception as error:  # of whatever memory: the reply does without
            self._rest(READING, error)
        else:
            self._failing.discard(READING)
            return found
        return None

    def later(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin ``work`` on the memory, in order; it may overlap with what was begun before."""
        task = asyncio.create_task(self._guarded(work), name=self._name)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def written(self, seconds: float) -> bool:
        """Wait so long at most until all that was begun is over -> whether it is."""
        return not self._writing or not (await asyncio.wait(self._writing, timeout=seconds))[1]

    async def end(self) -> None:
        """Wait for what is being written, if that does not take long."""
        if not await self.written(GOODBYE_S):
            self._fail(WRITING, StageError(*SILENCE_ERROR))

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # of whatever memory
            self._fail(WRITING, error)
        else:
            self._failing.discard(WRITING)

    def _rest(self, what: str, error: Exception) -> None:
        self._resting = asyncio.get_running_loop().time() + REST_S
        self._fail(what, error)

    def _fail(self, what: str, error: Exception) -> None:
        """Tell about the failure, unless the memory was failing already: if it is away, nothing works."""
        if not self._failing:
            self._failed(error)
        self._failing.add(what)
