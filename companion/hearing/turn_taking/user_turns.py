"""The turns of the user: from the first sound of one to its words in the conversation.

A turn that begins while the face speaks is tentative: the face pauses, and nobody is told until `BargeIn` decides that
it is a turn; otherwise the face goes on. If the client does not want interruptions (`interrupt_response`), the face
neither pauses nor stops, and what is said meanwhile is a turn all the same.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from companion.hearing.audio.microphone import Microphone
from companion.hearing.audio.turns import Kind, Turn
from companion.hearing.transcription.transcripts import Transcripts, Understood, Utterance
from companion.hearing.turn_taking.barge_in import BargeIn, Verdict
from companion.hearing.turn_taking.endpointing import Endpointing
from companion.hearing.turn_taking.floor import Floor
from companion.hearing.turn_taking.interim import InterimTranscripts
from companion.phases import following
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.protocol.ids import new_id
from companion.stages.protocols import Samples, Transcript
from companion.tasks import Spawn, cancelled

NOTHING = 0.1  # s of sound like speech after a pause in which nothing can have been said: a breath, a click


class State(Enum):
    """What the user does."""

    SILENT = "says nothing"
    TENTATIVE = "speaks over the face, which may be nothing"
    SPEAKING = "has the floor"


FOLLOWS = {  # what may come after what
    State.SILENT: {State.TENTATIVE, State.SPEAKING},
    State.TENTATIVE: {State.SPEAKING, State.SILENT},
    State.SPEAKING: {State.SILENT},
}


@dataclass(slots=True)
class _Pause:
    """Of the running turn, which is perhaps over: where its speech ends, in s of received sound; the sound and the
    words until then; and what judges them."""

    at: float
    audio: Samples
    said: Understood
    judging: asyncio.Task[None] | None = None


@dataclass(slots=True, kw_only=True)
class UserTurns:
    """Those that one ``microphone`` hears, by one set of rules. ``answers``: each wants a reply; ``tell`` sends an
    event."""

    microphone: Microphone
    barge_in: BargeIn
    endpointing: Endpointing
    transcripts: Transcripts
    interim: InterimTranscripts
    floor: Floor
    tell: Callable[[ServerEvent], None]
    spawn: Spawn
    answers: bool
    state: State = field(default=State.SILENT, init=False)
    _running: Utterance | None = field(default=None, init=False)  # the turn, unless the user is silent
    _pause: _Pause | None = field(default=None, init=False)
    _understood: tuple[float, Understood] | None = field(default=None, init=False)  # after so many s of speech in it
    _judging: set[asyncio.Task[None]] = field(
        default_factory=set[asyncio.Task[None]], init=False
    )  # turns that are over

    def take(self, turn: Turn) -> None:
        """What the microphone's detector has told."""
        match turn.kind:
            case Kind.STARTED:
                self._start(turn.at)
            case Kind.PAUSED:
                self._paused(turn.at)
            case Kind.RESUMED:
                self._resumed()
            case Kind.STOPPED:
                self._stopped(turn.at)

    def heard(self) -> None:
        """More of the sound was heard. Speech over the face's own that has lasted is a turn, unless it is an echo."""
        if self.state is State.TENTATIVE and self._running:
            match self.barge_in.judge():
                case Verdict.TURN:
                    self._enter(State.SPEAKING)
                    self._takes_floor(self._running)
                case Verdict.ECHO:
                    self.microphone.drop()
                    self.drop()
                case Verdict.OPEN:
                    pass
        if self.state is State.SPEAKING and not self._pause:
            self.interim.follow(self.microphone.voiced, lambda: self.microphone.so_far(self.microphone.now))

    def clear(self) -> None:
        """Forget what was heard and not committed."""
        if self._judging:
            self.floor.release()
        for judging in self._judging:
            judging.cancel()
        self.microphone.drop()
        self.drop()

    def drop(self) -> None:
        """The running turn is none."""
        if self.state is State.TENTATIVE:
            self.floor.release()
        if self.state is not State.SILENT:
            self._enter(State.SILENT)
        self._running = None
        if pause := self._end_pause():
            pause.said.cancel()
        self.interim.stop()

    def _start(self, at: float) -> None:
        begun = asyncio.get_running_loop().time() - self.microphone.voiced
        self._running, self._understood = Utterance(new_id("item"), at, begun=begun), None
        self.interim.start()
        self.endpointing.start()
        if self.floor.speaking:
            self._enter(State.TENTATIVE)
            self.barge_in.hold()
        else:
            self._enter(State.SPEAKING)
            self._takes_floor(self._running)

    def _paused(self, at: float) -> None:
        audio = self.microphone.so_far(at)
        pause = self._pause = _Pause(at, audio, self._understand(audio))
        tentative = self.state is State.TENTATIVE
        self.interim.pause(self.microphone.voiced, None if tentative else pause.said)
        work = self._weigh(pause) if tentative else self.endpointing.judge(audio, pause.said)
        pause.judging = self.spawn(work, "judge a pause")

    def _understand(self, audio: Samples) -> Understood:
        """The transcript of the running turn up to a pause; that of the pause before, if nothing was said since."""
        voiced = self.microphone.voiced
        if self._understood and not self._understood[1].cancelled() and voiced - self._understood[0] <= NOTHING:
            return self._understood[1]
        self._understood = voiced, self.transcripts.transcribe(audio)
        return self._understood[1]

    def _resumed(self) -> None:
        pause = self._end_pause()
        if self.state is State.SPEAKING:
            self.interim.resume()
            return
        self.barge_in.hold()
        if pause:
            pause.said.cancel()

    def _stopped(self, at: float) -> None:
        self.interim.stop()
        pause, utterance, self._running = self._end_pause(), self._running, None
        if utterance is None:
            return
        utterance.end, utterance.audio = at, self.microphone.take(at)
        utterance.ended = asyncio.get_running_loop().time() - max(0.0, self.microphone.now - at)
        same = pause is not None and pause.at == at
        utterance.understanding = pause.said if pause and same else self.transcripts.transcribe(utterance.audio)
        tentative = self.state is State.TENTATIVE
        self._enter(State.SILENT)
        if tentative and self.floor.speaking:
            judging = self.spawn(self._judge(utterance), "judge a turn")
            self._judging.add(judging)
            judging.add_done_callback(self._judging.discard)
            return
        if tentative:
            self._takes_floor(utterance)
        self._finish(utterance)

    async def _weigh(self, pause: _Pause) -> None:
        """Somebody spoke over the face and pauses: by their words the face is interrupted or goes on."""
        takes_floor = await self.barge_in.takes_floor(pause.said, pause.audio)
        if cancelled() or self.state is not State.TENTATIVE or self._running is None:
            return
        if not takes_floor:
            self.floor.release()
            return
        self._enter(State.SPEAKING)
        self._takes_floor(self._running)
        await self.endpointing.judge(pause.audio, pause.said)

    async def _judge(self, utterance: Utterance) -> None:
        """The same once the turn is over. Said during the face's last word it is an answer, even a "yes"."""
        if utterance.understanding is None or utterance.audio is None:
            return
        said = await utterance.understanding
        answers = not self.floor.speaking and isinstance(said, Transcript) and said.text
        if answers or self.barge_in.counts(said, utterance.audio):
            self._takes_floor(utterance)
            self._finish(utterance)
        elif self.state is State.SILENT:
            self.floor.release()

    def _takes_floor(self, utterance: Utterance) -> None:
        utterance.interrupting = self.floor.speaking
        earlier = self.transcripts.take_back() if self.floor.user_starts(self.barge_in.allowed) else None
        if earlier and earlier.audio is not None:
            self.microphone.put_back(earlier.audio)
            utterance.begun = earlier.begun
        self.tell(events.SpeechStarted(round(utterance.start * 1000), utterance.item_id))

    def _finish(self, utterance: Utterance) -> None:
        self.tell(events.SpeechStopped(round(utterance.end * 1000), utterance.item_id))
        self.transcripts.add(utterance)
        if self.answers:
            self.floor.user_said(utterance.item_id, utterance.ended)

    def _end_pause(self) -> _Pause | None:
        """Stop judging the pause. Its transcript may still be of use."""
        pause, self._pause = self._pause, None
        if pause and pause.judging:
            pause.judging.cancel()
        return pause

    def _enter(self, state: State) -> None:
        self.state = following(FOLLOWS, self.state, state)
