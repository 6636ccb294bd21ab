"""What a session says: the language model's words, guided by memory, care, a lesson and tools."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field

from animator.control import Emotion
from companion.conversation.items import Conversation, Item, announce
from companion.conversation.response import Reply
from companion.dialogue.answering import Answering
from companion.dialogue.drafts import ReadAhead
from companion.dialogue.foresight import Foresight
from companion.dialogue.lessons.tutor import Lessons
from companion.dialogue.personas.feelings import Empathy
from companion.dialogue.personas.personas import Persona
from companion.dialogue.remembering.acquaintance import Acquaintance
from companion.dialogue.remembering.recollection import Recollection
from companion.dialogue.replying.obedience import Delivery, Restraint
from companion.dialogue.replying.shared import Shared
from companion.dialogue.replying.toolbox import Host
from companion.protocol.events import Json, ServerEvent
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.speech.text.sentences import Sentence


@dataclass(slots=True, kw_only=True)
class Mind:
    """One session's, whose id is ``session``. ``settings`` gives those that hold now; ``tell`` sends an event;
    ``announce`` takes a text and the seconds until it is said, ``mirror`` an emotion for the face and its strength;
    ``forgot`` is told that the memory failed."""

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
    _lessons: Lessons = field(init=False)
    _answering: Answering = field(init=False)

    def __post_init__(self) -> None:
        shared, clock = self.shared, asyncio.get_running_loop().time
        self.guard = Guard(shared.safety, self.tell, self.settings, clock, lambda: self._answering.asking.private)
        self.empathy = Empathy(shared.feelings, self.mirror)
        self.recollection = Recollection(shared.memory, self.session, self.conversation, self.forgot)
        self.acquaintance = Acquaintance(
            book=shared.prompts.facts,
            conversation=self.conversation,
            recollection=self.recollection,
            spoken=shared.spoken,
            recent=shared.talk.history_messages,
        )
        self._lessons = Lessons(shared.prompts.lessons, shared.prompts.tutoring, self.tell)
        self._answering = answering = Answering(
            shared=shared,
            settings=self.settings,
            conversation=self.conversation,
            drafts=self.drafts,
            guard=self.guard,
            empathy=self.empathy,
            acquaintance=self.acquaintance,
            lessons=self._lessons,
            host=Host(self.announce, lambda: self._lessons.progress, self._answered),
        )
        self.foresight = Foresight(
            settings=self.settings,
            feel=self.empathy.feel,
            talk=shared.talk,
            conversation=self.conversation,
            asking=answering.asking,
            beginning=answering.beginning,
            guard=self.guard,
            toolbox=answering.toolbox,
        )

    @property
    def persona(self) -> Persona:
        return self._answering.asking.persona

    def state(self) -> Json:
        """What another session needs to go on, besides the words of the conversation."""
        restraint = self._answering.obedience.restraint.name
        state = {"guard": self.guard.state(), "lessons": self._lessons.state(), "restraint": restraint}
        return state | {"delivery": asdict(self.delivery)}

    def restore(self, state: Json) -> None:
        """Go on from the `state` of another session."""
        self.guard.restore(state["guard"])
        self._lessons.restore(state["lessons"])
        self._answering.obedience.restraint = Restraint[state["restraint"]]
        self._answering.obedience.delivery = Delivery(**state.get("delivery", {}))

    @property
    def tagged(self) -> bool:
        """Whether the language model marks its feelings with tags."""
        return self._answering.asking.tagged

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
        return await self._answering.reply(reply)

    @property
    def delivery(self) -> Delivery:
        """How the user wants to be spoken to."""
        return self._answering.obedience.delivery

    @property
    def quiet(self) -> bool:
        """Whether the user wants to hear nothing that they did not ask for."""
        return self._answering.obedience.restraint is not Restraint.NONE

    def murmur(self) -> Sentence | None:
        """The persona's next backchannel while the user goes on speaking; None for none."""
        if self.quiet:
            return None
        return self._answering.habits.murmur(self.persona, self.conversation.language)

    def filler(self) -> tuple[str, float]:
        """What the persona says while its answer is not ready, and after how many seconds."""
        return ("", 0.0) if self.guard.careful else self._answering.habits.filler(self.persona)

    def _answered(self, item: Item) -> None:
        announce(item, self.conversation.add(item), self.tell)
