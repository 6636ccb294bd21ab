"""The user's folders, files that appear whole or not at all, and files that are shipped beside the code."""

import hashlib
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path, user_data_path

ASSETS = Path(__file__).resolve().parent / "assets"
ASSET_SHA256 = {
    "face_landmarker.task": "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    "selfie_segmentation.tflite": "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
}


def cache_folder() -> Path:
    """Where models, prepared portraits and other cached results are kept: ``VASARI_CACHE`` if set, in which ``~`` is
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


@cache
def asset(name: str) -> bytes:
    """The content of the shipped file ``name``, one of `ASSET_SHA256`. Raises RuntimeError when it has changed."""
    content = (ASSETS / name).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != ASSET_SHA256[name]:
        raise RuntimeError(
            f"{ASSETS / name} has SHA-256 {found}, expected {ASSET_SHA256[name]}. Reinstall the package."
        )
    return content
