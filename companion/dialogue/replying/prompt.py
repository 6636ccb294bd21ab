"""What the language model is told and asked: the persona, what is remembered, the conversation, and notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from companion.conversation.response import Wishes
from companion.dialogue.personas.feelings import Feeling
from companion.dialogue.personas.personas import Persona
from companion.dialogue.personas.phrases import Said
from companion.dialogue.remembering.acquaintance import Acquaintance
from companion.dialogue.replying.shared import Shared
from companion.protocol.settings import Settings
from companion.safety import Guard, Private
from companion.speech.text.sentences import untagged
from companion.stages.protocols import Message, abilities


@dataclass(frozen=True, slots=True)
class Setting:
    """What a language model is told besides the history."""

    persona: Persona
    speech: str
    instructions: str
    memories: Sequence[str] = ()
    limit: int = 24
    tags: bool = True  # the model writes feelings in brackets


def messages(setting: Setting, history: Sequence[Message], note: str = "") -> list[Message]:
    """System prompt, the persona's examples, and the last ``limit`` messages, which start with the user's.

    A client's own instructions take the place of the persona's, and its examples go with them. ``note`` follows the
    last message of the user: what comes before it may have been read already.
    """
    system = [setting.instructions, setting.speech]
    if setting.memories:
        system.append("What you remember:\n" + "\n".join(f"- {fact}" for fact in setting.memories))
    result = [Message("system", "\n\n".join(part for part in system if part))]
    if setting.instructions == setting.persona.instructions:
        for example in setting.persona.examples:
            answer = example.assistant if setting.tags else untagged(example.assistant)
            result += [Message("user", example.user), Message("assistant", answer)]
    recent = list(history[-setting.limit :])
    while len(recent) > 1 and recent[0].role in ("assistant", "tool") and len(history) > setting.limit:
        recent.pop(0)
    if note and recent and recent[-1].role == "user":
        recent[-1] = Message("user", f"{recent[-1].content}\n{note}")
    return result + recent


class Asking:
    """One session's. ``settings`` gives those that hold now."""

    def __init__(
        self, shared: Shared, settings: Callable[[], Settings], guard: Guard, acquaintance: Acquaintance
    ) -> None:
        self._shared, self._settings, self._guard, self._acquaintance = shared, settings, guard, acquaintance
        self.continues = abilities(shared.llm).continues  # the model goes on from the beginning of a reply

    @property
    def persona(self) -> Persona:
        return self._shared.prompts.personas[self._settings().persona]

    @property
    def tagged(self) -> bool:
        """Whether the language model marks its feelings with tags."""
        return self._shared.talk.feeling_tags

    @property
    def private(self) -> Private:
        """What of the prompt must not be said aloud."""
        return Private(self._rules(), self.persona.instructions)

    def ahead(self, history: Sequence[Message]) -> list[Message]:
        """The part of the next prompt that is known already."""
        known = messages(self._setting(), history)
        # That the user speaks next is known, too.
        return known if known[-1].role == "user" else [*known, Message("user", "")]

    def ask(self, history: Sequence[Message], notes: Sequence[str], wishes: Wishes, begun: str) -> list[Message]:
        """The whole prompt; ``begun`` is how the answer has begun already."""
        can = self.continues
        told = self._shared.prompts.openers.note.format(opener=begun) if begun and not can else ""
        note = " ".join(note for note in (*notes, told) if note)
        asked = messages(self._setting(wishes.instructions or ""), history, note)
        if can and asked[-1].role == "assistant":
            asked.append(Message("user", ""))  # else the model would go on from what was said long ago
        if begun and can:
            asked.append(Message("assistant", begun))
        return asked

    def notes(self, heard: Said, lesson: str = "") -> tuple[str, ...]:
        """Notes on the user's last turn: how they feel, what the ``lesson`` wants, and the language."""
        spoken = self._shared.prompts.languages.note(heard.language, self._shared.spoken)
        return (self._felt(heard.feeling, heard.tone), lesson, spoken)

    async def recalled(self, said: str, tell: bool = True) -> str:
        """What is remembered that bears on what was ``said``."""
        known = self._acquaintance
        own = [text for text in (known.found(said),) if text] or known.recalled(said)
        recalled = [*own, *await known.recollection.recall(said, tell)]
        return self._shared.prompts.recalled.format(memories=" ".join(recalled)) if recalled else ""

    def _felt(self, feeling: Feeling, tone: float) -> str:
        """The user's feeling: by the words, and by the voice."""
        if not self.tagged:
            return ""
        felt = self._shared.prompts.felt
        words = felt.note.format(feeling=feeling.emotion) if feeling.emotion != "neutral" else ""
        return f"{words} {felt.lively if tone > 0 else felt.low if tone < 0 else ''}".strip()

    def _setting(self, wished: str = "") -> Setting:
        own = wished or self._settings().instructions
        return Setting(
            persona=self.persona,
            speech=self._rules(),
            instructions=self._guard.instructions(own or self.persona.instructions),
            memories=self._acquaintance.recollection.known,
            limit=self._shared.talk.history_messages,
            tags=self.tagged,
        )

    def _rules(self) -> str:
        """Of speech, the persona's, and this user's."""
        rules = (self._shared.prompts.speech, *self.persona.rules, self._guard.rules())
        return "\n".join(rule for rule in rules if rule)
