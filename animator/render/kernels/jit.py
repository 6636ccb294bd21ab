"""Compiled kernels: one thread, no GIL, kept on disk so that only the first process ever compiles."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])


class KernelCache(FunctionCache):
    """numba's cache on disk. A file of it that cannot be loaded is discarded, and the kernel is compiled again.

    It pickles the types of arguments by the names of their modules, and loads all of that before it compares the age of
    the source: once such a class has moved, numba itself fails at every call.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The machine code for the signature ``sig``; None if there is none."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # unpickling raises all kinds of errors
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the machine code for the signature ``sig``, unless the disk is full, for instance."""
        with suppress(Exception):
            super().save_overload(sig, data)


def kernel(function: Function) -> Function:
    """Compile ``function`` at its first call, or load what an earlier process compiled.

    The machine code is kept beside the source, or in the user's cache folder where that cannot be written
    (``NUMBA_CACHE_DIR`` overrides both). Where neither can, every process compiles anew.
    """
    compiled: Any = numba.njit(nogil=True, fastmath=True)(function)
    with suppress(RuntimeError):  # there is no folder for it
        compiled._cache = KernelCache(function)  # what `cache=True` does with numba's own
    return compiled
