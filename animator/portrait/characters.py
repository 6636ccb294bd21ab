"""The faces that ship with the project: one folder each, with the picture and its licence."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "assets" / "characters"
DEFAULT_CHARACTER = "mona_lisa"  # not a living person


@dataclass(frozen=True, slots=True)
class Character:
    """A shipped face. ``credit`` must be shown wherever the face is offered."""

    name: str
    title: str
    credit: str
    licence: str
    source: str
    picture: Path


@cache
def characters() -> tuple[Character, ...]:
    """All shipped characters, the default one first."""
    found = [_read(file) for file in sorted(FOLDER.glob("*/character.toml"))]
    return tuple(sorted(found, key=lambda character: character.name != DEFAULT_CHARACTER))


def find(name: str) -> Character:
    """The character with this ``name``. Raises KeyError."""
    return {character.name: character for character in characters()}[name]


def _read(file: Path) -> Character:
    note = tomllib.loads(file.read_text("utf-8"))
    picture = next(file.parent.glob("picture.*"))
    return Character(file.parent.name, note["title"], note["credit"], note["licence"], note["source"], picture)
