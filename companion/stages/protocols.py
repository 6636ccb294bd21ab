"""The stages of a conversation, as Protocols. A user's own class needs no base class and no registration.

Implementations are named in the config by an import string (``"companion.stages.asr:FasterWhisper"``) and constructed
once with the other keys of their table as keyword arguments; the constructor loads the model and warms it up, and may
block (the server builds stages in a thread before it reports itself ready). Only the ``VAD`` is constructed once per
session, since it holds the state of one microphone; all sessions share the other stages.

A stage declares optional methods in its attribute ``abilities`` (`Abilities`), and the embedded models that it needs
in its class variable ``needs`` (`companion.models.needs`). Both may be left out.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (n,) mono audio, in [-1, 1]

HEAR_RATE = 16_000  # Hz, the sample rate of the input of VAD, TurnEnd and ASR
VAD_WINDOW = 512  # samples at HEAR_RATE in one window of a VAD: 32 ms
SPEAK_RATE = 24_000  # Hz, the sample rate of a TTS's output, which the face takes


def sample_at(ms: float) -> int:
    """The sample at `SPEAK_RATE` that is ``ms`` after the first one."""
    return round(ms * SPEAK_RATE / 1000)


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it is spoken, in s from the start of the audio that it belongs to."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One phoneme (IPA) and when it is spoken, in s from the start of the audio that it belongs to."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of one utterance; empty if nothing was understood (noise, silence).

    ``language`` is an ISO 639-1 code. ``confidence``: in [0, 1], how likely the words are on average.
    """

    text: str
    language: str = "en"
    words: tuple[Word, ...] = ()
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of a language model. ``arguments`` is a JSON object as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallPart:
    """A delta of a streamed tool call. Deltas of one ``index`` make one call; the first of them has id and name."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation as a language model sees it. An assistant's message may hold ``calls``; a tool's
    message is the result of the call ``call_id``."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[Call, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of synthesized speech, (n,) at `SPEAK_RATE`, with word and phoneme timings if the engine gives them.

    The pieces of one ``speak`` call, concatenated, are the whole text; timings are in s from the start of the piece.
    """

    audio: Samples
    words: tuple[Word, ...] = field(default=())
    phonemes: tuple[Phoneme, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Abilities:
    """The optional features of a stage, which it declares in its attribute ``abilities``."""

    calls_tools: bool = False  # an LLM: `CallsTools`
    prepares: bool = False  # an LLM: `Prepares`
    continues: bool = False  # an LLM: continues the last message if that is the assistant's
    languages: Collection[str] = ()  # ISO 639-1: all that a TTS speaks (empty: unknown); for an ASR: `Multilingual`
    voice: str = "default"  # a TTS: the voice in use
    voices: Collection[str] = ()  # a TTS: the voices to choose from, `HasVoices`; a mapping says how each sounds
    pronounces: bool = False  # a TTS: `Pronounces`
    paced: bool = False  # a TTS: `Paced`
    switches: bool = False  # a TTS: `Switches`
    model: str = "default"  # an ASR: the name of its model that clients see
    expects: bool = False  # an ASR: `Expects`
    keeps: bool = False  # a Memory: `Keeps`
    learns: bool = False  # a Memory: `Learns`
    closes: bool = False  # any stage: `Closes`


NO_ABILITIES = Abilities()
METHODS = {  # the method that each ability requires
    "calls_tools": "converse",
    "prepares": "prepare",
    "voices": "with_voice",
    "expects": "expecting",
    "pronounces": "pronouncing",
    "paced": "at_pace",
    "switches": "in_language",
    "keeps": "memories",
    "learns": "learn_with",
    "closes": "aclose",
}


def abilities(stage: object) -> Abilities:
    """The abilities that ``stage`` declares; none if it declares nothing."""
    return getattr(stage, "abilities", NO_ABILITIES)


def missing(stage: object) -> list[str]:
    """The methods that the abilities of ``stage`` require and that it lacks."""
    can = abilities(stage)
    return [method for name, method in METHODS.items() if getattr(can, name) and not hasattr(stage, method)]


class Closes(Protocol):
    """Optional: a stage that holds resources to release, such as connections."""

    async def aclose(self) -> None:
        """Called once, in the event loop of the sessions, when no session uses the stage any more."""
        ...


def closes(stage: object) -> TypeGuard[Closes]:
    """Whether ``stage`` holds resources to release."""
    return abilities(stage).closes


class VAD(Protocol):
    """Voice activity detection for one microphone; one instance per session."""

    def __call__(self, audio: Samples) -> float:
        """(512,) float32 at 16 kHz, the next 32 ms of the microphone -> probability of speech in [0, 1]."""
        ...


class TurnEnd(Protocol):
    """Endpointing: whether a user who pauses has finished the turn."""

    async def finished(self, audio: Samples) -> float | None:
        """(n,) float32 at 16 kHz, a turn up to a pause -> probability in [0, 1] that it is complete; None: unknown."""
        ...


class ASR(Protocol):
    """Automatic speech recognition."""

    async def transcribe(self, audio: Samples) -> Transcript:
        """(n,) float32 at 16 kHz, one utterance -> its transcript. Cancelling the call abandons the result.

        Raises:
            StageError: the recognition failed.
        """
        ...


class LLM(Protocol):
    """A language model."""

    def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """Stream the reply to ``messages``, as deltas of text. Closing the iterator must stop the generation.

        Raises:
            StageError: while it is iterated.
        """
        ...


class CallsTools(LLM, Protocol):
    """Optional: an LLM that can call tools."""

    def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], required: bool = False
    ) -> AsyncIterator[str | CallPart]:
        """As `LLM.reply`, and may call ``tools``, in the format of OpenAI's Realtime API. ``required``: it must call
        one of them."""
        ...


