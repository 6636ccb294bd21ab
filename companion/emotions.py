"""What each emotion means in a conversation: sentences that sound like it, its voice, other words for it.

Read from ``prompts/feelings.md``. What it does to the face: `animator.motion.behaviour.emotions`.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from animator.control import EMOTIONS, Emotion
from companion import frontmatter, resources

Text = Annotated[str, Field(min_length=1)]
strict = with_config(ConfigDict(extra="forbid"))


@strict
@dataclass(frozen=True, slots=True)
class Manner:
    """How a feeling sounds. ``speed`` and ``gain`` are relative to the voice's own, ``pitch`` is in semitones, and the
    range of the pitch is wider by the factor ``width``."""

    speed: float = 1.0
    gain: float = 1.0
    pitch: float = 0.0
    width: float = 1.0


@strict
@dataclass(frozen=True, slots=True)
class Meaning:
    """One emotion. ``examples`` are sentences of it; ``hint`` tells a voice that takes instructions how it sounds;
    ``tags`` are other words that mean it in brackets; ``mirrored`` is what a listener shows to who feels so (None: the
    same); ``lively``: it raises a voice; ``offered``: language models are told of it."""

    examples: Annotated[tuple[Text, ...], Field(min_length=1)]
    voice: Manner = Manner()
    hint: str = ""
    tags: tuple[Text, ...] = ()
    mirrored: Emotion | None = None
    lively: bool = False
    offered: bool = True


@strict
@dataclass(frozen=True, slots=True)
class Table:
    """The file. ``note``, ``lively`` and ``low`` are what a language model is told of the user's feeling and voice,
    ``tagging`` how it writes its own."""

    note: str
    lively: str
    low: str
    emotions: dict[Emotion, Meaning] = field(default_factory=dict[Emotion, Meaning])
    tagging: str = ""


def load(folder: Path) -> Table:
    """``feelings.md`` of a folder of prompts. Raises PromptError, also where an emotion has no row, or its name stands
    for another."""
    path = folder / "feelings.md"
    head, body = frontmatter.read(path)
    table = frontmatter.parse(Table, head, path)
    if missing := [name for name in EMOTIONS if name not in table.emotions]:
        raise frontmatter.PromptError(f"{path}: there is no table [emotions.{missing[0]}]")
    for name, meaning in table.emotions.items():
        if taken := [tag for tag in meaning.tags if tag in EMOTIONS]:
            message = f"{path}: emotions.{name}.tags: {taken[0]!r} is an emotion of its own; leave it out here"
            raise frontmatter.PromptError(message)
    offered = [f"[{name}]" for name, meaning in table.emotions.items() if meaning.offered]
    return Table(table.note, table.lively, table.low, table.emotions, body.format(feelings=", ".join(offered)))


@functools.cache
def meanings() -> dict[str, Meaning]:
    """By name, those of the shipped file."""
    return {**load(resources.folder("prompts")).emotions}
