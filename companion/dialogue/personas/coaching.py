"""How a language model is guided: a capable one by notes in its prompt, a small one by corrections of its replies."""

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
    """How one kind of language model is guided.

    ``told`` are the user's messages, the last of which is to be answered; it is empty where a reply is not to be
    prescribed. ``words_facts``: the model itself words the facts known about the user, given them in a note.
    """

    words_facts: bool

    def note(self, text: str) -> str:
        """What of ``text``, a note on the user's safety or on a lesson, the model is told; "" for nothing."""
        ...

    def begin(self, told: Sequence[str], persona: Persona) -> str:
        """The prescribed first words of the answer; "" where the model begins it."""
        ...

    def answer(self, told: Sequence[str], persona: Persona) -> str:
        """The whole answer, where it is prescribed; else ""."""
        ...

    def tact(self, persona: Persona, conversation: Conversation, opener: str) -> Callable[[str], str]:
        """A function to call with each sentence of one reply, in order, which returns what to say of it. The reply has
        begun with ``opener``."""
        ...


class Plain:
    """The `Style` for a capable model: it gets all notes, and its replies are not changed."""

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
    """The `Style` for a small model: its replies are corrected by ``manners``."""

    words_facts = False

    def __init__(self, manners: Manners) -> None:
        self._manners = manners

    def note(self, text: str) -> str:
        """No notes: a small model would speak of suicide unasked, and give a lesson's answers away."""
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
    """The `Style` for ``llm``. A model counts as small if it can continue the beginning of a reply, which those run in
    this process can; ``talk.manners`` switches the corrections off."""
    return Coaching(manners) if talk.manners and abilities(llm).continues else Plain()


def told(history: Sequence[Message]) -> list[str]:
    """The texts of the user's messages in a conversation, in order."""
    return [message.content for message in history if message.role == "user"]
