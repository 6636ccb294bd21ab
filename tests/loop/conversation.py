"""A scripted user and a session with scripted stages, on a clock that jumps."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from animator.control import Control
from animator.face import Shown
from companion import resources
from companion.avatar.cartoon import CartoonAnimator, CartoonFace, CartoonPortraits
from companion.call.virtual_time import run
from companion.config import Care, Config, Marks, Server, Stage, Talk, Turns
from companion.dialogue.lessons.lesson import Item, Lesson, Wording, tutoring
from companion.dialogue.personas.personas import Example, Persona, Prompts
from companion.engine import Engine
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.session.session import Session
from companion.stages import fakes

RATE = 24_000
PERSONA = Persona("anna", "Anna", "", "[happy] Good to see you.", "You are Anna.", "", (Example("Hi?", "Hello."),))
OTHER = Persona("bert", "Bert", "", "Hm.", "You are Bert.", "circle")
TEACHER = Persona("carl", "Carl", "", "Hm.", "You are Carl.", lesson="sums", tools=("progress",))
SUMS = Lesson(
    "Sums",
    ("Small sums", "Large sums"),
    (
        Item("What is one and one?", ("two", "2"), "It is two.", ("Use your fingers.",)),
        Item("What is ten and ten?", ("twenty", "20"), "It is twenty.", goal=2),
    ),
    Wording(
        offer="Shall we?",
        begin="First:",
        right=("Right.",),
        wrong="No.",
        solved="{solution}",
        over="Done.",
        note="(Question: {question})",
    ),
)
TUTORING = tutoring(resources.folder("prompts"))

# Where a test is about what follows a turn: one ends after half a second of silence, and a barge-in counts soon.
BRISK = Turns(detection="server_vad", barge_in_ms=450)


class Inline:
    """A device that takes ``seconds`` of the loop's clock for everything."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return work(*args)


class Packet:
    def __init__(self, keyframe: bool) -> None:
        self.data, self.keyframe = b"frame", keyframe


class NoEncoder:
    """Every frame is five bytes; the first and every one asked for is a keyframe."""

    codec_string = "avc1.42E01E"

    def __init__(self, **options: Any) -> None:
        self.options, self.closed, self.first = options, False, True

    def encode(self, frame: Any, force_keyframe: bool = False) -> list[Packet]:
        packet = Packet(force_keyframe or self.first)
        self.first = False
        return [packet]

    def close(self) -> None:
        self.closed = True


class Changing:
    """Any stage, which can become another one in the middle of a conversation: it is what it is ``now``."""

    def __init__(self, now: Any) -> None:
        self.now = now

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


class Watching(CartoonAnimator):
    """Notes what its faces are given to say and to hear, and what is asked of them."""

    def __init__(self, chunk_frames: int = 1) -> None:
        super().__init__(16, chunk_frames)
        self.said: list[Any] = []
        self.heard: list[Any] = []
        self.asked: list[Control] = []

    def open(self, portrait: Any) -> CartoonFace:
        face = super().open(portrait)
        step = face.step

        def watch(audio: Any, control: Control, other: Any, every: int) -> Shown:
            self.said.append(audio)
            self.heard.append(other)
            self.asked.append(control)
            return step(audio, control, every=every)

        face.step = watch  # type: ignore[method-assign]
        return face


def engine(**changes: Any) -> Engine:
    """Fakes that take no time, but for what ``changes`` names: stages, ``device``, or a ``talk`` or ``turns`` table."""
    nothing = Stage("unused")
    config = Config(
        Server(),
        changes.pop("talk", Talk(persona="anna")),
        changes.pop("turns", Turns()),
        Care(meaning=False),
        Marks(),
        *[nothing] * 8,
        path=Path(),
    )
    parts: dict[str, Any] = {
        "vad": fakes.EnergyVAD,
        "turn_end": fakes.ScriptedTurnEnd(),
        "asr": fakes.ScriptedASR(),
        "llm": fakes.ScriptedLLM(),
        "tts": fakes.ToneTTS(),
        "memory": fakes.DictMemory(),
        "animator": CartoonAnimator(16),
        "portraits": CartoonPortraits(16),
        "encoder": NoEncoder,
        "device": Inline(),
    }
    personas = {persona.id: persona for persona in (PERSONA, OTHER, TEACHER)}
    prompts = Prompts(personas, "Be short.", lessons={"sums": SUMS}, tutoring=TUTORING)
    return Engine(config=config, prompts=prompts, **parts | changes)


