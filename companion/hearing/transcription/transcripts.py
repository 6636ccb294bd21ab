"""Utterances become items of the conversation, and their words."""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from companion.conversation.items import Conversation, Item
from companion.errors import StageError, as_stage_error
from companion.hearing.transcription import words
from companion.hearing.transcription.tone import Tone
from companion.protocol import events
from companion.protocol.events import Problem, ServerEvent
from companion.protocol.ids import new_id
from companion.stages.protocols import ASR, HEAR_RATE, Samples, Transcript, expects, knows_language
from companion.tasks import Spawn

log = logging.getLogger(__name__)

SURE_S, AT_LENGTH_S = 2.5, 8.0  # s of speech by which a language is known; from which on it may be another one
CLEAR = 0.5  # confidence of words that are understood

Understood = asyncio.Task[Transcript | StageError]


@dataclass(slots=True)
class Utterance:
    """Something that the user says. ``start`` and ``end``: s of received sound; ``begun`` and ``ended``: loop times,
    ``begun`` that of the first speech in it."""

    item_id: str
    start: float
    end: float = 0.0
    ended: float = 0.0
    begun: float = math.inf
    interrupting: bool = False  # it took the floor from the face
    audio: Samples | None = None
    understanding: Understood | None = None


class Transcripts:
    """One session's. ``tell`` sends an event."""

    def __init__(self, asr: ASR, conversation: Conversation, tell: Callable[[ServerEvent], None], spawn: Spawn) -> None:
        self._asr, self._conversation = asr, conversation
        self._tell, self._spawn = tell, spawn
        self._pending: dict[str, asyncio.Task[None]] = {}  # by item
        self._failures: dict[str, StageError] = {}
        self._tone = Tone()
        self._took = WeakKeyDictionary[asyncio.Task[Any], tuple[float, float]]()  # loop times of transcriptions
        self._last: Utterance | None = None  # the one that was committed last
        self.expected: Callable[[], tuple[str, bool]] = lambda: ("", False)  # as `Expects.expecting` takes it
        self._bound: str | None = None  # the language, once it was heard for long enough to be sure
        self.language: str | None = None  # in which the user is heard; None where that is for the ASR to find out

    @property
    def busy(self) -> bool:
        """Whether something is still being transcribed."""
        return bool(self._pending)

    def transcribe(self, audio: Samples) -> Understood:
        """Start the recognition of ``audio`` -> its transcript, or the error that prevented it."""
        return self._spawn(self._try(audio), "transcribe")

    async def understood(self, item_id: str | None) -> bool:
        """Wait until all that was said is transcribed -> whether ``item_id`` says anything (None: nothing to say).

        Raises StageError when its transcription failed.
        """
        while self._pending:
            await asyncio.wait(list(self._pending.values()))
        if item_id in self._failures:
            raise self._failures.pop(item_id)
        return item_id is None or item_id in self._conversation

    def add(self, utterance: Utterance) -> None:
        """Commit an utterance: it becomes an item, and its words follow when they are known."""
        item = Item(utterance.item_id, "user", None, sound=True, begun=utterance.begun)
        item.times["hear"] = (utterance.ended - (utterance.end - utterance.start), utterance.ended)
        self._commit(item)
        self._last = utterance
        self._pending[item.id] = self._spawn(self._understand(item, utterance), f"{item.id} understand")

    def add_item(self, item: Item, audio: Samples, after: str | None) -> None:
        """A client's item, whose words are in its sound, (n,) at `HEAR_RATE`. Raises KeyError for an unknown
        ``after``."""
        previous = self._conversation.add(item, after)
        self._tell(events.ItemAdded(item.to_json(), previous))
        said = Utterance(item.id, 0.0, audio=audio, understanding=self.transcribe(audio))
        self._pending[item.id] = self._spawn(self._understand(item, said), f"{item.id} understand")

    def add_silence(self, start: float, end: float) -> None:
        """The user has said nothing between two seconds of the sound: an item that says nothing."""
        item = Item(new_id("item"), "user", "", sound=True)
        self._tell(events.InputAudioBufferTimeoutTriggered(round(start * 1000), round(end * 1000), item.id))
        self._commit(item)
        self._tell(events.ItemDone(item.to_json(), self._conversation.before(item.id)))

    def take_back(self) -> Utterance | None:
        """The last utterance, which is dropped, if it is still being transcribed."""
        last = self._last
        if last is None or last.item_id not in self._pending:
            return None
        self._pending.pop(last.item_id).cancel()
        if last.understanding:
            last.understanding.cancel()
        self._forget(last.item_id)
        return last

    def _commit(self, item: Item) -> None:
        previous = self._conversation.add(item)
        self._tell(events.InputAudioBufferCommitted(item.id, previous))
        self._tell(events.ItemAdded(item.to_json(), previous))

    async def _understand(self, item: Item, utterance: Utterance) -> None:
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
            self._failures[item.id] = result
            self._tell(events.TranscriptionFailed(item.id, Problem(result.code, str(result), "server_error")))
            self._forget(item.id)
            return
        item.language = result.language
        item.times["transcribe"] = self._took[utterance.understanding]
        item.text = "" if utterance.interrupting and words.is_backchannel(result.text) else result.text.strip()
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

    async def _try(self, audio: Samples) -> Transcript | StageError:
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            said = await self._heard(audio)
            if task := asyncio.current_task():
                self._took[task] = (begun, clock())
            return said
        except Exception as error:  # whatever a recogniser raises; its text may hold what was said
            log.error("speech cannot be recognised: %s", type(error).__name__)
            return as_stage_error(error, "asr_failed")

    async def _heard(self, audio: Samples) -> Transcript:
        """The transcript of ``audio`` in the user's language: the one that a client names or that was heard before,
        unless it is hardly understood in that language or is long."""
        seconds, bound = len(audio) / HEAR_RATE, None if self.language else self._bound
        said = await self._in(self.language or (bound if seconds < AT_LENGTH_S else None)).transcribe(audio)
        if bound and SURE_S <= seconds < AT_LENGTH_S and said.confidence < CLEAR:
            other = await self._in(None).transcribe(audio)
            said = other if other.text and other.confidence > said.confidence else said
        if not self.language and said.text and said.confidence >= CLEAR and seconds >= SURE_S:
            self._bound = said.language
        return said

    def _in(self, language: str | None) -> ASR:
        """The recogniser for a language, told which words to expect."""
        asr = self._asr
        if language and knows_language(asr, language):
            asr = asr.in_language(language)
        words, spelt = self.expected()
        return asr.expecting(words, spelt) if words and expects(asr) else asr
