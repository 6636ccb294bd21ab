"""The user's side: the microphone's turns become items of the conversation, and their words.

A turn that begins while the face speaks is tentative: nobody is told of it until it has lasted (`barge_in_ms`), or was
understood as more than "mm-hm". Speech that is what the face itself is saying is an echo and no turn.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from companion import cues, echo, events
from companion.chat import Conversation, Item
from companion.ears import Ears, Resampler
from companion.engine import Engine
from companion.events import Problem, ServerEvent
from companion.prosody import Tone
from companion.requests import new_id
from companion.settings import Settings, rules
from companion.stages import HEAR_RATE, SPEAK_RATE, Samples, StageError, Transcript
from companion.think import as_stage_error
from companion.turns import Kind, Turn
from companion.wire import WireError

log = logging.getLogger(__name__)

SHORTEST = 0.1  # s of sound that a client may commit
DEAF = 1.0  # s without a packet after which a microphone in mid-turn counts as silent
ONSET = 0.2  # s of sound by which an echo is told from a user who begins to speak
PHRASE = 1.6  # s of speech that a listener acknowledges with a nod
LONG = 4.0  # s of speech that a listener acknowledges aloud
GOES_ON = 0.3  # probability of being done under which somebody who pauses will go on
FOLLOW = 2.4  # s of speech after which what was said so far is transcribed, for who wants to know it early


class Floor(Protocol):
    """The session, as its hearing sees it."""

    @property
    def speaking(self) -> bool:
        """The face has the floor."""
        ...

    def hold(self) -> None:
        """The user perhaps takes the floor: pause."""
        ...

    def release(self) -> None:
        """The user does not: go on."""
        ...

    def user_starts(self) -> None:
        """The user takes the floor."""
        ...

    @property
    def curious(self) -> bool:
        """The words of a turn are of use before it ends."""
        ...

    def user_is_saying(self, text: str) -> None:
        """The beginning of a turn that is not over; later words may correct it."""
        ...

    def user_pauses(self) -> None:
        """A phrase ends, perhaps the turn."""
        ...

    def user_goes_on(self) -> None:
        """A phrase of a long turn ends, and more will come."""
        ...

    def user_said(self, item_id: str, ended: float) -> None:
        """A turn is over; its words are still being understood. ``ended``: loop time at which the speech did."""
        ...

    @property
    def clock(self) -> int:
        """Samples at `SPEAK_RATE` that were sent so far, silence included."""
        ...

    def played(self) -> Samples:
        """What was sent as sound in the last seconds, at `SPEAK_RATE`."""
        ...


@dataclass(slots=True)
class _Utterance:
    item_id: str
    start: float  # s of received sound
    end: float = 0.0
    ended: float = 0.0  # loop time
    interrupting: bool = False  # it took the floor from the face
    audio: Samples | None = None
    understanding: asyncio.Task[Transcript | StageError] | None = None


class Hearing:
    """``spawn`` starts a named task that ends with the session."""

    def __init__(
        self,
        engine: Engine,
        conversation: Conversation,
        floor: Floor,
        tell: Callable[[ServerEvent], None],
        spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]],
    ) -> None:
        self._engine, self._conversation, self._floor = engine, conversation, floor
        self._tell, self._spawn = tell, spawn
        self._pending: dict[str, asyncio.Task[None]] = {}  # by item
        self._failures: dict[str, StageError] = {}
        self._turn: _Utterance | None = None  # the running one
        self._last: _Utterance | None = None  # the one that was committed last
        self._tentative = False
        self._tone = Tone()
        self._guess: tuple[float, asyncio.Task[Transcript | StageError]] | None = None
        self._following: asyncio.Task[Transcript | StageError] | None = None
        self._nod_at = PHRASE  # s of speech in the running turn after which the end of a phrase is acknowledged
        self._murmur_at = LONG  # the same, with an "mm-hm"
        self._followed = 0.0  # s of speech in the running turn that were transcribed already
        self._heard_at = -np.inf  # loop time of the last packet

    def configure(self, settings: Settings) -> None:
        """Start listening anew by these settings; what was heard and not committed is dropped."""
        self.clear()
        self._detection = settings.audio.input.turn_detection
        turns = rules(self._detection, self._engine.config.turns)
        self._barge_in = self._engine.config.turns.barge_in_ms / 1000
        now = self._ears.now if hasattr(self, "_ears") else 0.0
        self._ears = Ears(self._engine.vad(), turns, settings.audio.input.format.rate, now)

    @property
    def attentive(self) -> bool:
        """The user speaks, or at least the microphone is open."""
        return (self._turn is not None and not self._tentative) or self._now() - self._heard_at < DEAF

    @property
    def busy(self) -> bool:
        """The user speaks, or is about to be understood."""
        return self._turn is not None or bool(self._pending)

    def append(self, pcm: bytes) -> None:
        """The next PCM16 of the microphone. Raises WireError for half a sample, BufferFullError."""
        if len(pcm) % 2:
            raise WireError("invalid_value", "`audio` is PCM16: it has an even number of bytes.", "audio")
        self._heard_at = self._now()
        self._ears.play(self._floor.clock, self._floor.played())
        for turn in self._ears.append(pcm):
            self._take(turn)
        self._judge_length()
        self._follow()

    def tick(self, seconds: float) -> None:
        """Time passes: a microphone that went away in the middle of a turn counts as silent."""
        if self._turn is not None and self._now() - self._heard_at > DEAF:
            for turn in self._ears.hear(np.zeros(int(seconds * HEAR_RATE), np.float32)):
                self._take(turn)

    def commit(self) -> None:
        """The client says that the turn is over. Raises WireError when there is nothing to commit."""
        audio = self._ears.take_all()
        self._drop_turn()
        if len(audio) < SHORTEST * HEAR_RATE:
            message = f"The buffer holds {1000 * len(audio) // HEAR_RATE} ms of sound; a commit needs 100 ms or more."
            raise WireError("input_audio_buffer_commit_empty", message)
        utterance = _Utterance(new_id("item"), 0.0, ended=self._now(), audio=audio)
        utterance.understanding = self._transcribe(audio)
        self._add(utterance)

    @property
    def now(self) -> float:
        """Seconds of sound received."""
        return self._ears.now

    def commit_silence(self, since: float) -> None:
        """The user has said nothing ``since`` that second of the sound: an item of its own, which says nothing."""
        item = Item(new_id("item"), "user", "", sound=True)
        previous = self._conversation.add(item)
        start, end = round(since * 1000), round(self.now * 1000)
        self._tell(events.InputAudioBufferTimeoutTriggered(start, end, item.id))
        self._tell(events.InputAudioBufferCommitted(item.id, previous))
        self._tell(events.ItemAdded(item.to_json(), previous))
        self._tell(events.ItemDone(item.to_json(), previous))

    def clear(self) -> None:
        """Forget what was heard and not committed."""
        if hasattr(self, "_ears"):
            self._ears.drop()
        self._drop_turn()

    async def understood(self, item_id: str | None) -> bool:
        """Wait until all that was said is transcribed -> whether ``item_id`` says anything (None: nothing to say).

        Raises StageError when its transcription failed.
        """
        while self._pending:
            await asyncio.wait(list(self._pending.values()))
        if item_id in self._failures:
            raise self._failures.pop(item_id)
        return item_id is None or item_id in self._conversation

    def put_back(self) -> None:
        """The turn that is being transcribed is not over: its sound belongs before what comes now."""
        last = self._last
        if last is None or last.audio is None or last.item_id not in self._pending:
            return
        self._pending.pop(last.item_id).cancel()
        if last.understanding:
            last.understanding.cancel()
        self._ears.put_back(last.audio)
        self._forget(last.item_id)

    def _take(self, turn: Turn) -> None:
        match turn.kind:
            case Kind.STARTED:
                self._turn = _Utterance(new_id("item"), turn.at)
                self._followed, self._nod_at, self._murmur_at = 0.0, PHRASE, LONG
                self._tentative = self._floor.speaking
                if self._tentative:
                    self._hold()
                else:
                    self._begin(self._turn)
            case Kind.PAUSED:
                if self._tentative:
                    self._floor.release()
                elif self._ears.voiced >= self._nod_at:
                    self._nod_at = self._ears.voiced + PHRASE
                    self._floor.user_pauses()
                self._stop_following()
                self._followed = self._ears.voiced
                self._guess = (turn.at, self._transcribe(self._ears.so_far(turn.at)))
                if self._turn and not self._tentative:
                    self._spawn(self._overhear(self._turn, self._guess[1], 0), "overhear")
                    self._spawn(self._expect_end(self._guess), "turn end")
            case Kind.RESUMED:
                if self._tentative:
                    self._hold()
                self._drop_guess()
            case Kind.STOPPED:
                self._stop(turn.at)

    def _hold(self) -> None:
        """Give way at once to what may become a turn; it is judged meanwhile."""
        if self._detection and self._detection.interrupt_response and not self._is_echo(self._ears.recent(ONSET)):
            self._floor.hold()

    def _begin(self, utterance: _Utterance) -> None:
        self._tentative, utterance.interrupting = False, self._floor.speaking
        self._floor.user_starts()
        self._tell(events.SpeechStarted(round(utterance.start * 1000), utterance.item_id))

    def _follow(self) -> None:
        """Transcribe a turn while it goes on, one attempt at a time; the last word is often half of another one."""
        turn, voiced = self._turn, self._ears.voiced
        if turn is None or self._tentative or self._guess or voiced - self._followed < FOLLOW:
            return
        if self._floor.curious and (self._following is None or self._following.done()):
            self._followed = voiced
            self._following = self._transcribe(self._ears.so_far(self._ears.now))
            self._spawn(self._overhear(turn, self._following, 1), "overhear")

    async def _overhear(
        self, turn: _Utterance, understanding: asyncio.Task[Transcript | StageError], less: int
    ) -> None:
        """Tell what an unfinished ``turn`` says, ``less`` its last words."""
        transcript = await understanding
        if self._turn is turn and isinstance(transcript, Transcript):
            words = transcript.text.split()
            self._floor.user_is_saying(" ".join(words[: len(words) - less]))

    async def _expect_end(self, guess: tuple[float, asyncio.Task[Transcript | StageError]]) -> None:
        """How long to wait for more: by the sound alone who pauses may go on, by the words as well may be done."""
        if self._detection is None or self._detection.type != "semantic_vad":
            return
        self._ears.expect(cues.UNHEARD)
        done = await self._sounds_done(self._ears.so_far(guess[0]))
        if self._guess is not guess:
            return
        self._ears.expect(None if done is None else min(done, cues.UNHEARD))
        if done is not None and done < GOES_ON and self._ears.voiced >= self._murmur_at:
            self._murmur_at = self._ears.voiced + LONG
            self._floor.user_goes_on()
        await asyncio.wait([guess[1]])
        if done is not None and self._guess is guess and isinstance(said := guess[1].result(), Transcript):
            self._ears.expect(cues.done(done, said.text, said.language))

    async def _sounds_done(self, audio: Samples) -> float | None:
        try:
            return await self._engine.turn_end.finished(audio)
        except Exception as error:  # whatever a stage raises: silence still ends the turn
            log.error("the end of a turn cannot be judged: %s", type(error).__name__)
            return None

    def _stop_following(self) -> None:
        if self._following:
            self._following.cancel()
        self._following = None

    def _judge_length(self) -> None:
        """Speech over the face's own that has lasted is an interruption, unless it is an echo."""
        if self._turn is None or not self._tentative or self._ears.voiced < self._barge_in:
            return
        if not self._detection or not self._detection.interrupt_response:
            return
        if self._is_echo(self._ears.recent(self._barge_in)):
            self.clear()
        else:
            self._begin(self._turn)

    def _stop(self, at: float) -> None:
        utterance, self._turn = self._turn, None
        if utterance is None:
            return
        utterance.end, utterance.audio = at, self._ears.take(at)
        utterance.ended = self._now() - max(0.0, self._ears.now - at)
        guess, self._guess = self._guess, None
        utterance.understanding = guess[1] if guess and guess[0] == at else self._transcribe(utterance.audio)
        if self._tentative and self._floor.speaking:
            self._spawn(self._judge_words(utterance), "judge")
        else:
            if self._tentative:
                self._begin(utterance)
            self._finish(utterance)
        self._tentative = False

    async def _judge_words(self, utterance: _Utterance) -> None:
        """A short word over the face's own: a backchannel and an echo change nothing, anything else interrupts. What
        came while the last word was said is an answer, even if it is "yes"."""
        if utterance.understanding is None or utterance.audio is None:
            return
        transcript = await utterance.understanding
        if isinstance(transcript, StageError) or not transcript.text:
            return
        if cues.is_backchannel(transcript.text) and self._floor.speaking:
            return
        if self._is_echo(utterance.audio) or not (self._detection and self._detection.interrupt_response):
            return
        self._begin(utterance)
        self._finish(utterance)

    def _finish(self, utterance: _Utterance) -> None:
        self._tell(events.SpeechStopped(round(utterance.end * 1000), utterance.item_id))
        self._add(utterance)
        if self._detection and self._detection.create_response:
            self._floor.user_said(utterance.item_id, utterance.ended)

    def _add(self, utterance: _Utterance) -> None:
        item = Item(utterance.item_id, "user", None, sound=True)
        previous = self._conversation.add(item)
        self._tell(events.InputAudioBufferCommitted(item.id, previous))
        self._tell(events.ItemAdded(item.to_json(), previous))
        self._last = utterance
        self._pending[item.id] = self._spawn(self._understand(item, utterance), f"{item.id} understand")

    async def _understand(self, item: Item, utterance: _Utterance) -> None:
        if utterance.understanding is None or utterance.audio is None:
            return
        item.tone = self._tone.hear(utterance.audio)
        try:
            result = await utterance.understanding
        finally:
            self._pending.pop(item.id, None)
        if item.id not in self._conversation:
            return
        if isinstance(result, StageError):
            problem = Problem(result.code, str(result), "server_error")
            self._failures[item.id] = result
            self._tell(events.TranscriptionFailed(item.id, problem))
            self._forget(item.id)
            return
        item.language = result.language
        item.text = "" if utterance.interrupting and cues.is_backchannel(result.text) else result.text.strip()
        usage = {"type": "duration", "seconds": round(len(utterance.audio) / HEAR_RATE, 3)}
        if item.text:
            self._tell(events.TranscriptionDelta(item.id, item.text))
        self._tell(events.TranscriptionCompleted(item.id, item.text, usage))
        if item.text:
            self._tell(events.ItemDone(item.to_json(), self._conversation.before(item.id)))
        else:
            self._forget(item.id)

    def _forget(self, item_id: str) -> None:
        self._conversation.delete(item_id)
        self._tell(events.ItemDeleted(item_id))

    def _transcribe(self, audio: Samples) -> asyncio.Task[Transcript | StageError]:
        return self._spawn(self._try(audio), "transcribe")

    async def _try(self, audio: Samples) -> Transcript | StageError:
        try:
            return await self._engine.asr.transcribe(audio)
        except Exception as error:
            return as_stage_error(error, "asr_failed")

    def _is_echo(self, heard: Samples) -> bool:
        return echo.is_echo(heard, Resampler(SPEAK_RATE)(self._floor.played()))

    def _drop_turn(self) -> None:
        if self._tentative:
            self._floor.release()
        self._turn, self._tentative = None, False
        self._drop_guess()
        self._stop_following()

    def _drop_guess(self) -> None:
        if self._guess:
            self._guess[1].cancel()
        self._guess = None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
