"""The threads in which models run, and blocking generators run in them step by step: a cancelled caller waits for one
step at most."""

import asyncio
import ctypes
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

M_ARENA_MAX, ARENAS = -8, 2  # of glibc's mallopt

NICER = 4  # by how much the niceness of a model's threads exceeds that of the threads that draw and send
MODEL_THREADS = max(1, (os.cpu_count() or 2) // 2)  # on every core, a model would be stalled by the renderer


def share_memory() -> None:
    """Limit glibc's malloc to two arenas. By default it gives each thread its own, which keeps that thread's peak
    usage: some 100 MB over the models' threads. No effect with other C libraries."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def model_threads(name: str, count: int = 1) -> ThreadPoolExecutor:
    """A pool of ``count`` threads in which models are loaded or run. On Linux, where each thread has a priority, theirs
    and that of the threads they start is lower than that of the face and of the connections: on a busy machine a reply
    comes a little later, but no frame and no sound does."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_step_aside)


def one_thread(name: str) -> ThreadPoolExecutor:
    """A pool of a single named thread: work in it is serialised."""
    return ThreadPoolExecutor(1, thread_name_prefix=name)


async def pieces(pool: ThreadPoolExecutor, make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """Iterate over ``make()`` in the pool; None ends it. Closing or cancelling stops it after the current piece."""
    loop = asyncio.get_running_loop()
    source = await loop.run_in_executor(pool, make)
    while True:
        piece = await loop.run_in_executor(pool, next, source, None)
        if piece is None:
            return
        yield piece


def _step_aside() -> None:
    if sys.platform == "linux":
        usual = os.getpriority(os.PRIO_PROCESS, os.getpid())  # of the process's first thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + NICER)
