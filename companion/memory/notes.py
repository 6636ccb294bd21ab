"""Decides what to remember of a conversation: sentences of the user that match a pattern, and a language model's notes.

Nothing is invented: a sentence of the user is kept verbatim; a note of the model is kept only if the user's words
support it. Pure, except that `load` reads ``prompts/memory.md``.
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
OWN_WORDS_SHARE = 0.7  # share of a note's words that must occur in the user's
NOTE_IMPORTANCE = 0.5  # importance of a model's note, on the scale from 0 to 1
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
    """Something to remember. ``kind`` is ``said`` (the user's words) or ``noted`` (a language model's); ``importance``
    is from 0 to 1. Of notes with the same non-empty ``slot`` a user has one: a newer one replaces it."""

    text: str
    kind: str
    importance: float
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """Sentences that match ``pattern`` are kept, with this ``importance`` (0 to 1). ``slot`` is as in `Note`; ``{0}``
    and ``{1}`` in it are the pattern's groups."""

    pattern: str
    importance: float
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing is kept of a message or note in which ``pattern`` matches."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The content of ``prompts/memory.md``, which documents its fields."""

    said: str
    noted: str
    note: str
    keep: tuple[Keep, ...]
    never: tuple[Never, ...]
    prompt: str

    def tell(self, note: Note, at: datetime, now: datetime) -> str:
        """A memory from ``at``, worded for the language model; both times are UTC without a zone."""
        form = self.said if note.kind == "said" else self.noted
        return form.format(when=ago(at, now), text=note.text)


def load(folder: Path | None = None) -> Wording:
    """Read ``memory.md`` from ``prompts/``, or another folder. Raises StageError ``memory_prompt`` if it is invalid."""
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
    """The sentences of the user's message ``said`` that match a pattern of ``wording``, verbatim, as notes."""
    if any(re.search(rule.pattern, said, re.IGNORECASE) for rule in wording.never):
        return []
    notes = (_note(" ".join(sentence.split()), wording) for sentence in SENTENCE.findall(said))
    return [note for note in notes if note]


def conversation_prompt(wording: Wording, messages: Sequence[Message]) -> str:
    """The prompt that asks the language model for notes on a conversation."""
    lines = (f"{'User' if m.role == 'user' else 'Assistant'}: {m.content}" for m in messages)
    return wording.prompt.replace("{conversation}", "\n".join(lines))


def from_model(answer: str, messages: Sequence[Message], wording: Wording) -> list[Note]:
    """Parse the language model's notes: the lines of ``answer`` that have the requested form and that ``messages``
    support."""
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
    """Whether ``known`` supports ``text``: it has all names and numbers of ``text``, and at least `OWN_WORDS_SHARE` of
    its other words, compared by their stems."""
    there = _stems(known)
    names = {word for word in re.findall(r"(?<!^)\b[A-Z][^\W\d_]{2,}", text)} | set(re.findall(r"\d+", text))
    if any(_stem(name) not in there for name in names):
        return False
    words = _stems(text)
    return len(words) >= 2 and len(words & there) >= OWN_WORDS_SHARE * len(words)


def ago(at: datetime, now: datetime) -> str:
    """How long ago ``at`` was, in words that hold for the whole day, such as "2 weeks ago"."""
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
    """A crude stem, under which "plays" equals "playing" and "lives" equals "living"."""
    word = word.lower()
    for ending in ("ing", "ied", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
