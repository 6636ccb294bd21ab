"""What a session says: the language model's words, guided by memory, care, a lesson and tools."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from animator.control import Emotion
from companion.conversation.items import Conversation, Item
from companion.conversation.response import Reply
from companion.dialogue.drafts import ReadAhead
from companion.dialogue.foresight import Foresight
from companion.dialogue.lessons.tutor import Lessons
from companion.dialogue.personas import coaching
from companion.dialogue.personas.feelings import Empathy, voiced
from companion.dialogue.personas.personas import Persona
from companion.dialogue.personas.phrases import Habits, Said
from companion.dialogue.remembering.acquaintance import Acquaintance
from companion.dialogue.remembering.recollection import Recollection
from companion.dialogue.replying.beginning import Beginning
from companion.dialogue.replying.obedience import Obedience, Restraint
from companion.dialogue.replying.prompt import Asking
from companion.dialogue.replying.shared import Shared
from companion.dialogue.replying.thinking import Thinking, once
from companion.dialogue.replying.toolbox import Host, Toolbox
from companion.protocol import events
from companion.protocol.events import Json, ServerEvent
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.speech.text.sentences import Sentence
from companion.stages.protocols import Message


@dataclass(slots=True, kw_only=True)
class Mind:
    """One session's, whose id is ``session``. ``settings`` gives those that hold now; ``tell`` sends an event;
    ``announce`` takes what is to be said in so many seconds, ``mirror`` an emotion for the face and its strength;
    ``forgot`` hears that the memory failed."""

    shared: Shared
    session: str
    settings: Callable[[], Settings]
    conversation: Conversation
    drafts: ReadAhead
    tell: Callable[[ServerEvent], None]
    announce: Callable[[str, float], None]
    mirror: Callable[[Emotion, float], None]
    forgot: Callable[[Exception], None]
    guard: Guard = field(init=False)
    recollection: Recollection = field(init=False)
    acquaintance: Acquaintance = field(init=False)
    foresight: Foresight = field(init=False)
    empathy: Empathy = field(init=False)
    _asking: Asking = field(init=False)
    _style: coaching.Style = field(init=False)
    _habits: Habits = field(init=False)
    _beginning: Beginning = field(init=False)
    _lessons: Lessons = field(init=False)
    _obedience: Obedience = field(init=False)
    _toolbox: Toolbox = field(init=False)
    _thinking: Thinking = field(init=False)

    def __post_init__(self) -> None:
        shared, clock = self.shared, asyncio.get_running_loop().time
        self.guard = Guard(shared.safety, self.tell, self.settings, clock, lambda: self._asking.private)
        self.empathy = Empathy(shared.feelings, self.mirror)
        self.recollection = Recollection(shared.memory, self.session, self.conversation, self.forgot)
        self.acquaintance = Acquaintance(
            book=shared.prompts.facts,
            conversation=self.conversation,
            recollection=self.recollection,
            spoken=shared.spoken,
            recent=shared.talk.history_messages,
        )
        self._asking = Asking(shared, self.settings, self.guard, self.acquaintance)
        self._style = coaching.style(shared.llm, shared.talk, shared.prompts.manners)
        self._habits = Habits(talk=shared.talk, book=shared.prompts.openers, spoken=shared.spoken)
        self._beginning = Beginning(
            settings=self.settings,
            acquaintance=self.acquaintance,
            asking=self._asking,
            guard=self.guard,
            style=self._style,
            habits=self._habits,
        )
        self._lessons = Lessons(shared.prompts.lessons, shared.prompts.tutoring, self.tell)
        self._obedience = Obedience(
            phrases=shared.prompts.orders,
            names=shared.prompts.languages.names,
            spoken=shared.spoken,
            conversation=self.conversation,
            announce=self.announce,
        )
        self._toolbox = Toolbox(
            llm=shared.llm,
            tools=shared.tools,
            conversation=self.conversation,
            host=Host(self.announce, lambda: self._lessons.progress, self._answered),
            ask=self.drafts.reply,
        )
        self._thinking = Thinking(
            silence=shared.prompts.silence,
            settings=self.settings,
            conversation=self.conversation,
            asking=self._asking,
            beginning=self._beginning,
            guard=self.guard,
            style=self._style,
            obedience=self._obedience,
            toolbox=self._toolbox,
            ask=self.drafts.reply,
        )
        self.foresight = Foresight(
            settings=self.settings,
            feel=self.empathy.feel,
            talk=shared.talk,
            conversation=self.conversation,
            asking=self._asking,
            beginning=self._beginning,
            guard=self.guard,
            toolbox=self._toolbox,
        )

    @property
    def persona(self) -> Persona:
        return self._asking.persona

    def state(self) -> Json:
        """What has come of the conversation besides its words, for another session to go on with."""
        restraint = self._obedience.restraint.name
        return {"guard": self.guard.state(), "lessons": self._lessons.state(), "restraint": restraint}

    def restore(self, state: Json) -> None:
        """Go on so."""
        self.guard.restore(state["guard"])
        self._lessons.restore(state["lessons"])
        self._obedience.restraint = Restraint[state["restraint"]]

    @property
    def tagged(self) -> bool:
        """Whether the language model marks its feelings with tags."""
        return self._asking.tagged

    @property
    def notice(self) -> str:
        """The notice that it is an AI, to be shown."""
        return self.guard.notice(self.persona.name)

    def disclose(self) -> None:
        """Tell the client at the start that this is an AI."""
        self.guard.disclose(self.persona.name)

    def expected_words(self) -> tuple[str, bool]:
        """What the user may say next, as a recogniser is told it, and whether its numbers are to be spelt; "" where
        nobody knows."""
        tutor = self._lessons.tutor(self.persona.lesson)
        return (tutor.heard, tutor.counts) if tutor else ("", False)

    async def reply(self, reply: Reply) -> AsyncIterator[str]:
        """The deltas of a reply to the conversation: the language model's, unless care or the lesson have the word. The
        reply has an ``opener`` afterwards, if one suits it."""
        reply.lost = self.shared.prompts.silence.lost
        if reply.wishes.apart:
            return self._thinking.apart(reply)
        history = self.conversation.history()
        if reply.silence:
            return self._thinking.nudge(reply, history)
        said = history[-1].content if history and history[-1].role == "user" else ""
        tutor = None if self.guard.careful else self._lessons.tutor(self.persona.lesson)
        answer, feeling, _ = await asyncio.gather(
            self._careful(history), self.empathy.feel(said), self.acquaintance.refresh()
        )
        latest = self.conversation.latest
        self.empathy.show(voiced(feeling, latest.tone))
        order = None if answer or reply.wishes.instructions else await self._order(said, latest.language)
        history = self.conversation.history()  # without what is forgotten now
        if order is not None:
            if tutor and self._obedience.rests:
                tutor.leave()
            self.drafts.drop()
            reply.lost = ""
            return once(order)
        taught = tutor.hear(said) if tutor and not answer else ""
        if text := answer or taught or self._beginning.whole(history, reply.wishes, latest.language):
            self.drafts.drop()
            return once(text)
        heard = Said(said, latest.language, feeling, latest.tone)
        care, words = self._style.note(self.guard.note), self._beginning.words(history, reply.wishes)
        reply.opener = None if care or words else self._beginning.opener(reply.wishes, heard)
        reply.breathes = self._habits.breathes(self.persona) and not self._toolbox.needed(
            self.settings(), self.persona.tools
        )
        if reply.opener:
            reply.trace.change("opener")
        reply.allowed = self._thinking.allowed(reply)
        notes = (care, *self._asking.notes(heard, self._style.note(tutor.note) if tutor else ""))
        deltas = self._thinking.thought(reply, history, notes, words)
        return self.guard.watched(tutor.guided(deltas) if tutor else deltas)

    async def _order(self, said: str, language: str) -> str | None:
        """What is said to an order; None to all else."""
        order = self._obedience.hear(said, language)
        return await self.acquaintance.order(said, language) if order is None else order

    @property
    def quiet(self) -> bool:
        """Whether the user wants no word that they did not ask for."""
        return self._obedience.restraint is not Restraint.NONE

    def murmur(self) -> Sentence | None:
        """What the persona lets be heard while the user goes on speaking, one after the other."""
        if self.quiet:
            return None
        return self._habits.murmur(self.persona, self.conversation.language)

    def filler(self) -> tuple[str, float]:
        """What the persona says when its answer is not there, and after how many seconds; one after the other."""
        return ("", 0.0) if self.guard.careful else self._habits.filler(self.persona)

    async def _careful(self, history: Sequence[Message]) -> str:
        if not history or history[-1].role != "user":
            return ""
        *before, said = (message.content for message in history if message.role in ("user", "assistant"))
        return await self.guard.answer(said, self.persona.name, before) if said else ""

    def _answered(self, item: Item) -> None:
        previous = self.conversation.add(item)
        self.tell(events.ItemAdded(item.to_json(), previous))
        self.tell(events.ItemDone(item.to_json(), previous))
