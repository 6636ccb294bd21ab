"""What is worth keeping of a conversation: the user's own words by pattern, and a language model's notes, checked.

Nothing is invented: a sentence of the user is kept as it was said; a note of the model is kept only if its words are
the user's. Pure but for reading `prompts/memory.md`.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from companion import resources
from companion.errors import StageError
from companion.stages.protocols import Message

LONGEST_NOTE = 240  # characters of one memory
OWN_WORDS_SHARE = 0.7  # share of a note's words that must be the user's
NOTE_IMPORTANCE = 0.5  # importance of a model's note
SUMMARY = "Summary:"
WORD = re.compile(r"[^\W\d_]{3,}|\d+")
SENTENCE = re.compile(r"[^.!?…。！？]+[.!?…。！？]*")
_COMMON = """
    about all also and any are been being but can could did does for from get got has had have her his him how into its
    just like more much not our out over really she some than that the their them then there they this too very was were
    what when where which while who why will with would yes you your talked said told mentioned user
    called named"""
COMMON_WORDS = frozenset(_COMMON.split())


@dataclass(frozen=True, slots=True)
class Note:
    """Something to remember. ``slot``: there is only one of it per user, unless empty."""

    text: str
    kind: str
    importance: float
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    pattern: str
    importance: float
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Never:
    pattern: str


@dataclass(frozen=True, slots=True)
class Wording:
    """`prompts/memory.md`."""

    said: str
    noted: str
    note: str
    keep: tuple[Keep, ...]
    never: tuple[Never, ...]
    prompt: str

    def tell(self, note: Note, at: datetime, now: datetime) -> str:
        """A memory as the language model reads it."""
        form = self.said if note.kind == "said" else self.noted
        return form.format(when=ago(at, now), text=note.text)


def load(folder: Path | None = None) -> Wording:
    """Raises StageError ``memory_prompt`` for a file that cannot be used."""
    path = (folder or resources.folder("prompts")) / "memory.md"
    try:
        _, head, body = path.read_text("utf-8").split("+++\n", 2)
        values: dict[str, Any] = tomllib.loads(head)
        wording = TypeAdapter(Wording).validate_python({**values, "prompt": body.strip()})
        for rule in (*wording.keep, *wording.never):
            re.compile(rule.pattern)
    except (OSError, ValueError, re.error, ValidationError) as error:
        raise StageError("memory_prompt", f"{path} cannot be used: {error}") from error
    return wording


def from_words(said: str, wording: Wording) -> list[Note]:
    """The sentences of one message of the user that a pattern keeps, in their own words."""
    if any(re.search(rule.pattern, said, re.IGNORECASE) for rule in wording.never):
        return []
    notes = (_note(" ".join(sentence.split()), wording) for sentence in SENTENCE.findall(said))
    return [note for note in notes if note]


def conversation_prompt(wording: Wording, messages: Sequence[Message]) -> str:
    """What the language model is asked after a conversation."""
    lines = (f"{'User' if m.role == 'user' else 'Assistant'}: {m.content}" for m in messages)
    return wording.prompt.replace("{conversation}", "\n".join(lines))


def from_model(answer: str, messages: Sequence[Message], wording: Wording) -> list[Note]:
    """The lines of a model's ``answer`` that are in the form asked for, and hold nothing that was not said."""
    users = " ".join(m.content for m in messages if m.role == "user")
    everything = " ".join(m.content for m in messages)
    notes: list[Note] = []
    for line in (line.strip() for line in answer.splitlines()):
        if line.startswith(SUMMARY):
            text, known, slot = line.removeprefix(SUMMARY).strip(), everything, "last talk"
        elif line.startswith(("-", "*")):
            text, known, slot = line.lstrip("-* ").strip(), users, ""
        else:
            continue
        forbidden = any(re.search(rule.pattern, text, re.IGNORECASE) for rule in wording.never)
        if text.startswith("They ") and len(text) <= LONGEST_NOTE and not forbidden and is_grounded(text, known):
            notes.append(Note(text, "noted", NOTE_IMPORTANCE, slot))
    return notes


def is_grounded(text: str, known: str) -> bool:
    """Whether ``text`` says nothing that is not in ``known``: its names and numbers are all there, and most words."""
    there = _stems(known)
    names = {word for word in re.findall(r"(?<!^)\b[A-Z][^\W\d_]{2,}", text)} | set(re.findall(r"\d+", text))
    if any(_stem(name) not in there for name in names):
        return False
    words = _stems(text)
    return len(words) >= 2 and len(words & there) >= OWN_WORDS_SHARE * len(words)


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in words that stay true for the day."""
    days = (now.date() - at.date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    for unit, length in (("year", 365), ("month", 30), ("week", 7), ("day", 1)):
        if (count := days // length) and (count > 1 or unit != "week"):
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{days} days ago"


def _note(sentence: str, wording: Wording) -> Note | None:
    if not sentence or len(sentence) > LONGEST_NOTE or sentence.endswith(("?", "？")):
        return None
    for rule in wording.keep:
        if found := re.search(rule.pattern, sentence, re.IGNORECASE):
            slot = rule.slot.format(*(group.lower() for group in found.groups("")))
            return Note(sentence, "said", rule.importance, slot)
    return None


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in WORD.findall(text.lower()) if word not in COMMON_WORDS}


def _stem(word: str) -> str:
    """Enough to see that "plays" is "playing" and "lives" is "living"."""
    word = word.lower()
    for ending in ("ing", "ied", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
