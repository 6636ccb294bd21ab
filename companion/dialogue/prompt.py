"""What the language model is told and asked: the persona, what is remembered, the conversation, and notes."""

from collections.abc import Callable, Sequence

from companion.conversation import items
from companion.conversation.items import Setting
from companion.conversation.response import Wishes
from companion.dialogue.feelings import Feeling
from companion.dialogue.personas import Persona
from companion.dialogue.phrases import Said
from companion.dialogue.recollection import Recollection
from companion.engine import Engine
from companion.protocol.settings import Settings
from companion.safety import Guard, Private
from companion.speech.repertoire import languages
from companion.stages.protocols import Continues, Message


class Asking:
    """One session's. ``settings`` gives those that hold now."""

    def __init__(
        self, engine: Engine, settings: Callable[[], Settings], guard: Guard, recollection: Recollection
    ) -> None:
        self._engine, self._settings, self._guard, self._recollection = engine, settings, guard, recollection

    @property
    def persona(self) -> Persona:
        return self._engine.prompts.personas[self._settings().persona]

    @property
    def continues(self) -> bool:
        """The language model goes on from the beginning of a reply."""
        return isinstance(self._engine.llm, Continues) and self._engine.llm.can_continue

    @property
    def tagged(self) -> bool:
        """The language model writes its feelings down."""
        return self._engine.config.session.feeling_tags

    @property
    def private(self) -> Private:
        """What of it must not be said aloud."""
        return Private(self._rules(), self.persona.instructions)

    def ahead(self, history: Sequence[Message]) -> list[Message]:
        """What of the next question is known already."""
        known = items.messages(self._setting(), history)
        # That the user speaks next is known, too.
        return known if known[-1].role == "user" else [*known, Message("user", "")]

    def ask(self, history: Sequence[Message], notes: Sequence[str], wishes: Wishes, begun: str) -> list[Message]:
        """The question, of which the answer has ``begun`` so."""
        can = self.continues
        told = self._engine.prompts.openers.note.format(opener=begun) if begun and not can else ""
        note = " ".join(note for note in (*notes, told) if note)
        messages = items.messages(self._setting(wishes.instructions or ""), history, note)
        if can and messages[-1].role == "assistant":
            messages.append(Message("user", ""))  # else the model would go on from what was said long ago
        if begun and can:
            messages.append(Message("assistant", begun))
        return messages

    def notes(self, heard: Said, lesson: str = "") -> tuple[str, ...]:
        """Of the user's last turn: how they feel, what the ``lesson`` wants, and the language."""
        spoken = self._engine.prompts.languages.note(heard.language, languages(self._engine.tts))
        return (self._felt(heard.feeling, heard.tone), lesson, spoken)

    async def recalled(self, said: str, tell: bool = True) -> str:
        """Of what is remembered, what has to do with what was ``said``."""
        recalled = await self._recollection.recall(said, tell)
        return self._engine.prompts.recalled.format(memories=" ".join(recalled)) if recalled else ""

    def _felt(self, feeling: Feeling, tone: float) -> str:
        """The user's feeling: by the words, and by the voice."""
        if not self.tagged:
            return ""
        felt = self._engine.prompts.felt
        words = felt.note.format(feeling=feeling.emotion) if feeling.emotion != "neutral" else ""
        return f"{words} {felt.lively if tone > 0 else felt.low if tone < 0 else ''}".strip()

    def _setting(self, wished: str = "") -> Setting:
        own = wished or self._settings().instructions
        return Setting(
            persona=self.persona,
            speech=self._rules(),
            instructions=self._guard.instructions(own or self.persona.instructions),
            memories=self._recollection.known,
            limit=self._engine.config.session.history_messages,
            tags=self.tagged,
        )

    def _rules(self) -> str:
        """Of speech, the persona's, and this user's."""
        rules = (self._engine.prompts.speech, *self.persona.rules, self._guard.rules())
        return "\n".join(rule for rule in rules if rule)
