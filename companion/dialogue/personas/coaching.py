"""How a language model is guided: a capable one is told what there is to know; a small one is corrected as well."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from companion.config import Talk
from companion.conversation.items import Conversation
from companion.dialogue.personas.manners import Manners, Tact
from companion.dialogue.personas.personas import Persona
from companion.stages.protocols import LLM, Message, abilities

_SENTENCE = re.compile(r"[^.!?…]+[.!?…]*")


class Style(Protocol):
    """``told`` are messages of the user's, the last of which is to be answered; none where others have a say in how.
    ``words_facts``: the model itself says what is known of the user, where it is told."""

    words_facts: bool

    def note(self, text: str) -> str:
        """What the model is told of a ``text`` on the user's worries, or on a lesson."""
        ...

    def begin(self, told: Sequence[str], persona: Persona) -> str:
        """The first words of the answer; "" if they are the model's business."""
        ...

    def answer(self, told: Sequence[str], persona: Persona) -> str:
        """All of the answer; "" if more of it is the model's business."""
        ...

    def tact(self, persona: Persona, conversation: Conversation, opener: str) -> Callable[[str], str]:
        """For each sentence of a reply that began with ``opener``, in order: what of it is said."""
        ...


class Plain:
    """The `Style` for a capable model."""

    words_facts = True

    def note(self, text: str) -> str:
        return text

    def begin(self, told: Sequence[str], persona: Persona) -> str:
        return ""

    def answer(self, told: Sequence[str], persona: Persona) -> str:
        return ""

    def tact(self, persona: Persona, conversation: Conversation, opener: str) -> Callable[[str], str]:
        return str


class Coaching:
    """The `Style` for a small one, by ``manners``."""

    words_facts = False

    def __init__(self, manners: Manners) -> None:
        self._manners = manners

    def note(self, text: str) -> str:
        """Nothing: a small model would speak of suicide unasked, and give a lesson's answers away."""
        return ""

    def begin(self, told: Sequence[str], persona: Persona) -> str:
        return self._manners.begin(told, persona.name)

    def answer(self, told: Sequence[str], persona: Persona) -> str:
        return self._manners.whole(told, persona.name)

    def tact(self, persona: Persona, conversation: Conversation, opener: str) -> Callable[[str], str]:
        replies = () if persona.lesson else conversation  # a quiz asks again
        said = [one for item in replies if item.role == "assistant" for one in _SENTENCE.findall(item.content())]
        examples = [example.user for example in persona.examples]
        return Tact(self._manners, persona.name, said, told(conversation.history()), opener, examples)


def style(llm: LLM, talk: Talk, manners: Manners) -> Style:
    """The `Style` for ``llm``: models that continue the beginning of a reply, as those in this process do, are
    small."""
    return Coaching(manners) if talk.manners and abilities(llm).continues else Plain()


def told(history: Sequence[Message]) -> list[str]:
    """The user's messages of a conversation."""
    return [message.content for message in history if message.role == "user"]
