"""Reads the files of ``prompts/``: TOML front matter between two lines of ``+++``, then text."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError, with_config

T = TypeVar("T")

strict = with_config(ConfigDict(extra="forbid"))  # decorates dataclasses for which an unknown key is an error


def _compile(pattern: Any) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise ValueError(f"is not a valid pattern: {error}") from error


Pattern = Annotated[re.Pattern[str], BeforeValidator(_compile)]  # a string in the TOML; ignores case


class PromptError(Exception):
    """A file of ``prompts/`` is invalid; the message names the file and what is wrong."""


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Read a file -> its front matter as parsed TOML, and the text after it, stripped.

    Raises PromptError for a file that is missing, not UTF-8, without front matter, or not valid TOML.
    """
    try:
        parts = path.read_text("utf-8").split("+++\n", 2)
    except OSError as error:
        raise PromptError(f"{path} cannot be read: {error.strerror}. Give the path of a Markdown file.") from error
    except UnicodeDecodeError as error:
        raise PromptError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{path}: should start with TOML between two lines of +++")
    try:
        return tomllib.loads(parts[1]), parts[2].strip()
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{path}: the front matter is not valid TOML: {error}") from error


def parse(kind: type[T], values: dict[str, Any], path: Path) -> T:
    """Validate front matter as a ``kind``, a dataclass. Raises PromptError, which names the file and the field."""
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise PromptError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
