"""The stages of a conversation, as Protocols. A user's own class needs no base class and no registration.

Implementations are named in the config by an import string (``"companion.stages.asr:FasterWhisper"``) and constructed
once with the other keys of their table as keyword arguments; the constructor loads the model and warms it, and may
block (the server builds stages in a thread before it says that it is ready). ``VAD`` alone is constructed per session,
since it carries the state of one microphone. Everything else is shared by all sessions.

What a stage can do beyond the methods that all of its kind have, it says in `Abilities`; which embedded models it
needs, in a class variable ``needs`` (`companion.models.needs`). One that says neither is a plain one.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (n,) mono, in [-1, 1]

HEAR_RATE = 16_000  # Hz, what VAD and ASR take
VAD_WINDOW = 512  # samples at HEAR_RATE, what a VAD takes at a time: 32 ms
SPEAK_RATE = 24_000  # Hz, what TTS gives and the face takes


def from_pcm16(pcm: bytes) -> Samples:
    """PCM16, little endian -> [-1, 1]. Raises ValueError for half a sample."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it is said, in seconds from the start of its sound."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One phoneme (IPA) and when it is said, in seconds from the start of its sound."""

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one utterance said. ``text`` is empty when nothing was understood (noise, silence). ``confidence``: in
    [0, 1], how likely its words are, on average."""

    text: str
    language: str = "en"
    words: tuple[Word, ...] = ()
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that a language model asks for. ``arguments`` is JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallPart:
    """A piece of a call while it is written: those of one ``index`` belong together; the first has id and name."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation as a language model sees it. An assistant's may have ``calls``; a tool's result
    has the ``call_id`` that it answers."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[Call, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of synthesized speech at `SPEAK_RATE`, with the times of words and phonemes where the engine knows them.

    The pieces of one ``speak`` call joined are the sound of the whole text; times count from the start of the piece.
    """

    audio: Samples
    words: tuple[Word, ...] = field(default=())
    phonemes: tuple[Phoneme, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a stage has besides, in its attribute ``abilities``."""

    calls_tools: bool = False  # an LLM: `CallsTools`
    prepares: bool = False  # an LLM: `Prepares`
    continues: bool = False  # an LLM goes on from a last message that is the assistant's
    languages: Collection[str] = ()  # ISO 639-1: the only ones a TTS speaks (none: unknown); what an ASR may be told
    voice: str = "default"  # of a TTS
    voices: Collection[str] = ()  # what a TTS may be told: `HasVoices`
    pronounces: bool = False  # a TTS: `Pronounces`
    model: str = "default"  # of an ASR, as clients are told
    expects: bool = False  # an ASR: `Expects`
    keeps: bool = False  # a Memory: `Keeps`
    learns: bool = False  # a Memory: `Learns`
    closes: bool = False  # any stage: `Closes`


NO_ABILITIES = Abilities()
METHODS = {  # what whoever has these abilities is asked
    "calls_tools": "converse",
    "prepares": "prepare",
    "voices": "with_voice",
    "expects": "expecting",
    "pronounces": "pronouncing",
    "keeps": "memories",
    "learns": "learn_with",
    "closes": "aclose",
}


def abilities(stage: object) -> Abilities:
    """What ``stage`` says that it can do."""
    return getattr(stage, "abilities", NO_ABILITIES)


def missing(stage: object) -> list[str]:
    """The methods that ``stage`` does not have, although its abilities need them."""
    can = abilities(stage)
    return [method for name, method in METHODS.items() if getattr(can, name) and not hasattr(stage, method)]


class Closes(Protocol):
    """What a stage has besides if it holds what should be given back, such as connections."""

    async def aclose(self) -> None:
        """Called once, when no session uses the stage any more, in the event loop of the sessions."""
        ...


def closes(stage: object) -> TypeGuard[Closes]:
    return abilities(stage).closes


class VAD(Protocol):
    def __call__(self, audio: Samples) -> float:
        """(512,) at 16 kHz, the next 32 ms of one microphone -> probability of speech in [0, 1]."""
        ...


class TurnEnd(Protocol):
    async def finished(self, audio: Samples) -> float | None:
        """(n,) at 16 kHz, a turn up to a pause -> probability that its speaker is done; None where nobody knows."""
        ...


class ASR(Protocol):
    async def transcribe(self, audio: Samples) -> Transcript:
        """(n,) at 16 kHz, one utterance -> what it says. Cancelling the call abandons the result."""
        ...


class LLM(Protocol):
    def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """Deltas of the reply to ``messages``. Closing the iterator stops the generation itself."""
        ...


class CallsTools(LLM, Protocol):
    """What an LLM has besides if it can call functions."""

    def converse(
        self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], required: bool = False
    ) -> AsyncIterator[str | CallPart]:
        """As `LLM.reply`, with functions described as OpenAI's Realtime API has them; ``required``: one of them is to
        be called, whatever was said."""
        ...


def calls_tools(llm: LLM) -> TypeGuard[CallsTools]:
    return abilities(llm).calls_tools


class Prepares(LLM, Protocol):
    """What an LLM may have besides: it then reads what its replies will begin with before the first question."""

    async def prepare(self, messages: Sequence[Message]) -> None: ...


def prepares(llm: LLM) -> TypeGuard[Prepares]:
    return abilities(llm).prepares


class TTS(Protocol):
    def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        """One speakable sentence -> its sound in pieces, the first one as early as possible."""
        ...


class HasVoices(TTS, Protocol):
    """What a TTS has besides if it has several voices."""

    def with_voice(self, voice: str) -> TTS:
        """The same engine speaking with one of its voices; costs next to nothing."""
        ...


def has_voice(tts: TTS, voice: str) -> TypeGuard[HasVoices]:
    return voice in abilities(tts).voices


class Pronounces(TTS, Protocol):
    """What a TTS has besides if it can be told how words are said."""

    def pronouncing(self, words: Mapping[str, str]) -> TTS:
        """The same voice that says these ``words`` so: IPA between slashes, or another spelling; costs next to
        nothing. Raises StageError ``tts_pronunciation``."""
        ...


def pronounces(tts: TTS) -> TypeGuard[Pronounces]:
    return abilities(tts).pronounces


class Multilingual(ASR, Protocol):
    """What an ASR has besides if it can be told the language of what it hears; codes such as "en"."""

    def in_language(self, language: str) -> ASR:
        """The same model hearing one of its languages; costs next to nothing."""
        ...


def knows_language(asr: ASR, language: str) -> TypeGuard[Multilingual]:
    return language in abilities(asr).languages


def language_told(asr: ASR, asked: str) -> str:
    """The language that a client wants to be heard in, "de-CH", as ``asr`` is told it, "de"; "" where none is asked
    for. Raises LookupError, which says what it knows."""
    known, language = abilities(asr).languages, asked.strip().partition("-")[0].lower()
    if language and language not in known:
        names = ", ".join(sorted(known)) or "none"
        raise LookupError(f"The recogniser of this server cannot be told this language; it knows {names}.")
    return language


class Expects(ASR, Protocol):
    """What an ASR has besides if it can be told what it is likely to hear."""

    def expecting(self, words: str, spelt: bool) -> ASR:
        """The same model, which hears sooner what is written as in ``words``; ``spelt``: numbers in words, never in
        digits. Costs next to nothing."""
        ...


def expects(asr: ASR) -> TypeGuard[Expects]:
    return abilities(asr).expects


class Memory(Protocol):
    """What is stored under one ``conversation`` is of one user. Calls begin in order, and may overlap. What they raise
    is told to the client once; the conversation goes on without a memory."""

    async def recall(self, user: str, about: str, limit: int = 5) -> list[str]:
        """What is known of ``user`` that bears on ``about`` (empty: what matters most), best first."""
        ...

    async def remember(self, user: str, conversation: str, messages: Sequence[Message]) -> None:
        """Store what was said since the last call for ``conversation`` (only called with the user's consent)."""
        ...

    async def conclude(self, conversation: str) -> None:
        """Nothing more will be said in ``conversation``. Returns at once; what follows from it may take its time."""
        ...

    async def discard(self, conversation: str) -> None:
        """The user withdraws the consent: nothing of ``conversation`` that is still unread may be kept."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is stored of a user. ``id`` is None for the words of a conversation that is not over; ``kind``
    is ``said`` (the user's words), ``noted`` (a language model's) or ``told`` (corrected by the user)."""

    id: int | None
    kind: str
    text: str
    importance: float  # 0 to 1
    at: datetime  # UTC, without a zone


class Keeps(Memory, Protocol):
    """What a Memory has besides if users can see and change what it knows of them."""

    async def memories(self, user: str) -> list[Kept]: ...
    async def change(self, user: str, memory_id: int, text: str) -> bool: ...
    async def delete(self, user: str, memory_id: int) -> bool: ...
    async def forget(self, user: str) -> int: ...


def keeps(memory: Memory) -> TypeGuard[Keeps]:
    return abilities(memory).keeps


class Learns(Memory, Protocol):
    """What a Memory has besides if a language model may take notes for it."""

    def learn_with(self, llm: LLM) -> None: ...


def learns(memory: Memory) -> TypeGuard[Learns]:
    return abilities(memory).learns