def calls_tools(llm: LLM) -> TypeGuard[CallsTools]:
    """Whether ``llm`` can call tools."""
    return abilities(llm).calls_tools


class Prepares(LLM, Protocol):
    """Optional: an LLM that can fill its prompt cache before the first question."""

    async def prepare(self, messages: Sequence[Message]) -> None:
        """Process ``messages``, with which the prompts of later replies will begin."""
        ...


def prepares(llm: LLM) -> TypeGuard[Prepares]:
    """Whether ``llm`` can fill its prompt cache in advance."""
    return abilities(llm).prepares


class TTS(Protocol):
    """Text to speech."""

    def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """One speakable sentence -> its audio in pieces, the first one as early as possible. ``emotion``: a name of
        `companion.emotions`. Closing the iterator must stop the synthesis.

        Raises:
            StageError: while it is iterated.
        """
        ...


class HasVoices(TTS, Protocol):
    """Optional: a TTS with several voices."""

    def with_voice(self, voice: str) -> TTS:
        """The same engine with another of ``abilities.voices``; shares the model, so it is cheap."""
        ...


def has_voice(tts: TTS, voice: str) -> TypeGuard[HasVoices]:
    """Whether ``voice`` is one of the voices of ``tts``."""
    return voice in abilities(tts).voices


def described(tts: TTS) -> dict[str, str]:
    """The voices of ``tts``, the one in use first, and how each sounds, in a few words ("" where it does not say)."""
    can = abilities(tts)
    sounds = can.voices if isinstance(can.voices, Mapping) else dict.fromkeys(can.voices, "")
    return {name: sounds[name] for name in sorted(sounds, key=lambda name: name != can.voice)}


def own_voice(tts: TTS, wanted: str) -> str:
    """The voice of a persona that has ``wanted`` one: that, where ``tts`` has it, else its default."""
    can = abilities(tts)
    return wanted if wanted in can.voices else can.voice


class Pronounces(TTS, Protocol):
    """Optional: a TTS that takes a pronunciation dictionary."""

    def pronouncing(self, words: Mapping[str, str]) -> TTS:
        """The same voice with a pronunciation for each of ``words``: IPA between slashes, or a respelling. Shares the
        model, so it is cheap.

        Raises:
            StageError: ``tts_pronunciation`` for a pronunciation that has no sound.
        """
        ...


def pronounces(tts: TTS) -> TypeGuard[Pronounces]:
    """Whether ``tts`` takes a pronunciation dictionary."""
    return abilities(tts).pronounces


class Paced(TTS, Protocol):
    """Optional: a TTS that can speak slower and faster."""

    def at_pace(self, speed: float) -> TTS:
        """The same voice, ``speed`` times as fast as now; shares the model, so it is cheap."""
        ...


