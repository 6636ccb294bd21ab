"""How a reply begins if the language model does not begin it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from companion.conversation.response import Wishes
from companion.dialogue.personas import coaching
from companion.dialogue.personas.phrases import Habits, Said
from companion.dialogue.remembering.acquaintance import Acquaintance
from companion.dialogue.replying.prompt import Asking
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.speech.text.sentences import Sentence
from companion.stages.protocols import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """One session's. ``settings`` gives those that hold now."""

    settings: Callable[[], Settings]
    acquaintance: Acquaintance
    asking: Asking
    guard: Guard
    style: coaching.Style
    habits: Habits

    def words(self, history: Sequence[Message], wishes: Wishes) -> str:
        """The first words of an answer that the language model would begin wrongly; "" for any other."""
        return self.style.begin(self._to_answer(history, wishes), self.asking.persona)

    def whole(self, history: Sequence[Message], wishes: Wishes, language: str) -> str:
        """The whole answer, to a user who speaks ``language``, where the model's would be wrong; "" for any other."""
        told = self._to_answer(history, wishes)
        known = self.acquaintance.answer(told[-1], language) if told and not self.style.words_facts else ""
        return known or self.style.answer(told, self.asking.persona)

    def begun(self, opener: Sentence | None, words: str) -> str:
        """The beginning that the language model continues, given the opener and the first words."""
        if opener is None:
            return words
        return "" if self.asking.continues and self.habits.apart(opener) else opener.text

    def opener(self, wishes: Wishes, heard: Said) -> Sentence | None:
        """What is said while the language model thinks. It is part of the reply."""
        return self.habits.opener(self.asking.persona, heard) if self._may_open(wishes) else None

    def likely_opener(self, wishes: Wishes, heard: Said) -> Sentence | None:
        """What `opener` would give, if that turn is the next one."""
        return self.habits.likely(self.asking.persona, heard) if self._may_open(wishes) else None

    def _to_answer(self, history: Sequence[Message], wishes: Wishes) -> list[str]:
        """What the user told, if that is to be answered and no client has a say in how."""
        asked = wishes.instructions or self.settings().instructions
        return [] if asked or not history or history[-1].role != "user" else coaching.told(history)

    def _may_open(self, wishes: Wishes) -> bool:
        """Only aloud, and only if neither the client nor care decides how a reply begins."""
        return wishes.sound and not (wishes.instructions or self.settings().instructions or self.guard.careful)
