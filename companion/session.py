"""One conversation: two loops that meet in the mouth.

`Hearing` turns the microphone into turns; a turn (or `response.create`) starts `_respond`, one task that can be
cancelled: what was said -> chat -> language model -> sentences -> voice -> mouth. `Show` always runs and empties the
mouth. An interruption is `_interrupt`, and nothing else is.
"""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import fields, replace
from types import TracebackType
from typing import Any, Self

from animator.control import State
from companion import chat, events, requests, think
from companion.chat import Conversation, Item, Setting
from companion.ears import BufferFullError
from companion.engine import Engine
from companion.events import ClientEvent, Problem, ServerEvent
from companion.hearing import Hearing
from companion.looks import open_look
from companion.portraits import PictureError
from companion.reply import Ending, Reply, Wishes
from companion.settings import Audio, AudioInput, AudioOutput, Settings, TurnDetection, update
from companion.show import CHUNK_FRAMES, Show
from companion.stages import SPEAK_RATE, Message, Samples, StageError
from companion.trace import Trace
from companion.wire import WireError

log = logging.getLogger(__name__)

GOODBYE = 5.0  # s that the memory may take when a session ends


class Session:
    """Enter it, give it a client's events with `receive`; ``send`` is called with the server's, in order.

    ``send`` must not block. ``persona`` is an id of `Prompts.personas`, else the config's; KeyError if there is none.
    All of it runs in one event loop.
    """

    def __init__(self, engine: Engine, send: Callable[[ServerEvent], None], persona: str | None = None) -> None:
        self.id = requests.new_id("sess")
        self._engine = engine
        self._tell = send
        self._settings = self._defaults = _defaults(engine, persona or engine.config.session.persona)
        self._conversation = Conversation()
        self._show = Show(engine.device, send, self._tick, self._face_failed, engine.metrics)
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._hearing = Hearing(engine, self._conversation, self, send, self._spawn)
        self._reply: Reply | None = None
        self._reply_task: asyncio.Task[None] | None = None
        self._dressing: asyncio.Task[None] | None = None
        self._told_state = ""
        self._memories: Sequence[str] | None = None
        self._greeted = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._hearing.configure(self._settings)
        self._tell(events.SessionCreated(self._settings.to_json(self.id)))
        self._spawn(self._show.run(), "show")
        self._spawn(self._show.pictures.run(), "pictures")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        # The group needs to know of a cancellation (it may be its own); what else was raised passes as it is.
        cancelled = isinstance(error, asyncio.CancelledError)
        try:
            await self._group.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))
        finally:
            await self._remember()

    def receive(self, event: ClientEvent) -> None:
        """Act on a client's event; what is wrong with it is answered with an `error`, and changes nothing."""
        try:
            self._handle(event)
        except WireError as error:
            self.complain(Problem(error.code, str(error), param=error.param, event_id=event.event_id))
        except KeyError as error:
            message = f"There is no item {str(error.args[0])[:80]!r} in this conversation."
            self.complain(Problem("item_not_found", message, param="item_id", event_id=event.event_id))
        except BufferFullError:
            self._hearing.clear()
            message = "Five minutes of sound without a commit: the buffer was cleared."
            self.complain(Problem("input_audio_buffer_full", message, event_id=event.event_id))

    def complain(self, problem: Problem) -> None:
        """Tell the client about a problem; the session goes on."""
        self._engine.metrics.errors.labels(problem.code).inc()
        self._tell(events.Error(problem))

    def want_keyframe(self) -> None:
        """Video was dropped on its way: the next frame must stand by itself."""
        self._show.pictures.want_keyframe()

    # --- the client's events ---

    def _handle(self, event: ClientEvent) -> None:
        match event:
            case events.InputAudioBufferAppend():
                self._hearing.append(event.audio)
            case events.AvatarPlayback():
                self._show.played(event.played_ms)
            case events.AvatarControl():
                self._control(event)
            case events.InputAudioBufferCommit():
                self._hearing.commit()
            case events.InputAudioBufferClear():
                self._hearing.clear()
                self._tell(events.InputAudioBufferCleared())
            case events.SessionUpdate():
                self._update(event)
            case events.ResponseCreate() | events.ResponseCancel() | events.OutputAudioBufferClear():
                self._handle_response(event)
            case _:
                self._handle_item(event)

    def _handle_response(self, event: ClientEvent) -> None:
        match event:
            case events.ResponseCreate():
                wishes = requests.wishes(event.response, self._settings.output_modalities[0])
                if self._reply is not None:
                    message = "A response is in progress; cancel it first, or wait for `response.done`."
                    raise WireError("conversation_already_has_active_response", message)
                self._start(wishes, asyncio.get_running_loop().time())
            case events.ResponseCancel():
                if self._reply is None or event.response_id not in (None, self._reply.id):
                    raise WireError("response_cancel_not_active", "There is no such response in progress.")
                self._interrupt("client_cancelled")
            case _:
                self._interrupt("client_cancelled")

    def _handle_item(self, event: ClientEvent) -> None:
        match event:
            case events.ConversationItemCreate():
                self._create_item(event)
            case events.ConversationItemRetrieve():
                self._tell(events.ItemRetrieved(self._conversation[event.item_id].to_json()))
            case events.ConversationItemDelete():
                if self._reply and self._reply.item is self._conversation[event.item_id]:
                    self._interrupt("client_cancelled")
                self._conversation.delete(event.item_id)
                self._tell(events.ItemDeleted(event.item_id))
            case events.ConversationItemTruncate():
                self._truncate(event)
            case _:
                raise WireError("unknown_event", f"`{event.type}` is not supported here.", "type")

    def _create_item(self, event: events.ConversationItemCreate) -> None:
        item = requests.item(event.item)
        if item.id in self._conversation:
            raise WireError("invalid_value", "There is an item with this id already.", "item.id")
        previous = self._conversation.add(item, event.previous_item_id)
        self._tell(events.ItemAdded(item.to_json(), previous))
        self._tell(events.ItemDone(item.to_json(), previous))

    def _truncate(self, event: events.ConversationItemTruncate) -> None:
        """What the client says it played is what was said."""
        item = self._conversation[event.item_id]
        if item.role != "assistant" or not item.sound:
            raise WireError("invalid_value", "Only a spoken message of the assistant can be truncated.", "item_id")
        if self._reply and self._reply.item is item:
            self._interrupt("client_cancelled")
        item.heard = event.audio_end_ms * SPEAK_RATE // 1000
        item.status = "incomplete"
        self._tell(events.ItemTruncated(item.id, event.audio_end_ms, event.content_index))

    def _control(self, event: events.AvatarControl) -> None:
        wishes = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("event_id", "gaze")}
        if event.gaze:
            wishes |= {"gaze_yaw_deg": event.gaze.yaw_deg, "gaze_pitch_deg": event.gaze.pitch_deg}
        self._show.control = replace(self._show.control, **{k: v for k, v in wishes.items() if v is not None})

    # --- settings ---

    def _update(self, event: events.SessionUpdate) -> None:
        before = self._settings
        self._settings = self._check(update(before, event.session, self._defaults), event.session)
        if self._settings.audio.input != before.audio.input:
            self._hearing.configure(self._settings)
        if self._settings.avatar != before.avatar:
            self._dress(before)
        self._tell(events.SessionUpdated(self._settings.to_json(self.id)))

    def _check(self, new: Settings, change: events.Json) -> Settings:
        """Persona and character, which only the engine knows: a persona brings its instructions and its face."""
        personas = self._engine.prompts.personas
        if new.persona not in personas:
            raise WireError(
                "unknown_persona", f"There is no such persona; there are {', '.join(personas)}.", "session.persona"
            )
        persona = personas[new.persona]
        if new.persona != self._settings.persona and "instructions" not in change:
            new = replace(new, instructions=persona.instructions)
        if new.avatar and not new.avatar.character:
            name = persona.character or self._engine.default_character
            new = replace(new, avatar=replace(new.avatar, character=name))
        if new.avatar and not self._engine.portraits.has(new.avatar.character):
            message = "There is no such character or uploaded picture; GET /v1/characters lists the characters."
            raise WireError("unknown_character", message, "session.avatar.character")
        return new

    def _dress(self, before: Settings) -> None:
        avatar = self._settings.avatar
        if avatar is None:
            self._stop_dressing()
            self._show.wear(None)
            return
        self._show.control = avatar.control()
        same = before.avatar and (before.avatar.character, before.avatar.video) == (avatar.character, avatar.video)
        if not same:
            self._stop_dressing()
            self._dressing = self._spawn(self._open_look(), "face")

    def _stop_dressing(self) -> None:
        if self._dressing:
            self._dressing.cancel()
        self._dressing = None

    async def _open_look(self) -> None:
        avatar = self._settings.avatar
        if avatar is None:
            return
        self._tell_state("initializing")
        try:
            look = await self._engine.device.run(open_look, self._engine, avatar)
        except PictureError as error:
            self.complain(Problem(error.code, str(error), param="session.avatar.character"))
            return
        except Exception as error:
            self._face_failed(error)
            return
        finally:
            self._dressing = None
        # What the encoder really makes may differ from what was asked for.
        size = replace(avatar.video.resolution, width=look.face.width, height=look.face.height)
        self._settings = replace(self._settings, avatar=replace(avatar, video=replace(avatar.video, resolution=size)))
        self._show.wear(look)
        self._greet()

    def _face_failed(self, error: Exception) -> None:
        log.error("session %s: the face failed: %s", self.id, type(error).__name__, exc_info=error)
        message = (
            "The face cannot be shown; the conversation goes on without it. Choose another character to try again."
        )
        self.complain(Problem("face_failed", message, "server_error"))

    # --- what `Hearing` asks for ---

    @property
    def speaking(self) -> bool:
        return self._show.speaking

    def user_starts(self) -> None:
        """Speech that resumes while its first part is still being transcribed was a pause; else it interrupts."""
        if self._reply and not self._reply.created:
            self._abandon()
            self._hearing.put_back()
        else:
            self._interrupt("turn_detected")

    def user_said(self, item_id: str, ended: float) -> None:
        if self._reply is None:
            sound = self._settings.output_modalities[0] == "audio"
            self._start(Wishes(sound=sound), ended, item_id)

    def played(self) -> Samples:
        return self._show.recent()

    # --- the response ---

    def _start(self, wishes: Wishes, since: float, said: str | None = None, greeting: str = "") -> None:
        """Begin a response: to the item ``said`` when it is understood, or to the conversation as it stands."""
        trace = Trace(asyncio.get_running_loop().time, since)
        if said:
            trace.mark("turn_end")
        item = Item(requests.new_id("item"), "assistant", sound=wishes.sound, status="in_progress")
        self._spoken = asyncio.Event()
        self._reply = Reply(
            id=requests.new_id("resp"),
            item=item,
            trace=trace,
            wishes=wishes,
            tell=self._tell,
            over=self._spoken.set,
            join=self._conversation.add,
            face=self._settings.avatar is not None,
        )
        self._reply_task = self._spawn(self._respond(self._reply, said, greeting), self._reply.id)

    async def _respond(self, reply: Reply, said: str | None, greeting: str) -> None:
        """The straight line from what was said to the last sound of the answer."""
        try:
            if not await self._hearing.understood(said):
                return self._abandon()
            if said:
                reply.trace.mark("transcript")
            reply.create()
            deltas = _once(greeting) if greeting else self._engine.llm.reply(await self._messages(reply.wishes))
            if reply.wishes.sound:
                self._show.speak(reply)
                await think.speak(deltas, self._engine.tts, self._show.mouth, reply)
                await self._spoken.wait()
            else:
                await think.write(deltas, reply)
            self._finish("completed")
        except Exception as error:  # whatever a stage raises: the session lives on
            self._fail(reply, think.as_stage_error(error, "llm_failed"), error)

    async def _messages(self, wishes: Wishes) -> list[Message]:
        history = self._conversation.history()
        settings, remembering = self._settings, self._settings.memory
        if self._memories is None and remembering and remembering.consent:
            about = history[-1].content if history else ""
            self._memories = await self._engine.memory.recall(remembering.user, about)
        setting = Setting(
            persona=self._engine.prompts.personas[settings.persona],
            speech=self._engine.prompts.speech,
            instructions=settings.instructions if wishes.instructions is None else wishes.instructions,
            memories=self._memories or (),
            limit=self._engine.config.session.history_messages,
        )
        return chat.messages(setting, history)

    def _interrupt(self, reason: str) -> None:
        """The one place where a response is cut off: cancel its task, empty the mouth, keep what was heard."""
        reply = self._reply
        if reply is None:
            return
        if not reply.created:
            self._abandon()
            return
        if self._reply_task:
            self._reply_task.cancel()
        reply.item.heard = self._show.heard()
        self._show.interrupt()
        self._finish("cancelled", reason)

    def _abandon(self) -> None:
        """A response that nobody was told of comes to nothing."""
        self._reply = None
        if self._reply_task and self._reply_task is not asyncio.current_task():
            self._reply_task.cancel()

    def _fail(self, reply: Reply, error: StageError, cause: Exception) -> None:
        if not isinstance(cause, StageError):
            log.error("session %s: a stage failed: %s", self.id, _where(cause))
        if not reply.created:
            reply.create()
        problem = Problem(error.code, str(error), "server_error")
        self.complain(problem)
        reply.item.heard = self._show.heard()
        self._show.interrupt()
        self._finish("failed", problem=problem)

    def _finish(self, ending: Ending, reason: str | None = None, problem: Problem | None = None) -> None:
        reply, self._reply = self._reply, None
        if reply is None:
            return
        reply.finish(ending, reason, problem)
        self._engine.metrics.responses.labels(ending).inc()
        self._engine.metrics.turn(reply.trace)

    def _greet(self) -> None:
        greeting = self._engine.prompts.personas[self._settings.persona].greeting
        if self._engine.config.session.greet and not self._greeted and self._reply is None and not self._conversation:
            self._start(Wishes(), asyncio.get_running_loop().time(), greeting=greeting)
        self._greeted = True

    # --- the face's state ---

    def _tick(self) -> State:
        """Called by the show before each chunk."""
        self._hearing.tick(CHUNK_FRAMES / 25)
        state = self._state()
        self._tell_state("initializing" if self._dressing else state)
        return state

    def _state(self) -> State:
        if self._show.speaking:
            return "speaking"
        if self._reply is not None:
            return "thinking"
        return "listening" if self._hearing.attentive else "idle"

    def _tell_state(self, state: Any) -> None:
        if self._settings.avatar is not None and state != self._told_state:
            self._told_state = state
            self._tell(events.AvatarState(state))

    # --- tasks and the end ---

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = self._group.create_task(work, name=f"{self.id} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _remember(self) -> None:
        remembering = self._settings.memory
        history = [m for m in self._conversation.history() if m.role != "system"]
        if not (remembering and remembering.consent and history):
            return
        try:
            async with asyncio.timeout(GOODBYE):
                await self._engine.memory.remember(remembering.user, history)
        except Exception as error:
            log.error("session %s: the memory failed: %s", self.id, type(error).__name__)


def _defaults(engine: Engine, persona: str) -> Settings:
    turns = engine.config.turns
    detection = TurnDetection(
        threshold=turns.threshold,
        prefix_padding_ms=turns.prefix_padding_ms,
        silence_duration_ms=turns.silence_duration_ms,
    )
    audio = Audio(AudioInput(turn_detection=detection), AudioOutput(voice=str(getattr(engine.tts, "voice", "default"))))
    return Settings(persona=persona, instructions=engine.prompts.personas[persona].instructions, audio=audio)


async def _once(text: str) -> AsyncIterator[str]:
    yield text


def _where(error: Exception) -> str:
    """What was raised and where, without the text, which may hold what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
