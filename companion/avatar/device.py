"""What draws and encodes a face, and the threads in which that is done."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from animator.face import Face

T = TypeVar("T")


class EncodedFrame(Protocol):
    @property
    def data(self) -> bytes: ...
    @property
    def keyframe(self) -> bool: ...


class Encoder(Protocol):
    """`animator.media.encoder.VideoEncoder` and its like."""

    @property
    def codec_string(self) -> str: ...
    def encode(self, frame: NDArray[np.uint8], force_keyframe: bool = False) -> Any: ...
    def close(self) -> None: ...


class Animator(Protocol):
    """Opens the face of one session from a portrait. ``size``: side of its frames in pixels."""

    @property
    def size(self) -> int: ...
    def open(self, portrait: Any) -> Face: ...


class Device(Protocol):
    """Runs blocking work without blocking the event loop."""

    async def run(self, work: Callable[..., T], *args: Any) -> T: ...


class Threads:
    """A `Device` of ``count`` threads; 0 is one per core."""

    def __init__(self, count: int = 0) -> None:
        self._pool = ThreadPoolExecutor(count or os.cpu_count() or 1, "face")

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """The result of ``work(*args)``. A cancelled caller waits until work that has begun is finished, because that
        work may use what the caller is about to free."""
        future = self._pool.submit(work, *args)
        done = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not future.cancel():
                await asyncio.wait([done])
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
