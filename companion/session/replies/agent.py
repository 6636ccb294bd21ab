"""The agent's side of a conversation: its mind, its voice, and what begins, makes and ends its replies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from companion.avatar.show import Show
from companion.conversation.items import Conversation
from companion.dialogue.drafts import ReadAhead
from companion.dialogue.mind import Mind
from companion.engine import Engine
from companion.protocol.settings import Settings
from companion.session.client.client import Client
from companion.session.replies.attention import Attention
from companion.session.replies.initiative import Announcements, Initiative
from companion.session.replies.responder import Responder
from companion.session.replies.speaking import OWN
from companion.session.replies.turn_taking import TurnTaking
from companion.stages.protocols import TTS, has_voice, paced, pronounces, switches
from companion.tasks import Spawn


@dataclass(slots=True, kw_only=True)
class Agent:
    """One session's, put together. ``settings`` gives those that hold now; ``understood`` as in `Responder`;
    ``tell_state`` tells the client at once what the face does."""

    engine: Engine
    client: Client
    conversation: Conversation
    show: Show
    settings: Callable[[], Settings]
    understood: Callable[[str | None], Awaitable[bool]]
    tell_state: Callable[[], None]
    spawn: Spawn
    mind: Mind = field(init=False)
    attention: Attention = field(init=False)
    responder: Responder = field(init=False)
    initiative: Initiative = field(init=False)
    floor: TurnTaking = field(init=False)
    _rehearsed: tuple[float, str] = field(default=(1.0, OWN), init=False)  # at which pace and in which language

    def __post_init__(self) -> None:
        engine, show, settings, spawn = self.engine, self.show, self.settings, self.spawn
        drafts, announcements = ReadAhead(engine.llm, spawn), Announcements(spawn)
        self.mind = Mind(
            shared=engine.dialogue,
            session=self.client.session,
            settings=settings,
            conversation=self.conversation,
            drafts=drafts,
            tell=self.client.tell,
            announce=announcements.add,
            mirror=show.mirror,
            forgot=self.client.forgotten,
        )
        self.attention = Attention(self.mind, show, drafts, engine.rehearsal, self._voice, spawn)
        self.responder = Responder(
            client=self.client,
            conversation=self.conversation,
            show=show,
            mind=self.mind,
            metrics=engine.metrics,
            settings=settings,
            voice=self._voice,
            understood=self.understood,
            ended=self._ended,
            spawn=spawn,
        )
        greets = engine.config.session.greet
        self.initiative = Initiative(self.mind, self.responder, self.conversation, announcements, settings, greets)
        self.floor = TurnTaking(self.responder, self.attention, self.initiative, show, settings, self.tell_state)

    def _voice(self) -> TTS:
        """The voice that the client has chosen, as the persona pronounces and as the user wants it; what it has
        rehearsed sounds at once."""
        tts, voice = self.engine.tts, self.settings().audio.output.voice
        tts = tts.with_voice(voice) if has_voice(tts, voice) else tts
        own = self.mind.persona.pronunciations
        tts = tts.pronouncing(own) if own and pronounces(tts) else tts
        wanted = self.mind.delivery
        tts = tts.at_pace(wanted.speed) if wanted.speed != 1.0 and paced(tts) else tts
        language = self._language
        tts = tts.in_language(language) if switches(tts) else tts
        unusual = [wanted.speed] * (wanted.speed != 1.0) + [language] * (language != OWN)
        manner = (*own.items(), *unusual)
        return self.engine.repertoire.voice(tts, manner, wanted.gain)

    @property
    def _language(self) -> str:
        """The language to speak, where the voice has several."""
        return self.conversation.language or OWN if switches(self.engine.tts) else OWN

    def _ended(self) -> None:
        """A response is over."""
        self.initiative.expect_user()
        self.attention.prepare()
        manner = (self.mind.delivery.speed, self._language)
        if self._rehearsed != manner:
            self._rehearsed = manner
            self.attention.rehearse()
