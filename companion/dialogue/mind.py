"""What a session says: the language model's words, led by memory, care, a lesson and tools."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Protocol

from companion.conversation.items import Conversation, Item
from companion.conversation.response import Reply, Wishes
from companion.dialogue.feelings import Feeling, voiced
from companion.dialogue.lesson import Progress, Tutor
from companion.dialogue.manners import Tact
from companion.dialogue.openers import continued
from companion.dialogue.personas import Persona
from companion.dialogue.phrases import Habits, Said
from companion.dialogue.prompt import Asking
from companion.dialogue.recollection import Recollection
from companion.dialogue.shared import Shared
from companion.dialogue.tools.toolbox import Host, Toolbox
from companion.protocol import events
from companion.protocol.events import AvatarProgress, ServerEvent
from companion.protocol.settings import Settings
from companion.safety import Guard
from companion.speech.sentences import Sentence
from companion.stages.protocols import Message, Transcript
from companion.stages.streams import closing

Chooses = Callable[[Persona, Said], Sentence | None]  # as `Habits.opener` does


class Owner(Protocol):
    """The session, as its mind sees it."""

    @property
    def id(self) -> str: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def conversation(self) -> Conversation: ...
    @property
    def tell(self) -> Callable[[ServerEvent], None]: ...
    def announce(self, text: str, after: float = 0.0) -> None:
        """Say ``text`` in ``after`` seconds, as soon as nobody speaks."""
        ...

    def mirror(self, feeling: Feeling) -> None:
        """The user feels so: let the face show that it is heard."""
        ...

    def ask(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """The language model's reply, perhaps as drafted."""
        ...

    def drop_draft(self) -> None:
        """The language model will not be asked."""
        ...

    def forgot(self, error: Exception) -> None:
        """The memory failed."""
        ...