def paced(tts: TTS) -> TypeGuard[Paced]:
    """Whether ``tts`` can speak slower and faster."""
    return abilities(tts).paced


class Switches(TTS, Protocol):
    """Optional: a TTS that must be told the language of a text."""

    def in_language(self, language: str) -> TTS:
        """The same voice for texts in one of ``abilities.languages`` (ISO 639-1); shares the model, so it is cheap."""
        ...


def switches(tts: TTS) -> TypeGuard[Switches]:
    """Whether ``tts`` must be told the language of a text."""
    return abilities(tts).switches


class Multilingual(ASR, Protocol):
    """Optional: an ASR that can be set to a language, an ISO 639-1 code."""

    def in_language(self, language: str) -> ASR:
        """The same model set to one of ``abilities.languages``; shares the model, so it is cheap."""
        ...


def knows_language(asr: ASR, language: str) -> TypeGuard[Multilingual]:
    """Whether ``asr`` can be set to ``language`` (ISO 639-1)."""
    return language in abilities(asr).languages


def language_told(asr: ASR, asked: str) -> str:
    """The language tag that a client ``asked`` for, such as "de-CH" -> the ISO 639-1 code for ``asr``, "de"; "" for "".

    Raises:
        LookupError: ``asr`` cannot be set to it; the message lists those that it can be set to.
    """
    known, language = abilities(asr).languages, asked.strip().partition("-")[0].lower()
    if language and language not in known:
        names = ", ".join(sorted(known)) or "none"
        raise LookupError(f"The recogniser of this server cannot be told this language; it knows {names}.")
    return language


class Expects(ASR, Protocol):
    """Optional: an ASR that can be biased towards expected words."""

    def expecting(self, words: str, spelt: bool) -> ASR:
        """The same model, biased towards ``words``. ``spelt``: numbers are written as words, never as digits. Shares
        the model, so it is cheap."""
        ...


def expects(asr: ASR) -> TypeGuard[Expects]:
    """Whether ``asr`` can be biased towards expected words."""
    return abilities(asr).expects


class Memory(Protocol):
    """What is remembered of users. A ``conversation`` belongs to one user. Calls start in order and may overlap. An
    exception is reported to the client once; the conversation then goes on without a memory."""

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """At most ``limit`` facts of ``user`` that are relevant to ``about``, best first; "": the most important."""
        ...

    async def remember(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        """Store the messages since the last call for ``conversation``. Called only with the user's consent."""
        ...

    async def conclude(self, conversation: str) -> None:
        """``conversation`` is over. Returns at once; what is derived from it may be computed in the background."""
        ...

    async def discard(self, conversation: str) -> None:
        """The user withdraws consent: delete what was stored of ``conversation`` and not yet processed."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """One memory of a user. ``id`` is None for words of a conversation that is not over yet. ``kind``: ``said`` (the
    user's own words), ``noted`` (written by a language model) or ``told`` (corrected by the user)."""

    id: int | None
    kind: str
    text: str
    importance: float  # in [0, 1]
    at: datetime  # UTC, naive


class Keeps(Memory, Protocol):
    """Optional: a memory that users can read and change."""

    async def memories(self, user: str) -> list[Kept]:
        """Everything that is stored of ``user``."""
        ...

    async def change(self, user: str, memory_id: int, text: str) -> bool:
        """Replace the text of one memory -> whether ``user`` has it."""
        ...

    async def delete(self, user: str, memory_id: int) -> bool:
        """Delete one memory -> whether ``user`` had it."""
        ...

    async def forget(self, user: str) -> int:
        """Delete everything of ``user`` -> how many memories and conversations that were."""
        ...


def keeps(memory: Memory) -> TypeGuard[Keeps]:
    """Whether users can read and change what ``memory`` holds."""
    return abilities(memory).keeps


class Learns(Memory, Protocol):
    """Optional: a memory for which a language model can take notes."""

    def learn_with(self, llm: LLM) -> None:
        """Have ``llm`` take the notes on conversations from now on."""
        ...


def learns(memory: Memory) -> TypeGuard[Learns]:
    """Whether a language model can take notes for ``memory``."""
    return abilities(memory).learns
