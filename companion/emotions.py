"""What each emotion means in a conversation: example sentences, its prosody, synonyms.

Read from ``prompts/feelings.md``. Its facial expression is defined in `animator.motion.behaviour.emotions`.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field

from animator.control import EMOTIONS, Emotion
from companion import frontmatter, resources
from companion.frontmatter import strict

Text = Annotated[str, Field(min_length=1)]


@strict
@dataclass(frozen=True, slots=True)
class Manner:
    """The prosody of an emotion, relative to the voice's own: factors of ``speed`` and ``gain``, the shift of the
    ``pitch`` in semitones, and the factor ``width`` of the pitch range."""

    speed: float = 1.0
    gain: float = 1.0
    pitch: float = 0.0
    width: float = 1.0


@strict
@dataclass(frozen=True, slots=True)
class Meaning:
    """One emotion.

    ``examples`` are sentences that express it; ``hint`` describes its sound to a TTS that takes instructions; ``tags``
    are synonyms that language models write in brackets; ``mirrored`` is the emotion that a listener's face shows to
    somebody who feels this one (None: the same); ``lively``: it raises the voice; ``offered``: language models are told
    that they may use it.
    """

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
    """The content of ``feelings.md``. ``note``, ``lively`` and ``low`` tell a language model of the user's emotion and
    tone of voice; ``tagging`` tells it how to mark its own emotions."""

    note: str
    lively: str
    low: str
    emotions: dict[Emotion, Meaning] = field(default_factory=dict[Emotion, Meaning])
    tagging: str = ""


def load(folder: Path) -> Table:
    """Read ``feelings.md`` from a folder of prompts.

    Raises PromptError for an unusable file, an emotion without a table, or a tag that is the name of an emotion.
    """
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
    """The emotions of the ``feelings.md`` that travels with the program, by name; cached. Raises PromptError."""
    return {**load(resources.folder("prompts")).emotions}
