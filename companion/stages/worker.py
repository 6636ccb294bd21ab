"""Blocking work in a thread of its own, one piece per hop, so that a cancelled caller waits for one piece at most."""

import asyncio
import ctypes
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

M_ARENA_MAX, ARENAS = -8, 2  # of glibc's mallopt

MODEL_THREADS = max(1, (os.cpu_count() or 2) // 2)  # with one on every core, a face that draws would stall a model


def share_memory() -> None:
    """Let all threads take their memory from a few pools. glibc gives each thread one, which keeps what that thread
    ever needed at a time: a hundred MB among those of the models. Other C libraries have no such pools."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def one_thread(name: str) -> ThreadPoolExecutor:
    """A pool of a single named thread: what runs in it never runs twice at the same time."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


async def pieces(pool: ThreadPoolExecutor, make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """Iterate over ``make()`` in the pool. Closing or cancelling ends the work after the piece that is being made."""
    loop = asyncio.get_running_loop()
    source = await loop.run_in_executor(pool, make)
    while True:
        piece = await loop.run_in_executor(pool, next, source, None)
        if piece is None:
            return
        yield piece
