"""The tables of ``sounds.toml``."""

import functools
import tomllib
from pathlib import Path
from typing import Any


def numerals(name: str) -> list[str]:
    """Words for numbers, in their order."""
    return _file()["numerals"][name].split()


def signs(name: str) -> dict[str, str]:
    """Signs of a script and their sounds in Kokoro's alphabet."""
    table = _file()["signs"][name].split()
    return dict(zip(table[::2], table[1::2], strict=True))


@functools.cache
def _file() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "sounds.toml").read_text("utf-8"))
