"""What the language model may say, and which of its sentences are said."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from companion.conversation.items import Conversation
from companion.conversation.response import Reply
from companion.dialogue.personas import coaching
from companion.dialogue.personas.openers import continued
from companion.dialogue.personas.personas import Silence
from companion.dialogue.replying.beginning import Beginning
from companion.dialogue.replying.obedience import Obedience
from companion.dialogue.replying.prompt import Asking
from companion.dialogue.replying.toolbox import Toolbox
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.speech.text.thoughts import RETRACTED, Thoughts, unthought
from companion.stages.protocols import Message
from companion.stages.streams import closing


@dataclass(slots=True, kw_only=True)
class Thinking:
    """One session's. ``settings`` gives those that hold now; ``ask`` gives a reply without tools."""

    silence: Silence
    settings: Callable[[], Settings]
    conversation: Conversation
    asking: Asking
    beginning: Beginning
    guard: Guard
    style: coaching.Style
    obedience: Obedience
    toolbox: Toolbox
    ask: Callable[[Sequence[Message]], AsyncIterator[str]]
    _nudges: int = 0

    def allowed(self, reply: Reply) -> Callable[[str], str]:
        """Checks the sentences of a ``reply``: returns what may be said of each, and counts changes."""
        tact = self.style.tact(self.asking.persona, self.conversation, reply.opener.text if reply.opener else "")
        steps = ("guard", self.guard.allowed), ("manners", tact), ("obedience", self.obedience.allowed)

        def allowed(sentence: str) -> str:
            for by, step in steps:
                text = step(sentence)
                if text != sentence:
                    reply.trace.change(by)
                    if by == "guard":
                        return text
                sentence = text
            return sentence

        return allowed

    def apart(self, reply: Reply) -> AsyncIterator[str]:
        """A response that a client asks for outside the conversation: neither the user nor their memory has a part in
        it."""
        context = reply.wishes.context
        history = self.conversation.history() if context is None else context
        asked = self.asking.ask(history, (), reply.wishes, "")
        return self.guard.watched(unthought(self.ask(asked), reply.thoughts))

    def nudge(self, reply: Reply, history: Sequence[Message]) -> AsyncIterator[str]:
        """A word to a user who is silent. A small model has none that fits, so it is one of the prepared ones."""
        if self.asking.tagged:
            return self.guard.watched(self.thought(reply, [*history, Message("user", self.silence.note)], ()))
        self._nudges += 1
        return once(self.silence.say[self._nudges % len(self.silence.say)])

    async def thought(
        self, reply: Reply, history: Sequence[Message], notes: Sequence[str], words: str = ""
    ) -> AsyncIterator[str]:
        """The language model's deltas, which continue the opener of the reply, or else its first ``words``."""
        recalled = await self.asking.recalled(history[-1].content if history else "")
        begun, spoke = self.beginning.begun(reply.opener, words), False
        if words:
            yield f"{words} "
        for beginning in dict.fromkeys(
            (begun, "")
        ):  # a model that has nothing to add to an opener is asked again without it
            if spoke:
                return
            if beginning != begun:
                reply.trace.change("again")
            messages = self.asking.ask(history, [recalled, *notes], reply.wishes, beginning)
            reply.thoughts = Thoughts()
            answer = self.toolbox.reply(messages, self.settings(), self.asking.persona.tools, reply)
            deltas = unthought(answer, reply.thoughts)
            async with closing(continued(deltas, beginning) if beginning else deltas) as stream:
                async for delta in stream:
                    _, retracted, said = delta.rpartition(RETRACTED)
                    spoke = bool(said.strip()) or (spoke and not retracted)
                    yield delta
            spoke = spoke or bool(reply.calls.items) or reply.thoughts.inside


async def once(text: str) -> AsyncIterator[str]:
    yield text
