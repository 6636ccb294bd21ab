"""Predicts what the language model will be asked next, before the user's turn is over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from companion.config import Talk
from companion.conversation.items import Conversation
from companion.conversation.response import Wishes
from companion.dialogue.personas.feelings import Feeling
from companion.dialogue.personas.phrases import Said
from companion.dialogue.replying.beginning import Beginning
from companion.dialogue.replying.prompt import Asking
from companion.dialogue.replying.toolbox import Toolbox
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.stages.protocols import Message, Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """One session's. ``settings`` gives those that hold now; ``feel`` tells the feeling of a text."""

    settings: Callable[[], Settings]
    feel: Callable[[str], Awaitable[Feeling]]
    talk: Talk
    conversation: Conversation
    asking: Asking
    beginning: Beginning
    guard: Guard
    toolbox: Toolbox

    def known(self, saying: str = "") -> list[Message]:
        """What the language model will be told next, as far as it is known; ``saying``: the user's words so far."""
        return self.asking.ahead(self.conversation.history(saying))

    @property
    def sure(self) -> bool:
        """Whether the next question to the language model can be predicted from what the user says: neither care nor a
        lesson nor a tool will intervene, and requests may be wasted."""
        may = self.asking.continues or self.talk.drafts_of_endpoints
        persona = self.asking.persona
        plain = not self.toolbox.needed(self.settings(), persona.tools)
        return may and plain and not self.guard.careful and not persona.lesson

    def expected(self, said: Transcript) -> Callable[[], Awaitable[Sequence[Message]]]:
        """What the language model will be asked when the user's turn ends with what they ``said`` so far."""
        text = said.text.strip()
        history = self.conversation.history(text)  # as it is now, before the turn is an item of it

        async def asked() -> Sequence[Message]:
            heard = Said(text, said.language, await self.feel(text))
            wishes = Wishes(sound=self.settings().output_modalities[0] == "audio")
            words = self.beginning.words(history, wishes)
            opener = None if words else self.beginning.likely_opener(wishes, heard)
            recalled = await self.asking.recalled(history[-1].content, tell=False)
            notes = [recalled, *self.asking.notes(heard)]
            return self.asking.ask(history, notes, wishes, self.beginning.begun(opener, words))

        return asked
