"""Who is speaking: the Markdown files of ``prompts/``, each with TOML front matter between two lines of ``+++``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from companion import resources
from companion.memory import notes


class PromptError(Exception):
    """A file of ``prompts/`` cannot be used; the message names it and what is wrong."""


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange that shows the language model how this persona answers."""

    user: str
    assistant: str


@dataclass(frozen=True, slots=True)
class Persona:
    """``id`` is the file's name; ``character`` may be empty (the config's then); ``instructions`` is the body."""

    id: str
    name: str
    summary: str
    greeting: str
    instructions: str
    character: str = ""
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompts:
    """All personas by id, the rules of speech that every one of them follows, and how ``{memories}`` are put."""

    personas: dict[str, Persona]
    speech: str
    recalled: str = "{memories}"


def load(folder: Path | None = None) -> Prompts:
    """``prompts/`` (or another folder of that form) -> Prompts. Raises PromptError."""
    folder = folder or resources.folder("prompts")
    personas = {path.stem: _persona(path) for path in sorted((folder / "personas").glob("*.md"))}
    if not personas:
        raise PromptError(f"{folder / 'personas'}: there is no persona; add a NAME.md")
    speech = (folder / "speech.md").read_text("utf-8").strip()
    return Prompts(personas, speech, notes.load(folder).note)


def _persona(path: Path) -> Persona:
    parts = path.read_text("utf-8").split("+++\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{path}: should start with TOML between two lines of +++")
    try:
        head: dict[str, Any] = tomllib.loads(parts[1])
        return TypeAdapter(Persona).validate_python({**head, "id": path.stem, "instructions": parts[2].strip()})
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{path}: the front matter is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise PromptError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
