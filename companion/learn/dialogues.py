"""The training data in ``prompts/dialogues``: dialogues in which personas reply as the language model should."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from companion import emotions, resources
from companion.frontmatter import PromptError, strict
from companion.speech.text.sentences import untagged, words

Part = Literal["train", "held-out", "larger"]

MOST_WORDS = 60  # words of a reply, at most: it is spoken
HELP_DESK = re.compile(
    r"\b(?:how (?:can|may) i (?:help|assist)|(?:happy|glad|here) to (?:help|assist)|feel free to|let me know if|"
    r"as an ai language model|i(?:'m| am) sorry for (?:any|the) inconvenience|is there anything else|"
    r"i(?:'m| am) just an ai|reach out to me|assist you)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"\[([^\]]*)\]")
_LIST = re.compile(r"\n|```|https?://|^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)

Text = Annotated[str, Field(min_length=1, max_length=1000)]


@strict
@dataclass(frozen=True, slots=True)
class Turn:
    """What the user says, and the reply, with emotions as tags in brackets, as a capable model writes them."""

    user: Text
    assistant: Text


@strict
@dataclass(frozen=True, slots=True)
class Dialogue:
    """``persona``: the name of a file in ``prompts/personas``. ``kind``: what the dialogue is about."""

    persona: str
    kind: str
    turns: Annotated[tuple[Turn, ...], Field(min_length=1)]


def read(path: Path) -> list[Dialogue]:
    """Read a file of dialogues, one JSON object a line.

    Raises:
        PromptError: a line is not a valid dialogue; the message gives its number.
        OSError: the file cannot be read.
    """
    parser = TypeAdapter(Dialogue)
    found: list[Dialogue] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            found.append(parser.validate_json(line))
        except ValidationError as error:
            raise PromptError(f"{path}:{number}: {error.errors()[0]['msg']}") from error
    return found


def load(part: Part, folder: Path | None = None) -> list[Dialogue]:
    """The dialogues of ``part``, from ``prompts/dialogues`` or another ``folder`` with the same layout. Raises as
    `read`."""
    folder = folder or resources.folder("prompts") / "dialogues"
    return [dialogue for path in sorted((folder / part).glob("*.jsonl")) for dialogue in read(path)]


def write(path: Path, dialogues: Sequence[Dialogue]) -> None:
    """Write a file in the format of `read`. Raises OSError."""
    plain = TypeAdapter(Dialogue).dump_python
    lines = (json.dumps(plain(dialogue), ensure_ascii=False) for dialogue in dialogues)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def faults(dialogue: Dialogue) -> Iterator[str]:
    """Yield a message for each fault: an unknown tag, a reply that is empty, too long or not a whole sentence, a phrase
    of a help desk, or text that cannot be spoken (lists, code, links)."""
    feelings = {*emotions.meanings(), "laughs", "looks away", "looks at you", "pause"}
    for turn in dialogue.turns:
        said = untagged(turn.assistant)
        if unknown := {tag for tag in _TAG.findall(turn.assistant) if tag not in feelings}:
            yield f"there is no feeling {unknown.pop()!r}: {turn.assistant}"
        if not said or len(said.split()) > MOST_WORDS:
            yield f"{len(said.split())} words: {turn.assistant}"
        if not said.endswith((".", "!", "?", "…", '."', '!"', '?"')):
            yield f"it does not end: {turn.assistant}"
        if found := HELP_DESK.search(said) or _LIST.search(turn.assistant):
            yield f"{found.group()!r}: {turn.assistant}"


def repeated(dialogues: Sequence[Dialogue], least: int = 6) -> list[str]:
    """Replies of at least ``least`` words that occur more than once, one entry for each repetition."""
    seen: set[tuple[str, ...]] = set()
    found: list[str] = []
    for turn in (turn for dialogue in dialogues for turn in dialogue.turns):
        said = tuple(words(untagged(turn.assistant)))
        if len(said) >= least and said in seen:
            found.append(turn.assistant)
        seen.add(said)
    return found
