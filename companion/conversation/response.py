"""One response: its item, its task, and the sequence of events that tells a client about it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from animator.units import pcm16
from companion.conversation.items import Item
from companion.conversation.tool_calls import ToolCalls
from companion.metrics import Trace
from companion.phases import following
from companion.protocol import events
from companion.protocol.events import Json, PartEvent, Problem, ServerEvent
from companion.protocol.settings import ToolChoice
from companion.speech.playout import Cue
from companion.speech.text.sentences import Sentence
from companion.speech.text.thoughts import Thoughts
from companion.stages.protocols import Message, Samples

Ending = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of one response. ``asked``: a client requested it with ``response.create`` and waits for its end.
    ``context`` replaces the conversation; ``aside``: the response is not added to the conversation; ``tool`` as
    `Settings.tool_choice`."""

    instructions: str | None = None
    sound: bool = True
    metadata: dict[str, str] | None = None
    asked: bool = False
    aside: bool = False
    context: tuple[Message, ...] | None = None
    tool: ToolChoice | None = None

    @property
    def apart(self) -> bool:
        """Whether the response is independent of the conversation."""
        return self.aside or self.context is not None


class Phase(Enum):
    """How far a response has come."""

    WAITING = "the user is being understood; nobody knows of it"
    CREATED = "the client knows of it"
    OPEN = "it has something to say"
    SOUNDING = "the first of its sound was sent"
    OVER = "it tells nothing and adds nothing, whatever its stages still do"


FOLLOWS = {  # what may come after what
    Phase.WAITING: {Phase.CREATED, Phase.OVER},
    Phase.CREATED: {Phase.OPEN, Phase.OVER},
    Phase.OPEN: {Phase.SOUNDING, Phase.OVER},
    Phase.SOUNDING: {Phase.OVER},
    Phase.OVER: set[Phase](),
}


