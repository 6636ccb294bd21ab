"""The user's side: the microphone's turns become items of the conversation, and their words.

A turn that begins while the face speaks is tentative: the face pauses, and nobody is told until it has lasted
(`barge_in_ms`), or was understood at a pause as more than "mm-hm"; else the face goes on. Speech that is what the face
itself is saying is an echo and no turn. Where the client does not want interruptions (`interrupt_response`) the face
neither pauses nor stops, and what is said meanwhile is a turn all the same.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np

from companion.conversation.items import Conversation
from companion.errors import StageError
from companion.hearing import echo, words
from companion.hearing.detection import rules
from companion.hearing.floor import Floor
from companion.hearing.interim import Overhearing
from companion.hearing.microphone import Ears, Resampler
from companion.hearing.recognisers import Recognisers
from companion.hearing.transcripts import Understanding, Understood, Utterance
from companion.hearing.turns import Kind, Turn
from companion.protocol import events
from companion.protocol.codec import WireError
from companion.protocol.events import ServerEvent
from companion.protocol.ids import new_id
from companion.protocol.settings import Settings
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, Samples, Transcript

log = logging.getLogger(__name__)

SHORTEST = 0.1  # s of sound that a client may commit
DEAF = 1.0  # s without a packet after which a microphone in mid-turn counts as silent
ONSET = 0.2  # s of sound by which an echo is told from a user who begins to speak
LONG = 4.0  # s of speech that a listener acknowledges aloud
DECIDE = 0.6  # s for which a face that paused waits for the words of who spoke over it
GOES_ON = 0.3  # probability of being done under which somebody who pauses will go on


class Hearing:
    """``spawn`` starts a named task that ends with the session."""

    def __init__(
        self,
        recognisers: Recognisers,
        conversation: Conversation,
        floor: Floor,
        tell: Callable[[ServerEvent], None],
        spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]],
    ) -> None:
        self._recognisers, self._conversation, self._floor = recognisers, conversation, floor
        self._tell, self._spawn = tell, spawn
        self._words = Understanding(recognisers.asr, conversation, tell, spawn)
        self._overhearing = Overhearing(self._words, floor, spawn)
        self._turn: Utterance | None = None  # the running one
        self._tentative = False
        self._unheld: float | None = None  # s of speech in it that sounded like the face's own
        self._guess: tuple[float, Understood] | None = None
        self._murmur_at = LONG  # s of speech in the running turn after which a pause is answered with an "mm-hm"
        self._heard_at = -np.inf  # loop time of the last packet

    def configure(self, settings: Settings) -> None:
        """Start listening anew by these settings; what was heard and not committed is dropped."""
        self.clear()
        self._detection = settings.audio.input.turn_detection
        turns = rules(self._detection, self._recognisers.turns)
        self._barge_in = self._recognisers.turns.barge_in_ms / 1000
        now = self._ears.now if hasattr(self, "_ears") else 0.0
        self._ears = Ears(self._recognisers.vad(), turns, settings.audio.input.format.rate, now)
        asked = settings.audio.input.transcription
        self._words.language = asked.language if asked else None

    @property
    def attentive(self) -> bool:
        """The user speaks, or at least the microphone is open."""
        return (self._turn is not None and not self._tentative) or self._now() - self._heard_at < DEAF

    @property
    def busy(self) -> bool:
        """The user speaks, or is about to be understood."""
        return self._turn is not None or self._words.busy

    def append(self, pcm: bytes) -> None:
        """The next PCM16 of the microphone. Raises WireError for half a sample, BufferFullError."""
        if len(pcm) % 2:
            raise WireError("invalid_value", "`audio` is PCM16: it has an even number of bytes.", "audio")
        self._heard_at = self._now()
        self._ears.play(self._floor.clock, self._floor.played())
        for turn in self._ears.append(pcm):
            self._take(turn)
        self._judge_length()
        if self._turn and not self._tentative and not self._guess:
            self._overhearing.follow(self._ears.voiced, lambda: self._ears.so_far(self._ears.now))

    def user(self, n: int) -> Samples:
        """The user's voice for the next chunk of the face, (n,) at `SPEAK_RATE`: see `Earshot.take`. While it speaks it
        hears only who interrupts: what else there is may be its own echo."""
        voice = self._ears.user.take(n)
        alone = self._floor.speaking and (self._turn is None or self._tentative)
        return np.zeros_like(voice) if alone else voice

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
        utterance = Utterance(new_id("item"), 0.0, ended=self._now(), audio=audio)
        utterance.understanding = self._words.transcribe(audio)
        self._words.add(utterance)

    @property
    def now(self) -> float:
        """Seconds of sound received."""
        return self._ears.now

    def commit_silence(self, since: float) -> None:
        """The user has said nothing ``since`` that second of the sound: an item of its own, which says nothing."""
        self._words.add_silence(since, self.now)

    def clear(self) -> None:
        """Forget what was heard and not committed."""
        if hasattr(self, "_ears"):
            self._ears.drop()
        self._drop_turn()

    async def understood(self, item_id: str | None) -> bool:
        """Wait until all that was said is transcribed -> whether ``item_id`` says anything (None: nothing to say).

        Raises StageError when its transcription failed.
        """
        return await self._words.all_done(item_id)

    def put_back(self) -> None:
        """The turn that is being transcribed is not over: its sound belongs before what comes now."""
        if (audio := self._words.take_back()) is not None:
            self._ears.put_back(audio)

    def _take(self, turn: Turn) -> None:
        match turn.kind:
            case Kind.STARTED:
                self._turn = Utterance(new_id("item"), turn.at)
                self._murmur_at = LONG
                self._overhearing.start()
                self._tentative, self._unheld = self._floor.speaking, None
                if self._tentative:
                    self._hold()
                else:
                    self._begin(self._turn)
            case Kind.PAUSED:
                self._guess = (turn.at, self._words.transcribe(self._ears.so_far(turn.at)))
                self._overhearing.pause(self._ears.voiced, None if self._tentative else self._guess[1])
                if self._turn and self._tentative:
                    self._spawn(self._weigh(self._turn, self._guess), "weigh")
                elif self._turn:
                    self._spawn(self._expect_end(self._guess), "turn end")
            case Kind.RESUMED:
                if self._tentative:
                    self._hold()
                    self._drop_guess()
                else:
                    self._overhearing.resume()
                    self._guess = None
            case Kind.STOPPED:
                self._stop(turn.at)

    def _hold(self) -> None:
        """Give way at once to what may become a turn; it is judged meanwhile. What sounds like an echo at first is
        looked at again: two voices are alike for a syllable, and no longer."""
        self._unheld = None
        if self._may_interrupt and self._is_echo(self._ears.recent(ONSET)):
            self._unheld = self._ears.voiced
        elif self._may_interrupt:
            self._floor.hold()

    def _begin(self, utterance: Utterance) -> None:
        self._tentative, utterance.interrupting = False, self._floor.speaking
        self._floor.user_starts(self._may_interrupt)
        self._tell(events.SpeechStarted(round(utterance.start * 1000), utterance.item_id))

    async def _expect_end(self, guess: tuple[float, Understood]) -> None:
        """How long to wait for more: by the sound alone who pauses may go on, by the words as well may be done."""
        if self._detection is None or self._detection.type != "semantic_vad":
            return
        self._ears.expect(words.UNHEARD)
        done = await self._sounds_done(self._ears.so_far(guess[0]))
        if self._guess is not guess:
            return
        self._ears.expect(None if done is None else min(done, words.UNHEARD))
        if done is not None and done < GOES_ON and self._ears.voiced >= self._murmur_at:
            self._murmur_at = self._ears.voiced + LONG
            self._floor.user_goes_on()
        await asyncio.wait([guess[1]])
        if done is not None and self._guess is guess and isinstance(said := guess[1].result(), Transcript):
            self._ears.expect(words.done(done, said.text, said.language))

    async def _sounds_done(self, audio: Samples) -> float | None:
        try:
            return await self._recognisers.turn_end.finished(audio)
        except Exception as error:  # whatever a stage raises: silence still ends the turn
            log.error("the end of a turn cannot be judged: %s", type(error).__name__)
            return None

    def _judge_length(self) -> None:
        """Speech over the face's own that has lasted is a turn, unless it is an echo."""
        if self._turn is None or not self._tentative:
            return
        if self._unheld is not None and self._ears.voiced > self._unheld:
            self._hold()
        if self._ears.voiced < self._barge_in:
            return
        if self._is_echo(self._ears.recent(self._barge_in)):
            self.clear()
        else:
            self._begin(self._turn)

    def _stop(self, at: float) -> None:
        self._overhearing.stop()
        utterance, self._turn = self._turn, None
        if utterance is None:
            return
        utterance.end, utterance.audio = at, self._ears.take(at)
        utterance.ended = self._now() - max(0.0, self._ears.now - at)
        guess, self._guess = self._guess, None
        utterance.understanding = guess[1] if guess and guess[0] == at else self._words.transcribe(utterance.audio)
        if self._tentative and self._floor.speaking:
            self._spawn(self._judge(utterance), "judge")
        else:
            if self._tentative:
                self._begin(utterance)
            self._finish(utterance)
        self._tentative = False

    async def _weigh(self, turn: Utterance, guess: tuple[float, Understood]) -> None:
        """Somebody spoke over the face and pauses: it goes on, or is interrupted, by what they said."""
        await asyncio.wait([guess[1]], timeout=DECIDE)
        if self._guess is not guess or not self._tentative:
            return
        if guess[1].done() and self._counts(guess[1].result(), self._ears.so_far(guess[0])):
            self._begin(turn)
            self._spawn(self._expect_end(guess), "turn end")
        else:
            self._floor.release()

    async def _judge(self, utterance: Utterance) -> None:
        """The same, when their turn is over: what came while the last word was said is an answer, even a "yes"."""
        if utterance.understanding is None or utterance.audio is None:
            return
        transcript = await utterance.understanding
        answers = not self._floor.speaking and isinstance(transcript, Transcript) and transcript.text
        if answers or self._counts(transcript, utterance.audio):
            self._begin(utterance)
            self._finish(utterance)
        elif self._turn is None:
            self._floor.release()

    def _counts(self, said: Transcript | StageError, audio: Samples) -> bool:
        """Whether what was said over the face's own words is a turn."""
        if not isinstance(said, Transcript) or not words.takes_floor(said.text, said.confidence):
            return False
        return not self._is_echo(audio)

    @property
    def _may_interrupt(self) -> bool:
        return bool(self._detection and self._detection.interrupt_response)

    def _finish(self, utterance: Utterance) -> None:
        self._tell(events.SpeechStopped(round(utterance.end * 1000), utterance.item_id))
        self._words.add(utterance)
        if self._detection and self._detection.create_response:
            self._floor.user_said(utterance.item_id, utterance.ended)

    def _is_echo(self, heard: Samples) -> bool:
        return echo.is_echo(heard, Resampler(SPEAK_RATE)(self._floor.played()))

    def _drop_turn(self) -> None:
        if self._tentative:
            self._floor.release()
        self._turn, self._tentative = None, False
        self._drop_guess()
        self._overhearing.stop()

    def _drop_guess(self) -> None:
        if self._guess:
            self._guess[1].cancel()
        self._guess = None

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
