"""One conversation: two loops that meet in the mouth.

`Hearing` turns the microphone into turns; a turn (or `response.create`) starts a response of the `Responder`, which
fills the mouth. `Show` always runs and empties it. This is where the parts of a session are put together.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from animator.control import State
from animator.units import FPS
from companion.avatar.faces.wardrobe import Wardrobe
from companion.avatar.show import Show
from companion.conversation.items import Conversation
from companion.dialogue.drafts import ReadAhead
from companion.dialogue.mind import Mind
from companion.engine import Engine
from companion.hearing.hearing import Hearing
from companion.hearing.transcription.transcripts import Transcripts
from companion.protocol import events
from companion.protocol.events import ClientEvent, Problem, ServerEvent
from companion.protocol.ids import new_id
from companion.protocol.settings import Settings
from companion.session.client.client import Client
from companion.session.client.effective import Offered, defaults, resumed
from companion.session.client.outlet import Outlet
from companion.session.client.pace import Pace, slices
from companion.session.client.visitor import Visitor
from companion.session.commands import Commands
from companion.session.replies.attention import Attention
from companion.session.replies.initiative import Announcements, Initiative
from companion.session.replies.presence import Presence
from companion.session.replies.responder import Responder
from companion.session.replies.turn_taking import TurnTaking
from companion.session.resuming.carrying import Carrying
from companion.session.resuming.keeper import Keeper
from companion.session.updates import Updates
from companion.stages.protocols import TTS, has_voice, pronounces
from companion.tasks import Tasks


class Session:
    """Enter it, give it a client's events with `receive`; ``send`` is called with the server's, in order.

    ``send`` must not block. ``persona`` is an id of `Prompts.personas`, else the config's; KeyError if there is none.
    ``keeper`` keeps it for the client's next line, and may have an earlier session that this one goes on with. All of
    it runs in one event loop.
    """

    def __init__(
        self,
        engine: Engine,
        send: Callable[[ServerEvent], None],
        persona: str | None = None,
        visitor: Visitor | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.id = new_id("sess")
        self._engine, self._visitor, self._keeper = engine, visitor or Visitor(), keeper
        self._offered = _offered(engine)
        self._defaults = defaults(
            persona or engine.config.session.persona,
            personas=engine.prompts.personas,
            tts=engine.tts,
            turns=engine.config.turns,
        )
        send = Outlet(send, lambda: self._settings.audio.output.format)
        self._client = Client(self.id, keeper.watching(send) if keeper else send, engine.metrics)
        self._tasks = Tasks(self.id)
        self._pace = Pace(asyncio.get_running_loop().time)
        self.conversation = Conversation()
        self.show = Show(
            engine.device,
            send,
            self._tick,
            user=lambda n: self._hearing.user(n),
            failed=lambda error: self._wardrobe.failed(error),
            metrics=engine.metrics,
        )
        before = keeper.accepted(lambda settings: resumed(settings, self._offered)) if keeper else None
        self._settings = before.settings if before else self._defaults
        self._join()
        if before:
            self._carrying.restore(before)

    def _join(self) -> None:
        """Put the parts together: each knows those before it."""
        engine, client, spawn = self._engine, self._client, self._tasks.spawn
        drafts, announcements = ReadAhead(engine.llm, spawn), Announcements(spawn)
        self.mind = Mind(
            shared=engine.dialogue,
            session=self.id,
            settings=self._now,
            conversation=self.conversation,
            drafts=drafts,
            tell=client.tell,
            announce=announcements.add,
            mirror=self.show.mirror,
            forgot=client.forgotten,
        )
        self._attention = Attention(self.mind, self.show, drafts, engine.rehearsal, self._voice, spawn)
        transcripts = Transcripts(engine.asr, self.conversation, client.tell, spawn)
        transcripts.expected = self.mind.expected_words
        self._responder = Responder(
            client=client,
            conversation=self.conversation,
            show=self.show,
            mind=self.mind,
            metrics=engine.metrics,
            settings=self._now,
            voice=self._voice,
            understood=transcripts.understood,
            ended=self._answered,
            spawn=spawn,
        )
        greets = engine.config.session.greet
        self._initiative = Initiative(self.mind, self._responder, self.conversation, announcements, self._now, greets)
        floor = TurnTaking(self._responder, self._attention, self._initiative, self.show, self._now)
        heard = self._settings.audio.input
        self._hearing: Hearing = Hearing(engine.recognisers, transcripts, floor, client.tell, spawn, heard)
        self._wardrobe: Wardrobe = Wardrobe(engine.looks, self.show, client.complain, spawn, self._initiative.greet)
        self._presence = Presence(client, self.show, self._responder, self._hearing, self._wardrobe, self._now)
        self._updates = Updates(
            id=self.id,
            now=self._now,
            hold=self._hold,
            defaults=self._defaults,
            visitor=self._visitor,
            offered=self._offered,
            client=client,
            mind=self.mind,
            attention=self._attention,
            responder=self._responder,
            hearing=self._hearing,
            wardrobe=self._wardrobe,
            presence=self._presence,
            spawn=spawn,
        )
        self._commands = Commands(
            client=client,
            conversation=self.conversation,
            hearing=self._hearing,
            show=self.show,
            responder=self._responder,
            settings=self._now,
            update=self._updates.take,
        )
        self._carrying = Carrying(
            visitor=self._visitor,
            settings=self._now,
            conversation=self.conversation,
            show=self.show,
            mind=self.mind,
            responder=self._responder,
            initiative=self._initiative,
        )

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        told = self._settings.to_json(self.id) | {"disclosure": self.mind.notice}
        self._client.tell(events.SessionCreated(told | (self._keeper.describe() if self._keeper else {})))
        self._tasks.spawn(self.show.run(), "show")
        self._tasks.spawn(self.show.pictures.run(), "pictures")
        self._attention.prepare()
        self._attention.rehearse()
        if self._settings.avatar:
            self._wardrobe.dress(self._settings.avatar, self._settings.avatar)
        if self._keeper:
            self._tasks.spawn(self._keeper.run(self._carrying.snapshot), "keep")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.mind.recollection.store()
        last = self._carrying.snapshot() if self._keeper else None
        self._responder.abandon()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._wardrobe.close()
            if self._keeper and last:
                await self._keeper.end(last)
            await self.mind.recollection.end()

    async def take(self, event: ClientEvent, read: float = 0.0) -> None:
        """As `receive`, for who can wait: much sound is heard little by little, and the other sessions go on. It took
        ``read`` s to understand the message."""
        for part in slices(event):
            heard, begun = self._hearing.now, time.perf_counter() - read
            taken, read = self.receive(part), 0.0
            await asyncio.sleep(self._pace.rest(self._hearing.now - heard, time.perf_counter() - begun))
            if not taken:
                return

    async def refuse(self, problem: Problem, read: float) -> None:
        """Tell the client about a message that nobody understands, after ``read`` s."""
        self.complain(problem)
        await asyncio.sleep(self._pace.rest(0.0, read))

    def receive(self, event: ClientEvent) -> bool:
        """As `Commands.receive`."""
        return self._commands.receive(event)

    def complain(self, problem: Problem) -> None:
        """Tell the client about a problem; the session goes on."""
        self._client.complain(problem)

    def want_keyframe(self) -> None:
        """Video was dropped on its way: the next frame must stand by itself."""
        self.show.pictures.want_keyframe()

    # --- what the parts ask for ---

    def _now(self) -> Settings:
        return self._settings

    def _hold(self, settings: Settings) -> None:
        self._settings = settings

    def _voice(self) -> TTS:
        tts, voice = self._engine.tts, self._settings.audio.output.voice
        tts = tts.with_voice(voice) if has_voice(tts, voice) else tts
        own = self.mind.persona.pronunciations
        tts = tts.pronouncing(own) if own and pronounces(tts) else tts
        return self._engine.repertoire.voice(tts)

    def _answered(self) -> None:
        """A response is over."""
        self._initiative.expect_user(self._hearing.now)
        self._attention.prepare()

    def _tick(self) -> State:
        """Called by the show before each chunk."""
        self._updates.leave_withdrawn()
        self._hearing.tick(self.show.chunk_frames / FPS)
        self._initiative.tick(self._hearing)
        self._presence.tell()
        return self._presence.state


def _offered(engine: Engine) -> Offered:
    return Offered(
        personas=engine.prompts.personas,
        asr=engine.asr,
        llm=engine.llm,
        tts=engine.tts,
        animator=engine.animator,
        portraits=engine.portraits,
        character=engine.default_character,
    )
