"""Compiled kernels: one thread, no GIL, kept on disk so that only the first process ever compiles."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile ``function`` at its first call, or load what an earlier process compiled.

    The machine code is kept beside the source, or in the user's cache folder where that cannot be written
    (``NUMBA_CACHE_DIR`` overrides both). Where neither can, every process compiles anew.
    """
    try:
        return numba.njit(nogil=True, fastmath=True, cache=True)(function)  # pyright: ignore[reportReturnType]
    except RuntimeError:
        return numba.njit(nogil=True, fastmath=True)(function)  # pyright: ignore[reportReturnType]