class Mind:
    """One session's. It follows the owner's settings as they change."""

    def __init__(self, shared: Shared, owner: Owner) -> None:
        self._shared, self._owner = shared, owner
        clock = asyncio.get_running_loop().time
        self.guard = Guard(shared.safety, owner.tell, lambda: owner.settings, clock, lambda: self._asking.private)
        self.recollection = Recollection(shared.memory, owner.id, owner.conversation, owner.forgot)
        self._asking = Asking(shared, lambda: owner.settings, self.guard, self.recollection)
        self._tutor: Tutor | None = None
        self._lesson = ""
        self._nudges = 0
        self._habits = Habits(talk=shared.talk, book=shared.prompts.openers, spoken=shared.spoken)
        host = Host(owner.announce, self._progress, self._answered)
        self._toolbox = Toolbox(
            llm=shared.llm, tools=shared.tools, conversation=owner.conversation, host=host, ask=owner.ask
        )

    @property
    def persona(self) -> Persona:
        return self._asking.persona

    @property
    def tagged(self) -> bool:
        """The language model writes its feelings down."""
        return self._asking.tagged

    @property
    def _small(self) -> bool:
        """The language model is kept in hand: `companion.dialogue.manners`."""
        return self._asking.continues and self._shared.talk.manners

    @property
    def notice(self) -> str:
        """That it is an AI, for the user's eyes."""
        return self.guard.notice(self.persona.name)

    def disclose(self) -> None:
        """Say so, at the start."""
        self.guard.disclose(self.persona.name)

    def ahead(self, saying: str = "") -> list[Message]:
        """What the language model will be told next, as far as it is known; ``saying``: the user's words so far."""
        return self._asking.ahead(self._owner.conversation.history(saying))

    @property
    def foresees(self) -> bool:
        """What the language model will be asked follows from what the user says: neither care, nor a lesson, nor a tool
        comes in between; and it may be asked in vain."""
        may = self._asking.continues or self._shared.talk.drafts_of_endpoints
        plain = not self._toolbox.needed(self._owner.settings, self.persona.tools)
        return may and plain and not self.guard.careful and not self.persona.lesson

    def expected(self, said: Transcript) -> Callable[[], Awaitable[Sequence[Message]]]:
        """What the language model will be asked when the user's turn ends with what they ``said`` so far."""
        text = said.text.strip()
        history = self._owner.conversation.history(text)  # as it is now, before the turn is an item of it

        async def asked() -> Sequence[Message]:
            heard = Said(text, said.language, await self.feel(text))
            wishes = Wishes(sound=self._owner.settings.output_modalities[0] == "audio")
            begun = self._beginning(history, wishes)
            opener = None if begun else self._opener(wishes, heard, self._habits.likely)
            recalled = await self._asking.recalled(history[-1].content, tell=False)
            notes = [recalled, *self._asking.notes(heard)]
            return self._asking.ask(history, notes, wishes, opener.text if opener else begun)

        return asked

    async def reply(self, reply: Reply) -> AsyncIterator[str]:
        """The deltas of a reply to the conversation: the language model's, unless care or the lesson have the word. The
        reply has an ``opener`` afterwards, if one suits it."""
        history = self._owner.conversation.history()
        if reply.silence:
            return self._nudge(reply, history)
        said = history[-1].content if history and history[-1].role == "user" else ""
        tutor = self._tutor_now()
        answer, feeling = await asyncio.gather(self._careful(said), self.feel(said))
        latest = self._owner.conversation.latest
        heard = Said(said, latest.language, feeling, latest.tone)
        self._owner.mirror(voiced(feeling, latest.tone))
        if text := answer or (tutor.hear(said) if tutor else "") or await self._whole(history, reply.wishes):
            self._owner.drop_draft()
            return once(text)
        begun = self._care or self._beginning(history, reply.wishes)
        reply.opener = None if begun else self._opener(reply.wishes, heard, self._habits.opener)
        if self._small:
            reply.allowed = self._tactful(history, reply.opener.text if reply.opener else "")
        notes = (self._care, *self._asking.notes(heard, tutor.note if tutor and not self._small else ""))
        deltas = self._thought(reply, history, notes)
        return self.guard.watched(tutor.guided(deltas) if tutor else deltas)

    @property
    def _care(self) -> str:
        """What the language model is told of a worrying message; a small one would speak of suicide to who did not."""
        return "" if self._small else self.guard.note

    def _tactful(self, history: Sequence[Message], opener: str) -> Callable[[str], str]:
        """What may be said of the sentences of a reply that began with ``opener``."""
        replies = () if self.persona.lesson else self._owner.conversation  # a quiz asks again
        said = [line.text for item in replies if item.role == "assistant" for line in item.lines]
        tact = Tact(self._shared.prompts.manners, self.persona.name, said, _told(history), opener)

        def allowed(sentence: str) -> str:
            text = self.guard.allowed(sentence)
            return tact(text) if text == sentence else text

        return allowed

    def _nudge(self, reply: Reply, history: Sequence[Message]) -> AsyncIterator[str]:
        """A word to a user who is silent. A tiny model has none that fits."""
        silence = self._shared.prompts.silence
        if self.tagged:
            return self.guard.watched(self._thought(reply, [*history, Message("user", silence.note)], ()))
        self._nudges += 1
        return once(silence.say[self._nudges % len(silence.say)])

    async def _thought(self, reply: Reply, history: Sequence[Message], notes: Sequence[str]) -> AsyncIterator[str]:
        """The language model's deltas, which go on from what the reply began with."""
        recalled = await self._asking.recalled(history[-1].content if history else "")
        beginning = self._beginning(history, reply.wishes)
        begun = reply.opener.text if reply.opener else beginning
        messages = self._asking.ask(history, [recalled, *notes], reply.wishes, begun)
        deltas = self._toolbox.reply(messages, self._owner.settings, self.persona.tools, reply)
        if beginning:
            yield f"{beginning} "
        async with closing(continued(deltas, begun) if begun else deltas) as stream:
            async for delta in stream:
                yield delta

    def _beginning(self, history: Sequence[Message], wishes: Wishes) -> str:
        """The first words of an answer that a small model would get wrong."""
        if not self._led(history, wishes):
            return ""
        return self._shared.prompts.manners.begin(_told(history), self.persona.name)

    async def _whole(self, history: Sequence[Message], wishes: Wishes) -> str:
        """An answer that is not left to a small model at all."""
        manners, told = self._shared.prompts.manners, _told(history)
        if not self._led(history, wishes) or not manners.whole(told, self.persona.name):
            return ""
        known = [*self.recollection.known, await self._asking.recalled(told[-1], tell=False)]
        return manners.whole(told, self.persona.name, known)

    def _led(self, history: Sequence[Message], wishes: Wishes) -> bool:
        """A small model answers, and no client has a say in how."""
        asked = wishes.instructions or self._owner.settings.instructions
        return self._small and not asked and bool(history) and history[-1].role == "user"

    def _opener(self, wishes: Wishes, heard: Said, choose: Chooses) -> Sentence | None:
        """Only where nobody has a say in how a reply should begin: neither the client nor care; and only aloud."""
        asked = wishes.instructions or self._owner.settings.instructions
        if not wishes.sound or asked or self.guard.careful:
            return None
        return choose(self.persona, heard)

    def murmur(self) -> Sentence | None:
        """What the persona lets be heard while the user goes on speaking, one after the other."""
        return self._habits.murmur(self.persona, self._owner.conversation.language)

    def filler(self) -> tuple[str, float]:
        """What the persona says when its answer is not there, and after how many seconds; one after the other."""
        return ("", 0.0) if self.guard.careful else self._habits.filler(self.persona)

    async def feel(self, text: str) -> Feeling:
        """What somebody feels who says so."""
        return await self._shared.feelings.tell(text) if self._shared.feelings and text else Feeling()

    async def feel_sentence(self, text: str) -> str:
        """The emotion of a sentence of the face's own."""
        return (await self.feel(text)).emotion

    async def _careful(self, said: str) -> str:
        return await self.guard.answer(said, self.persona.name) if said else ""

    def _tutor_now(self) -> Tutor | None:
        """That of the persona's lesson; a change of persona begins another. In danger nobody is taught."""
        if self.persona.lesson != self._lesson:
            self._lesson = self.persona.lesson
            lesson = self._shared.prompts.lessons.get(self._lesson)
            self._tutor = Tutor(lesson, self._report) if lesson else None
        return None if self.guard.careful else self._tutor

    def _report(self, progress: Progress) -> None:
        self._owner.tell(AvatarProgress(**asdict(progress)))

    def _answered(self, item: Item) -> None:
        previous = self._owner.conversation.add(item)
        self._owner.tell(events.ItemAdded(item.to_json(), previous))
        self._owner.tell(events.ItemDone(item.to_json(), previous))

    def _progress(self) -> Progress | None:
        return self._tutor.progress if self._tutor else None


def _told(history: Sequence[Message]) -> list[str]:
    return [message.content for message in history if message.role == "user"]


async def once(text: str) -> AsyncIterator[str]:
    yield text
