"""Makes the face's responses, one at a time, from what was said to the last sound of the answer.

`Responder.start` begins one task that can be cancelled: what was said -> conversation -> language model -> sentences ->
voice -> mouth. `Responder.interrupt` is the only way to interrupt it. Whoever ends a response ends its own.
"""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

from companion.avatar.show import Show
from companion.conversation import items
from companion.conversation.items import Conversation, Item
from companion.conversation.response import Ending, Reply, Wishes
from companion.dialogue.mind import Mind
from companion.dialogue.replying.thinking import once
from companion.errors import StageError, as_stage_error
from companion.metrics import Metrics, Trace
from companion.protocol.events import Problem
from companion.protocol.ids import new_id
from companion.protocol.settings import Settings
from companion.session.client.client import Client
from companion.session.replies import speaking
from companion.stages.protocols import TTS
from companion.tasks import Spawn, cancelled

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Responder:
    """One session's. ``settings`` and ``voice`` give those that hold now; ``understood`` waits for the words of an item
    and tells whether there are any; ``ended`` is called when a response is over of which the client was told."""

    client: Client
    conversation: Conversation
    show: Show
    mind: Mind
    metrics: Metrics
    settings: Callable[[], Settings]
    voice: Callable[[], TTS]
    understood: Callable[[str | None], Awaitable[bool]]
    ended: Callable[[], None]
    spawn: Spawn
    reply: Reply | None = field(default=None, init=False)  # the current one
    _unsaid: str = field(default="", init=False)  # of the reply that was interrupted last

    @property
    def usual(self) -> Wishes:
        """The `Wishes` of an ordinary response."""
        return Wishes(sound=self.settings().output_modalities[0] == "audio")

    def start(
        self, wishes: Wishes, since: float | None = None, said: str | None = None, text: str = "", silence: bool = False
    ) -> None:
        """Begin a response: to the item ``said`` once it is transcribed, or to the conversation as it stands, or to the
        user's ``silence``; or with the given ``text``. ``since``: the loop time from which on it is waited for, now by
        default."""
        clock = asyncio.get_running_loop().time
        trace = Trace(clock, clock() if since is None else since)
        if said:
            trace.mark("turn_end")
        self.reply = reply = Reply(
            id=new_id("resp"),
            item=Item(new_id("item"), "assistant", sound=wishes.sound, status="in_progress"),
            trace=trace,
            wishes=wishes,
            tell=self.client.tell,
            join=self._join,
            face=self.settings().avatar is not None,
            allowed=self.mind.guard.allowed,
            emotions=self.mind.persona.emotions,
            feel=None if self.mind.tagged else self.mind.empathy.feel_sentence,
            filler=self.mind.filler() if said else ("", 0.0),
            silence=silence,
        )
        reply.task = self.spawn(self._respond(reply, said, text), reply.id)

    def interrupt(self, reason: str) -> None:
        """Interrupt the response: cancel its task, empty the mouth, keep what was heard. Nothing else does."""
        reply = self.reply
        if reply is None:
            return
        if not reply.created:
            self.abandon(reason)
            return
        reply.item.heard = self.show.heard()
        self._unsaid = items.unsaid(reply.item) if reason == "turn_detected" else ""
        self.show.interrupt()
        self._finish(reply, "cancelled", reason)

    def abandon(self, reason: str = "turn_detected") -> None:
        """Give up a response that the client was not told of; whoever asked for it is told so."""
        if self.reply and self.reply.wishes.asked and not self.reply.created:
            self.reply.create()
            return self._finish(self.reply, "cancelled", reason)
        if self.reply:
            self.reply.abandon()
        self.reply = None
        return None

    async def _respond(self, reply: Reply, said: str | None, text: str) -> None:
        """The straight path from what was said to the last sound of the answer."""
        try:
            if not await self.understood(said):
                return self._go_on(reply)
            if said:
                reply.trace.mark("transcript")
                self._time_hearing(reply.trace, said)
            reply.create()
            self._unsaid = ""
            await self._say(once(text) if text else await self.mind.reply(reply), reply)
            self._finish(reply, "completed")
        except (Exception, asyncio.CancelledError) as error:  # whatever a stage raises: the session lives on
            if isinstance(error, asyncio.CancelledError) and cancelled():
                raise
            self._fail(reply, as_stage_error(error, "llm_failed"), error)

    def _time_hearing(self, trace: Trace, said: str) -> None:
        for name, (start, end) in self.conversation[said].times.items():
            trace.add(name, start, end)

    async def _say(self, deltas: AsyncIterator[str], reply: Reply) -> None:
        """Say it until the last sound was sent. A stage may have swallowed a cancellation: a response that is over says
        nothing."""
        if reply.over:
            return
        if reply.wishes.sound:
            await speaking.speak(deltas, self.voice(), self.show.speak(reply), reply, self.conversation.language)
            await reply.spoken.wait()
        else:
            await speaking.write(deltas, reply)

    def _join(self, item: Item) -> str | None:
        """What the reply follows is remembered as it begins: the process may end in the middle of it."""
        if self.reply and self.reply.wishes.aside:
            return None
        previous = self.conversation.add(item)
        self.mind.recollection.store()
        return previous

    def _go_on(self, reply: Reply) -> None:
        """What was taken for a turn said nothing: whoever was interrupted by it finishes the sentence."""
        if self.reply is not reply:
            return
        self.abandon()
        if self._unsaid:
            self.start(replace(reply.wishes, instructions=None), text=self._unsaid)

    def _fail(self, reply: Reply, error: StageError, cause: BaseException) -> None:
        where = _where(cause.__cause__ or cause)
        log.error("session %s: a stage failed: %s, %s", self.client.session, error.code, where)
        if self.reply is not reply:
            return
        if not reply.created:
            reply.create()
        problem = Problem(error.code, str(error), "server_error")
        self.client.complain(problem)
        reply.item.heard = self.show.heard()
        self.show.interrupt()
        self._finish(reply, "failed", problem=problem)

    def _finish(self, reply: Reply, ending: Ending, reason: str | None = None, problem: Problem | None = None) -> None:
        """End ``reply``, unless it has ended already."""
        if self.reply is not reply:
            return
        self.reply = None
        reply.finish(ending, reason, problem)
        self.metrics.responses.labels(ending).inc()
        self.metrics.turn(reply.trace, self.client.session, reply.id, ending)
        self.mind.recollection.store()
        self.ended()


def _where(error: BaseException) -> str:
    """The exception and where it was raised, without its text, which may quote the user."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
