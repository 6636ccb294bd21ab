"""Streams that wrap others, and how they and tasks are ended: what a stage gives stops when nobody listens any more."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
F = TypeVar("F", bound=asyncio.Future[Any])

RETRY_S = 0.1  # s after which a task that goes on is cancelled once more


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T]]:
    """Close ``stream`` at the end, if it can be: that is what stops a model that is still generating."""
    try:
        yield stream
    finally:
        if (close := getattr(stream, "aclose", None)) is not None:
            await close()


class Beginning(NamedTuple):
    """How a stream begins; ``alone``: that is all of it."""

    text: str
    alone: bool = False


async def held(stream: AsyncIterator[str], decide: Callable[[str, bool], Beginning | None]) -> AsyncIterator[str]:
    """``stream``, of which the beginning is held back until it is known what it means: ``decide`` takes what has come
    of it, and whether that is all, and gives what takes its place. None, while there is more to come: not yet."""
    beginning: str | None = ""
    async with closing(stream) as deltas:
        async for delta in deltas:
            if beginning is None:
                yield delta
                continue
            beginning += delta
            if decided := decide(beginning, False):
                yield decided.text
                if decided.alone:
                    return
                beginning = None
    if beginning and (decided := decide(beginning, True)):
        yield decided.text


async def collected(stream: AsyncIterator[T]) -> list[T]:
    """All items of ``stream``."""
    async with closing(stream) as items:
        return [item async for item in items]


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel ``tasks`` until they are over; what they raise is not raised here. One cancellation is not enough where a
    task keeps it to itself: on Python 3.11 one that meets a result inside ``wait_for`` is lost."""
    try:
        await _outlast(tasks, lambda task: task.cancel(), RETRY_S)
    finally:
        for task in tasks:
            if not task.cancelled():
                task.exception()  # was raised already, or nobody listens any more


async def over(work: asyncio.Future[Any]) -> None:
    """Wait until ``work`` of a thread, which nothing can cancel, is over; a cancellation of the caller is raised then.
    What the work raises is not raised here."""
    await _outlast((work,), lambda _: False, None)


async def _outlast(work: Sequence[F], before: Callable[[F], bool], again: float | None) -> None:
    """Wait for all of ``work``, calling ``before`` with what is not over, anew each ``again`` seconds."""
    cancelled = False
    while running := [one for one in work if not one.done()]:
        for one in running:
            before(one)
        try:
            await asyncio.wait(running, timeout=again)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
