"""The user's folders, and files that appear whole or not at all."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path, user_data_path


def cache_folder() -> Path:
    """Where models, prepared portraits and what is computed once are kept: ``VASARI_CACHE`` if set, in which ``~`` is
    the user's home, else the user's cache folder of the system."""
    if chosen := os.environ.get("VASARI_CACHE"):
        return Path(chosen).expanduser()
    return user_cache_path("vasari", appauthor=False, opinion=False)


def data_folder() -> Path:
    """Where what cannot be computed again is kept: ``VASARI_DATA`` if set, in which ``~`` is the user's home, else the
    user's data folder of the system."""
    if chosen := os.environ.get("VASARI_DATA"):
        return Path(chosen).expanduser()
    return user_data_path("vasari", appauthor=False)


@contextmanager
def whole(path: Path) -> Generator[IO[bytes]]:
    """A file to write that appears as ``path`` once it is complete, whoever else writes it too. Nothing is left of one
    that is not: the disk may be full. Raises OSError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