@dataclass(slots=True)
class Reply:
    """A `companion.speech.playout.Speaker`.

    ``tell`` sends an event; ``face``: the client shows a face, and so is told about words and states; ``spoken`` is set
    when the last of the sound was sent.
    """

    id: str
    item: Item
    trace: Trace
    wishes: Wishes
    tell: Callable[[ServerEvent], None]
    join: Callable[[Item], str | None]  # adds an item to the conversation -> the id of the item before it
    face: bool
    allowed: Callable[[str], str] = str  # a sentence of the model -> what may be said of it
    emotions: Sequence[str] = ()  # those that may be shown; all if empty
    feel: Callable[[str], Awaitable[str]] | None = None  # a sentence without a tag -> its emotion
    filler: tuple[str, float] = ("", 0.0)  # what is said while the answer is not ready, and after how many seconds
    lost: str = ""  # what is said if the language model thinks but never speaks
    thoughts: Thoughts = field(default_factory=Thoughts)  # the reader of the language model's thoughts
    opener: Sentence | None = None  # what is said before the language model's first word
    breathes: bool = False  # take an audible breath if there is no opener and the first words take a while
    silence: bool = False  # it answers a user who stays silent
    task: asyncio.Task[None] | None = None  # the task that produces it
    spoken: asyncio.Event = field(default_factory=asyncio.Event)
    phase: Phase = Phase.WAITING
    words: bool = False  # word times have been sent
    previous: str | None = None
    shown: list[str] = field(default_factory=list[str])
    calls: ToolCalls = field(init=False)

    def __post_init__(self) -> None:
        self.calls = ToolCalls(self.id, lambda event: self.tell(event), lambda item: self.join(item), lambda: self.over)

    @property
    def created(self) -> bool:
        """Whether the client knows of it."""
        return self.phase is not Phase.WAITING

    @property
    def over(self) -> bool:
        return self.phase is Phase.OVER

    def create(self) -> None:
        """Announce the response. From here on `finish` ends it, whatever happens."""
        self._enter(Phase.CREATED)
        self.tell(events.ResponseCreated(self.to_json("in_progress")))

    def open(self) -> None:
        """Add the item: there is something to say."""
        if self._opened or self.over:
            return
        self._enter(Phase.OPEN)
        self.previous = self.join(self.item)
        self.tell(events.OutputItemAdded(self.id, self.item.to_json()))
        if not self.wishes.aside:
            self.tell(events.ItemAdded(self.item.to_json(), self.previous))
        self.tell(events.ContentPartAdded(self.id, self.item.id, self._part("")))

    def write(self, text: str) -> None:
        """Add to a reply that is text only."""
        if self.over:
            return
        self.open()
        self.item.text = (self.item.text or "") + text
        self.tell(events.TextDelta(self.id, self.item.id, text))

    def cue(self, cue: Cue) -> None:
        self.open()
        if cue.word is None:
            self.shown.append(cue.line.text)
            self.tell(events.AudioTranscriptDelta(self.id, self.item.id, cue.line.text + " "))
        elif self.face:
            self.words = True
            start, end = round(cue.word.start * 1000), round(cue.word.end * 1000)
            self.tell(events.AudioTimestampDelta(self.id, self.item.id, cue.word.text, start, end - start))

    def sound(self, audio: Samples, pts_ms: float) -> None:
        self.open()
        if self.phase is Phase.OPEN:
            self._enter(Phase.SOUNDING)
            self.tell(events.OutputAudioStarted(self.id))
            if self.face:
                self.tell(events.SwitchToSpeaking())
        self.tell(events.AudioDelta(self.id, self.item.id, pcm16(audio), round(pts_ms, 3)))
        self.trace.mark("first_audio")

    def seen(self, begun: float, drawn: float) -> None:
        if "first_frame" not in self.trace.marks:
            self.trace.add("draw", begun, drawn)
        self.trace.mark("first_frame")

    def ended(self) -> None:
        self.spoken.set()

    def abandon(self) -> None:
        """End it without a result: its task is cancelled, unless the caller is that task."""
        self._enter(Phase.OVER)
        self.tell, self.join = _nobody, _nowhere
        if self.task and self.task is not asyncio.current_task():
            self.task.cancel()

    def finish(self, ending: Ending, reason: str | None = None, problem: Problem | None = None) -> None:
        """Close everything that was opened, in OpenAI's order; then as `abandon`."""
        self.item.status = "completed" if ending == "completed" else "incomplete"
        for item in self.calls.items:
            item.status = "completed" if item.status == "completed" else "incomplete"
        sounding = self.phase is Phase.SOUNDING
        if sounding and ending == "cancelled":
            self.tell(events.OutputAudioCleared(self.id))
        if self._opened:
            self._close()
        self.trace.mark("done")
        self.tell(events.ResponseDone(self.to_json(ending, reason, problem)))
        if sounding and ending != "cancelled":
            self.tell(events.OutputAudioStopped(self.id))
        if self.face:
            if sounding:
                self.tell(events.SwitchToIdle())
            self.tell(events.AvatarMetrics(self.id, self.trace.ms()))
        self.abandon()

    def to_json(self, status: str, reason: str | None = None, problem: Problem | None = None) -> Json:
        """OpenAI's ``realtime.response``."""
        details: Json | None = None
        if status in ("cancelled", "failed", "incomplete"):
            details = {"type": status, "reason": reason}
            if problem:
                details["error"] = {"type": problem.type, "code": problem.code, "message": problem.message}
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": self._output() if status != "in_progress" else [],
            "output_modalities": ["audio" if self.wishes.sound else "text"],
            "metadata": self.wishes.metadata,
            "usage": None,
        }

    @property
    def _opened(self) -> bool:
        return self.phase in (Phase.OPEN, Phase.SOUNDING)

    def _enter(self, phase: Phase) -> None:
        self.phase = following(FOLLOWS, self.phase, phase)

    def _output(self) -> list[Json]:
        return [item.to_json() for item in ([self.item] if self._opened else []) + self.calls.items]

    def _close(self) -> None:
        text = self.item.content()
        closing: list[PartEvent] = [events.TextDone(self.id, self.item.id, text)]
        if self.wishes.sound:
            closing = [
                events.AudioDone(self.id, self.item.id),
                events.AudioTranscriptDone(self.id, self.item.id, text),
            ]
            if self.words:
                closing.append(events.AudioTimestampDone(self.id, self.item.id))
        for event in [*closing, events.ContentPartDone(self.id, self.item.id, self._part(text))]:
            self.tell(event)
        if self.face and self.phase is Phase.SOUNDING:
            self.tell(events.VideoDone(self.id))
        self.tell(events.OutputItemDone(self.id, self.item.to_json()))
        if not self.wishes.aside:
            self.tell(events.ItemDone(self.item.to_json(), self.previous))

    def _part(self, text: str) -> Json:
        return {"type": "audio", "transcript": text} if self.wishes.sound else {"type": "text", "text": text}


def _nobody(event: ServerEvent) -> None:
    """Swallows the events of a response that is over."""


def _nowhere(item: Item) -> None:
    """Drops the items of a response that is over."""
