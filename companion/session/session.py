"""One conversation: two loops that meet in the mouth.

`Hearing` turns the microphone into turns; a turn (or `response.create`) starts `_respond`, one task that can be
cancelled: what was said -> chat -> language model -> sentences -> voice -> mouth. `Show` always runs and empties the
mouth. An interruption is `interrupt`, and nothing else is.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from animator.control import State
from animator.units import FPS
from companion.avatar.show import Show
from companion.avatar.wardrobe import Wardrobe
from companion.conversation import items
from companion.conversation.items import Conversation, Item
from companion.conversation.response import Ending, Reply, Wishes
from companion.dialogue.feelings import Feeling
from companion.dialogue.mind import Mind, once
from companion.engine import Engine
from companion.errors import StageError, as_stage_error
from companion.hearing.hearing import Hearing
from companion.hearing.microphone import BufferFullError
from companion.hearing.transcripts import Transcripts
from companion.metrics import Trace
from companion.protocol import events
from companion.protocol.codec import WireError
from companion.protocol.events import ClientEvent, Problem, ServerEvent
from companion.protocol.ids import new_id
from companion.session import commands, speaking
from companion.session.attention import Listening
from companion.session.chair import Chair
from companion.session.effective import defaults
from companion.session.initiative import Initiative
from companion.session.pace import Pace, slices
from companion.session.visitor import Visitor
from companion.stages.protocols import TTS, Message, Samples, has_voice

log = logging.getLogger(__name__)


class Session:
    """Enter it, give it a client's events with `receive`; ``send`` is called with the server's, in order.

    ``send`` must not block. ``persona`` is an id of `Prompts.personas`, else the config's; KeyError if there is none.
    All of it runs in one event loop.
    """

    def __init__(
        self,
        engine: Engine,
        send: Callable[[ServerEvent], None],
        persona: str | None = None,
        visitor: Visitor | None = None,
    ) -> None:
        self.id = new_id("sess")
        self.engine = engine
        self.tell = send
        self.visitor = visitor or Visitor()
        self.settings = self.defaults = defaults(engine, persona or engine.config.session.persona)
        self.conversation = Conversation()
        self.show = Show(engine.device, send, self._tick, self._user, self._faceless, engine.metrics)
        self.wardrobe = Wardrobe(engine.looks, self.show, self.complain, self._spawn, lambda: self.initiative.greet())
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.transcripts = Transcripts(engine.asr, self.conversation, send, self._spawn)
        heard = self.settings.audio.input
        self.hearing = Hearing(engine.recognisers, self.transcripts, Chair(self), send, self._spawn, heard)
        self.reply: Reply | None = None
        self._told_state = ""
        self.mind = Mind(engine.dialogue, self)
        self.listening = Listening(engine.llm, self.mind, self.show, self._voice, self._spawn, engine.rehearsal)
        self._pace = Pace(asyncio.get_running_loop().time)
        self._unsaid = ""  # of the reply that was interrupted last
        self.initiative = Initiative(self, self._spawn)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self.tell(events.SessionCreated(self.settings.to_json(self.id) | {"disclosure": self.mind.notice}))
        self._spawn(self.show.run(), "show")
        self._spawn(self.show.pictures.run(), "pictures")
        self.prepare()
        self.listening.rehearse()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()
        for task in self._tasks:
            task.cancel()
        # The group needs to know of a cancellation (it may be its own); what else was raised passes as it is.
        cancelled = isinstance(error, asyncio.CancelledError)
        try:
            await self._group.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))
        finally:
            self.wardrobe.close()
            await self.mind.recollection.end()

    async def take(self, event: ClientEvent) -> None:
        """As `receive`, for who can wait: much sound is heard little by little, and the other sessions go on."""
        for part in slices(event):
            heard, begun = self.hearing.now, time.perf_counter()
            if not self.receive(part):
                return
            await asyncio.sleep(self._pace.rest(self.hearing.now - heard, time.perf_counter() - begun))

    def receive(self, event: ClientEvent) -> bool:
        """Act on a client's event; what is wrong with it is answered with an `error`, and changes nothing -> whether
        nothing was."""
        try:
            commands.handle(self, event)
            return True
        except WireError as error:
            self.complain(Problem(error.code, str(error), param=error.param, event_id=event.event_id))
        except KeyError as error:
            message = f"There is no item {str(error.args[0])[:80]!r} in this conversation."
            self.complain(Problem("item_not_found", message, param="item_id", event_id=event.event_id))
        except BufferFullError:
            self.hearing.clear()
            message = "Five minutes of sound without a commit: the buffer was cleared."
            self.complain(Problem("input_audio_buffer_full", message, event_id=event.event_id))
        return False

    def complain(self, problem: Problem) -> None:
        """Tell the client about a problem; the session goes on."""
        self.engine.metrics.errors.labels(problem.code).inc()
        self.tell(events.Error(problem))

    def prepare(self) -> None:
        """Let a language model that can read what is known already, before the next question."""
        self.listening.prepare()

    def want_keyframe(self) -> None:
        """Video was dropped on its way: the next frame must stand by itself."""
        self.show.pictures.want_keyframe()

    # --- what `Mind` asks for ---

    def ask(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        return self.listening.ask(messages)

    def drop_draft(self) -> None:
        self.listening.drop()

    def mirror(self, feeling: Feeling) -> None:
        self.listening.mirror(feeling)

    def announce(self, text: str, after: float = 0.0) -> None:
        self.initiative.announce(text, after)

    # --- the response ---

    def start(
        self, wishes: Wishes, since: float, said: str | None = None, text: str = "", silence: bool = False
    ) -> None:
        """Begin a response: to the item ``said`` when it is understood, or to the conversation as it stands, or to the
        user's ``silence``; or ``text``, if given."""
        trace = Trace(asyncio.get_running_loop().time, since)
        if said:
            trace.mark("turn_end")
        item = Item(new_id("item"), "assistant", sound=wishes.sound, status="in_progress")
        self.reply = reply = Reply(
            id=new_id("resp"),
            item=item,
            trace=trace,
            wishes=wishes,
            tell=self.tell,
            join=self._join,
            face=self.settings.avatar is not None,
            allowed=self.mind.guard.allowed,
            emotions=self.mind.persona.emotions,
            feel=None if self.mind.tagged else self.mind.feel_sentence,
            filler=self.mind.filler() if said else ("", 0.0),
            silence=silence,
        )
        reply.task = self._spawn(self._respond(reply, said, text), reply.id)

    async def _respond(self, reply: Reply, said: str | None, text: str) -> None:
        """The straight line from what was said to the last sound of the answer."""
        try:
            if not await self.transcripts.all_done(said):
                return self._go_on(reply)
            if said:
                reply.trace.mark("transcript")
            reply.create()
            self._unsaid = ""
            await self._say(once(text) if text else await self.mind.reply(reply), reply)
            self._finish(reply, "completed")
        except (Exception, asyncio.CancelledError) as error:  # whatever a stage raises: the session lives on
            if speaking.is_cancelled(error):
                raise
            self._fail(reply, as_stage_error(error, "llm_failed"), error)

    async def _say(self, deltas: AsyncIterator[str], reply: Reply) -> None:
        """Until the last of it was sent. A stage may have kept a cancellation to itself: what is over is not said."""
        if reply.over:
            return
        if reply.wishes.sound:
            await speaking.speak(deltas, self._voice(), self.show.speak(reply), reply)
            await reply.spoken.wait()
        else:
            await speaking.write(deltas, reply)

    def _join(self, item: Item) -> str | None:
        """What the reply follows is remembered as it begins: the process may end in the middle of it."""
        previous = self.conversation.add(item)
        self.mind.recollection.store()
        return previous

    def _voice(self) -> TTS:
        tts, voice = self.engine.tts, self.settings.audio.output.voice
        tts = tts.with_voice(voice) if has_voice(tts, voice) else tts
        return self.engine.repertoire.voice(tts)

    def interrupt(self, reason: str) -> None:
        """The one place where a response is cut off: cancel its task, empty the mouth, keep what was heard."""
        reply = self.reply
        if reply is None:
            return
        if not reply.created:
            self.abandon()
            return
        reply.item.heard = self.show.heard()
        self._unsaid = items.unsaid(reply.item) if reason == "turn_detected" else ""
        self.show.interrupt()
        self._finish(reply, "cancelled", reason)

    def abandon(self) -> None:
        """A response that nobody was told of comes to nothing."""
        if self.reply:
            self.reply.abandon()
        self.reply = None

    def _go_on(self, reply: Reply) -> None:
        """What was taken for a turn said nothing: whoever was interrupted by it finishes the sentence."""
        if self.reply is not reply:
            return
        self.abandon()
        if self._unsaid:
            self.start(replace(reply.wishes, instructions=None), asyncio.get_running_loop().time(), text=self._unsaid)

    def _fail(self, reply: Reply, error: StageError, cause: BaseException) -> None:
        log.error("session %s: a stage failed: %s, %s", self.id, error.code, _where(cause.__cause__ or cause))
        if self.reply is not reply:
            return
        if not reply.created:
            reply.create()
        problem = Problem(error.code, str(error), "server_error")
        self.complain(problem)
        reply.item.heard = self.show.heard()
        self.show.interrupt()
        self._finish(reply, "failed", problem=problem)

    def _finish(self, reply: Reply, ending: Ending, reason: str | None = None, problem: Problem | None = None) -> None:
        """The end of ``reply``, unless that has ended already."""
        if self.reply is not reply:
            return
        self.reply = None
        reply.finish(ending, reason, problem)
        self.engine.metrics.responses.labels(ending).inc()
        self.engine.metrics.turn(reply.trace)
        self.mind.recollection.store()
        self.initiative.expect_user()
        self.prepare()

    # --- the face's state ---

    def _tick(self) -> State:
        """Called by the show before each chunk."""
        self.hearing.tick(self.show.chunk_frames / FPS)
        self.initiative.tick()
        self.tell_state()
        return self._state()

    def _user(self, n: int) -> Samples:
        """What the face hears beside its next ``n`` samples."""
        return self.hearing.user(n)

    def _faceless(self, error: Exception) -> None:
        self.wardrobe.failed(error)

    def _state(self) -> State:
        if self.show.speaking:
            return "listening" if self.show.holding else "speaking"
        if self.reply is not None:
            return "thinking"
        return "listening" if self.hearing.attentive else "idle"

    def tell_state(self) -> None:
        """Say what the face is doing, if the client has not been told yet."""
        state = "initializing" if self.wardrobe.busy else self._state()
        if self.settings.avatar is not None and state != self._told_state:
            self._told_state = state
            self.tell(events.AvatarState(state))

    # --- tasks and the end ---

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = self._group.create_task(work, name=f"{self.id} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def consent(self) -> None:
        """The user has agreed, or agrees no more, to be remembered; or is another one."""
        self.mind.recollection.agree(self.settings.memory)
        self._spawn(self._consent(), "consent")

    async def _consent(self) -> None:
        await self.mind.recollection.meet()
        self.prepare()

    def forgot(self, error: Exception) -> None:
        """A memory that fails is told of, and nothing else fails with it."""
        log.error("session %s: the memory failed: %s", self.id, type(error).__name__)
        problem = as_stage_error(error, "memory_failed")
        self.complain(Problem(problem.code, str(problem), "server_error"))


def _where(error: BaseException) -> str:
    """What was raised and where, without the text, which may hold what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
