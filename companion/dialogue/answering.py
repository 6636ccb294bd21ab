"""Who answers the user: care, an order that they gave, the lesson, what is known by rule, or the language model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from companion.conversation.items import Conversation
from companion.conversation.response import Reply
from companion.dialogue.drafts import ReadAhead
from companion.dialogue.lessons.tutor import Lessons, Tutor
from companion.dialogue.personas import coaching
from companion.dialogue.personas.feelings import Empathy, voiced
from companion.dialogue.personas.phrases import Habits, Said
from companion.dialogue.remembering.acquaintance import Acquaintance
from companion.dialogue.replying.beginning import Beginning
from companion.dialogue.replying.obedience import Obedience
from companion.dialogue.replying.prompt import Asking
from companion.dialogue.replying.shared import Shared
from companion.dialogue.replying.thinking import Thinking, once
from companion.dialogue.replying.toolbox import Host, Toolbox
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.stages.protocols import Message


@dataclass(slots=True, kw_only=True)
class Answering:
    """One session's. ``settings`` gives those that hold now; ``host`` is what tools may do with the session."""

    shared: Shared
    settings: Callable[[], Settings]
    conversation: Conversation
    drafts: ReadAhead
    guard: Guard
    empathy: Empathy
    acquaintance: Acquaintance
    lessons: Lessons
    host: Host
    asking: Asking = field(init=False)
    habits: Habits = field(init=False)
    beginning: Beginning = field(init=False)
    obedience: Obedience = field(init=False)
    toolbox: Toolbox = field(init=False)
    _style: coaching.Style = field(init=False)
    _thinking: Thinking = field(init=False)

    def __post_init__(self) -> None:
        self._begin()
        self._think()

    def _begin(self) -> None:
        """What the language model is asked, and how a reply begins."""
        shared = self.shared
        self.asking = Asking(shared, self.settings, self.guard, self.acquaintance)
        self.habits = Habits(talk=shared.talk, book=shared.prompts.openers, spoken=shared.spoken)
        self._style = coaching.style(shared.llm, shared.talk, shared.prompts.manners)
        self.beginning = Beginning(
            settings=self.settings,
            acquaintance=self.acquaintance,
            asking=self.asking,
            guard=self.guard,
            style=self._style,
            habits=self.habits,
        )

    def _think(self) -> None:
        """What the language model may do and say."""
        shared = self.shared
        self.obedience = Obedience(
            phrases=shared.prompts.orders,
            names=shared.prompts.languages.names,
            spoken=shared.spoken,
            conversation=self.conversation,
            announce=self.host.announce,
            paced=shared.paced,
        )
        self.toolbox = Toolbox(
            llm=shared.llm,
            tools=shared.tools,
            conversation=self.conversation,
            host=self.host,
            ask=self.drafts.reply,
        )
        self._thinking = Thinking(
            silence=shared.prompts.silence,
            settings=self.settings,
            conversation=self.conversation,
            asking=self.asking,
            beginning=self.beginning,
            guard=self.guard,
            style=self._style,
            obedience=self.obedience,
            toolbox=self.toolbox,
            ask=self.drafts.reply,
        )

    async def reply(self, reply: Reply) -> AsyncIterator[str]:
        """As `companion.dialogue.mind.Mind.reply`."""
        reply.lost = self.shared.prompts.silence.lost
        if reply.wishes.apart:
            return self._thinking.apart(reply)
        history = self.conversation.history()
        if reply.silence:
            return self._thinking.nudge(reply, history)
        said = history[-1].content if history and history[-1].role == "user" else ""
        tutor = None if self.guard.careful else self.lessons.tutor(self.asking.persona.lesson)
        care, feeling, _ = await asyncio.gather(
            self._care(history), self.empathy.feel(said), self.acquaintance.refresh()
        )
        latest = self.conversation.latest
        self.empathy.show(voiced(feeling, latest.tone))
        heard = Said(said, latest.language, feeling, latest.tone)
        text = await self._by_rule(reply, heard, care, tutor)
        if text is not None:
            self.drafts.drop()
            return once(text)
        return self._by_model(reply, heard, tutor)

    async def _by_rule(self, reply: Reply, heard: Said, care: str, tutor: Tutor | None) -> str | None:
        """What is said without the language model, ``care`` before all else; None if it is the model's turn."""
        order = None if care or reply.wishes.instructions else await self._order(heard.text, heard.language)
        if order is not None:
            if tutor and self.obedience.rests:
                tutor.leave()
            reply.lost = ""
            return order
        taught = tutor.hear(heard.text) if tutor and not care else ""
        history = self.conversation.history()  # without what an order has erased
        return care or taught or self.beginning.whole(history, reply.wishes, heard.language) or None

    def _by_model(self, reply: Reply, heard: Said, tutor: Tutor | None) -> AsyncIterator[str]:
        history = self.conversation.history()
        care, words = self._style.note(self.guard.note), self.beginning.words(history, reply.wishes)
        reply.opener = None if care or words else self.beginning.opener(reply.wishes, heard)
        persona = self.asking.persona
        reply.breathes = self.habits.breathes(persona) and not self.toolbox.needed(self.settings(), persona.tools)
        if reply.opener:
            reply.trace.change("opener")
        reply.allowed = self._thinking.allowed(reply)
        notes = (care, *self.asking.notes(heard, self._style.note(tutor.note) if tutor else ""))
        deltas = self._thinking.thought(reply, history, notes, words)
        return self.guard.watched(tutor.guided(deltas) if tutor else deltas)

    async def _order(self, said: str, language: str) -> str | None:
        """The answer to an order; None if it is none."""
        order = self.obedience.hear(said, language)
        return await self.acquaintance.order(said, language) if order is None else order

    async def _care(self, history: Sequence[Message]) -> str:
        """The answer of care to the user's last words; "" if it has none."""
        if not history or history[-1].role != "user":
            return ""
        *before, said = (message.content for message in history if message.role in ("user", "assistant"))
        return await self.guard.answer(said, self.asking.persona.name, before) if said else ""
