"""Phrases that a persona says without the language model: openers, backchannels and fillers."""

from collections.abc import Sequence
from dataclasses import dataclass

from companion.config import Talk
from companion.dialogue.personas.feelings import Feeling
from companion.dialogue.personas.openers import Book, Openers
from companion.dialogue.personas.personas import Persona
from companion.speech.text.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Said:
    """The user's last turn. ``language`` is ISO 639-1, or ""; ``tone`` is as in `companion.conversation.items.Item`."""

    text: str
    language: str
    feeling: Feeling
    tone: float = 0.0


class Habits:
    """The phrases of one session; of each kind the one used longest ago comes next. ``spoken`` are the languages of the
    voice (empty: any)."""

    def __init__(self, *, talk: Talk, book: Book, spoken: Sequence[str]) -> None:
        self._talk, self._spoken = talk, spoken
        self._book, self._openers = book, Openers(book)
        self._fillers = 0

    def opener(self, persona: Persona, said: Said) -> Sentence | None:
        """Choose the opener of the reply to ``said``, and count it as used; None if the language model is to begin."""
        own = persona.openers
        if own is False or not self._opens(said.language):
            return None
        return self._openers.choose(said.text, said.language, said.feeling.emotion, own)

    def apart(self, opener: Sentence) -> bool:
        """Whether the language model must start a sentence of its own after ``opener``."""
        return self._book.apart(opener.text)

    def likely(self, persona: Persona, said: Said) -> Sentence | None:
        """The opener that `opener` would return now, without counting it as used."""
        own = persona.openers
        if own is False or not self._opens(said.language):
            return None
        return self._openers.likely(said.text, said.language, said.feeling.emotion, own)

    def breathes(self, persona: Persona) -> bool:
        """Whether a reply without an opener may begin with an audible breath."""
        return self._talk.openers and bool(self._openers) and persona.openers is not False

    def murmur(self, persona: Persona, language: str) -> Sentence | None:
        """A backchannel for a user who is still speaking, in ``language``; None for none."""
        own = persona.openers
        if own is False or not self._talk.murmurs or not self._speaks(language):
            return None
        return self._openers.listening(language, own)

    def filler(self, persona: Persona) -> tuple[str, float]:
        """The next filler, and after how many seconds without an answer to say it; ("", 0.0) for none."""
        after = self._talk.filler_after_ms / 1000
        if not persona.fillers or not after:
            return "", 0.0
        self._fillers += 1
        return persona.fillers[self._fillers % len(persona.fillers)], after

    def _opens(self, language: str) -> bool:
        return self._talk.openers and self._speaks(language)

    def _speaks(self, language: str) -> bool:
        return not self._spoken or language in self._spoken
