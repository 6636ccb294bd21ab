"""Helpers that close async streams and end tasks, so that a stage stops generating when nobody listens any more."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
F = TypeVar("F", bound=asyncio.Future[Any])

RETRY_S = 0.1  # s after which a task that is still running is cancelled again


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T]]:
    """Close ``stream`` on exit, if it has ``aclose``: this stops a model that is still generating."""
    try:
        yield stream
    finally:
        if (close := getattr(stream, "aclose", None)) is not None:
            await close()


class Beginning(NamedTuple):
    """The text that replaces the beginning of a stream. ``alone``: the rest of the stream is dropped."""

    text: str
    alone: bool = False


async def held(stream: AsyncIterator[str], decide: Callable[[str, bool], Beginning | None]) -> AsyncIterator[str]:
    """Yield ``stream`` with its beginning held back until ``decide`` knows what to do with it.

    ``decide`` takes the text so far and whether the stream has ended, and returns what replaces that text; None means
    "not yet", or at the end of the stream that the text is dropped.
    """
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
    """All items of ``stream``, which is then closed."""
    async with closing(stream) as items:
        return [item async for item in items]


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel ``tasks`` and wait until they are done; their exceptions are not raised here. They are cancelled again and
    again, since a cancellation can get lost: on Python 3.11, if ``wait_for`` receives its result at the same time."""
    try:
        await _outlast(tasks, lambda task: task.cancel(), RETRY_S)
    finally:
        for task in tasks:
            if not task.cancelled():
                task.exception()  # marks it as retrieved: it was raised elsewhere, or nobody needs it


async def over(work: asyncio.Future[Any]) -> None:
    """Wait until ``work`` in a thread, which cannot be cancelled, is done; if the caller is cancelled meanwhile,
    CancelledError is raised afterwards. An exception of the work is not raised here."""
    await _outlast((work,), lambda _: False, None)


async def _outlast(work: Sequence[F], before: Callable[[F], bool], again: float | None) -> None:
    """Wait for all of ``work``; call ``before`` with each one that is not done, now and every ``again`` s."""
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