class Conversation:
    """Enter it to talk. ``log`` holds (second, event) of all that the server sent."""

    def __init__(self, engine: Engine, avatar: bool = False) -> None:
        self.engine = engine
        self.log: list[tuple[float, ServerEvent]] = []
        self.marks: list[float] = []
        self.session = Session(engine, self._note)
        self._avatar = avatar

    async def __aenter__(self) -> "Conversation":
        await self.session.__aenter__()
        if self._avatar:
            self.send(events.SessionUpdate({"avatar": {}}))
            await asyncio.sleep(0.2)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.session.__aexit__(*error)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def send(self, event: events.ClientEvent) -> None:
        self.session.receive(event)

    async def hear(self, seconds: float, loud: bool = True) -> None:
        """The user speaks (or is silent, microphone open) for so long, in packets of 20 ms, in real time."""
        # Overtones in every band, as a voice has.
        buzz = 0.3 * (2 * (200 * np.arange(RATE // 50) / RATE % 1) - 1) * loud
        await self.play(np.tile(buzz, round(seconds * 50)))

    async def play(self, sound: Any) -> None:
        """The microphone hears ``sound`` (n,) at 24 kHz."""
        pcm = (np.asarray(sound) * 32767).astype("<i2")
        for i in range(0, len(pcm), RATE // 50):
            self.send(events.InputAudioBufferAppend(pcm[i : i + RATE // 50].tobytes()))
            await asyncio.sleep(0.02)

    async def silence(self, seconds: float) -> None:
        await self.hear(seconds, loud=False)

    def ask(self, text: str, **response: Any) -> None:
        """The user types."""
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        self.send(events.ConversationItemCreate(item))
        self.send(events.ResponseCreate(response or None))

    async def until(self, kind: type[ServerEvent], count: int = 1, within: float = 60.0) -> Any:
        """Wait for the ``count``-th event of a kind, with the microphone closed."""
        for _ in range(int(within / 0.01)):
            if len(found := self.all(kind)) >= count:
                return found[count - 1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind.type} number {count} within {within} s; got {self.kinds()}")

    def all(self, kind: type[ServerEvent]) -> list[Any]:
        return [event for _, event in self.log if isinstance(event, kind)]

    def at(self, kind: type[ServerEvent], index: int = 0) -> float:
        """When the event was sent, in seconds of the loop's clock."""
        return [time for time, event in self.log if isinstance(event, kind)][index]

    def kinds(self) -> list[str]:
        """The types of all events but media, in order."""
        media = (events.AudioDelta, events.VideoDelta, events.AudioTimestampDelta)
        return [event.type for _, event in self.log if not isinstance(event, media)]

    def sound(self) -> Any:
        """All reply sound that was sent, joined, in [-1, 1]."""
        pcm = b"".join(event.delta for event in self.all(events.AudioDelta))
        return np.frombuffer(pcm, "<i2") / 32767

    def history(self) -> list[tuple[str, str]]:
        """What the language model was last asked, without the system prompt and the examples."""
        asked = self.engine.llm.asked[-1]  # type: ignore[attr-defined]
        return [(m.role, m.content) for m in asked if m.role != "system"][2:]

    def _note(self, event: ServerEvent) -> None:
        self.log.append((asyncio.get_running_loop().time(), event))


def asked(made: Engine, turns: int) -> Conversation:
    """A user says ``turns`` things, one after each answer; ``marks`` are when each was said."""

    async def script() -> Conversation:
        async with Conversation(made) as talk:
            for number in range(1, turns + 1):
                await talk.hear(0.6)
                talk.marks.append(talk.now())
                await talk.silence(0.8)
                await talk.until(events.ResponseDone, number)
            return talk

    return run(script())


def said(talk: Conversation) -> list[str]:
    """The replies, as they were heard."""
    return [done.response["output"][0]["content"][0]["transcript"] for done in talk.all(events.ResponseDone)]
