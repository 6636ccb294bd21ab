"""One conversation: two loops that meet in the mouth.

`Hearing` turns the microphone into turns; a turn (or `response.create`) starts a response of the agent's `Responder`,
which fills the mouth. `Show` always runs and empties it. This is where the parts of a session are put together.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from animator.control import State
from animator.marks.credentials import Ingredient
from animator.units import FPS
from companion.avatar.faces.wardrobe import Wardrobe
from companion.avatar.portraits import PictureError
from companion.avatar.show import Show
from companion.conversation.items import Conversation
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
from companion.session.client.recorder import Recorder, Subject
from companion.session.client.visitor import Visitor
from companion.session.commands import Commands
from companion.session.replies.agent import Agent
from companion.session.replies.presence import Presence
from companion.session.resuming.carrying import Carrying
from companion.session.resuming.keeper import Keeper
from companion.session.updates import Updates
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
        self._recorder = _recorder(engine, self, self._visitor, self._now)
        send = self._recorder.watching(Outlet(send, lambda: self._settings.audio.output.format))
        self._client = Client(self.id, keeper.watching(send) if keeper else send, engine.metrics)
        self._tasks = Tasks(self.id)
        self._pace = Pace(asyncio.get_running_loop().time)
        self.conversation = Conversation()
        self.show = Show(engine.device, send, engine.metrics)
        before = keeper.accepted(lambda settings: resumed(settings, self._offered)) if keeper else None
        self._settings = before.settings if before else self._defaults
        self._join()
        self._obey()
        if before:
            self._carrying.restore(before)

    def _join(self) -> None:
        """Create the two sides of the conversation and the face; each part knows those before it."""
        engine, client, spawn = self._engine, self._client, self._tasks.spawn
        transcripts = Transcripts(engine.asr, self.conversation, client.tell, spawn)
        self._agent = agent = Agent(
            engine=engine,
            client=client,
            conversation=self.conversation,
            show=self.show,
            settings=self._now,
            understood=transcripts.understood,
            tell_state=lambda: self._presence.tell(),
            spawn=spawn,
        )
        agent.mind.guard.visitor = self._visitor.user or ""
        transcripts.expected = agent.mind.expected_words
        heard = self._settings.audio.input
        self._hearing: Hearing = Hearing(engine.recognisers, transcripts, agent.floor, client.tell, spawn, heard)
        self._wardrobe: Wardrobe = Wardrobe(engine.looks, self.show, client.complain, spawn, agent.initiative.greet)
        self._presence = Presence(client, self.show, agent.responder, self._hearing, self._wardrobe, self._now)

    def _obey(self) -> None:
        """Create what acts on a client's events, and what survives its connection."""
        agent = self._agent
        self._updates = Updates(
            id=self.id,
            now=self._now,
            hold=self._hold,
            defaults=self._defaults,
            visitor=self._visitor,
            offered=self._offered,
            client=self._client,
            mind=agent.mind,
            attention=agent.attention,
            responder=agent.responder,
            hearing=self._hearing,
            wardrobe=self._wardrobe,
            presence=self._presence,
            recorder=self._recorder,
            spawn=self._tasks.spawn,
        )
        self._commands = Commands(
            client=self._client,
            conversation=self.conversation,
            hearing=self._hearing,
            show=self.show,
            responder=agent.responder,
            recorder=self._recorder,
            settings=self._now,
            update=self._updates.take,
        )
        self._carrying = Carrying(
            visitor=self._visitor,
            settings=self._now,
            conversation=self.conversation,
            show=self.show,
            mind=agent.mind,
            responder=agent.responder,
            initiative=agent.initiative,
        )

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        told = self._settings.to_json(self.id) | self._updates.beside()
        self._client.tell(events.SessionCreated(told | (self._keeper.describe() if self._keeper else {})))
        self._tasks.spawn(self.show.run(self._tick, self._hearing.user), "show")
        self._tasks.spawn(self.show.pictures.run(self._wardrobe.failed), "pictures")
        self._agent.attention.prepare()
        self._agent.attention.rehearse()
        if self._settings.avatar:
            self._wardrobe.dress(self._settings.avatar, self._settings.avatar)
        self._recorder.agree(self._settings.recording)
        if self._keeper:
            self._tasks.spawn(self._keeper.run(self._carrying.snapshot), "keep")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._agent.mind.recollection.store()
        last = self._carrying.snapshot() if self._keeper else None
        self._agent.responder.abandon()
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._wardrobe.close()
            if self._keeper and last:
                await self._keeper.end(last)
            await self._agent.mind.recollection.end()
            await self._recorder.close()

    async def take(self, event: ClientEvent, read: float = 0.0) -> None:
        """As `receive`, for callers that can wait: much sound is processed little by little, so that other sessions go
        on. ``read`` is how many s it took to decode the message."""
        for part in slices(event):
            heard, begun = self._hearing.now, time.perf_counter() - read
            taken, read = self.receive(part), 0.0
            await asyncio.sleep(self._pace.rest(self._hearing.now - heard, time.perf_counter() - begun))
            if not taken:
                return

    async def refuse(self, problem: Problem, read: float) -> None:
        """Tell the client about a message that cannot be decoded, which took ``read`` s to find out."""
        self.complain(problem)
        await asyncio.sleep(self._pace.rest(0.0, read))

    def receive(self, event: ClientEvent) -> bool:
        """As `Commands.receive`."""
        return self._commands.receive(event)

    def complain(self, problem: Problem) -> None:
        """Tell the client about a problem; the session goes on."""
        self._client.complain(problem)

    async def over(self) -> str:
        """Wait until the time that its user has is over, which was said -> what is shown then."""
        await self._agent.initiative.over.wait()
        return self._agent.mind.guard.closing

    def want_keyframe(self) -> None:
        """Make the next frame a keyframe, because video was dropped on its way."""
        self.show.pictures.want_keyframe()

    def unrecorded(self) -> None:
        """The recording has ended by itself."""
        self._updates.unrecord()

    def _now(self) -> Settings:
        return self._settings

    def _hold(self, settings: Settings) -> None:
        self._settings = settings

    def _tick(self) -> State:
        """Called by the show before each chunk."""
        self._updates.leave_withdrawn()
        self._hearing.tick(self.show.chunk_frames / FPS)
        self._agent.initiative.tick(self._hearing)
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
        records=engine.films is not None,
        tracks=engine.tracks,
    )


def _recorder(engine: Engine, session: Session, visitor: Visitor, settings: Callable[[], Settings]) -> Recorder:
    def made_of() -> list[Ingredient]:
        """The picture of the face; an upload's is in memory alone, and is not told."""
        avatar = settings().avatar
        with suppress(PictureError):
            return [Ingredient.of("portrait", engine.portraits.picture(avatar.character)[0])] if avatar else []
        return []

    subject = Subject(
        id=session.id,
        clock=lambda: session.show.clock,
        settings=settings,
        user=lambda: settings().whose(visitor.user),
        keyframe=session.want_keyframe,
        made_of=made_of,
        over=session.unrecorded,
    )
    return Recorder(engine.films, subject)
