"""What all sessions share: the stages, the faces, the prompts and the threads that draw."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from animator.devices import DeviceError
from animator.face import Face
from animator.motion.behaviour.choice import BehaviourError
from companion.avatar.portraits import Portraits
from companion.config import Care, Config, ConfigError, Stage, load_class
from companion.conversation.items import Setting, messages
from companion.dialogue import personas
from companion.dialogue.feelings import Feelings
from companion.dialogue.personas import Persona, Prompts
from companion.metrics import Metrics
from companion.models.embeddings import Embedder
from companion.safety import Safety
from companion.speech.repertoire import Repertoire, languages
from companion.stages.protocols import ASR, LLM, TTS, VAD, Learns, Memory, Prepares, TurnEnd
from companion.stages.worker import share_memory

T = TypeVar("T")

DEFAULT_LANGUAGE = "en"  # in which a voice rehearses that does not say what it speaks


class EncodedFrame(Protocol):
    @property
    def data(self) -> bytes: ...
    @property
    def keyframe(self) -> bool: ...


class Encoder(Protocol):
    """`animator.media.encoder.VideoEncoder` and its like."""

    @property
    def codec_string(self) -> str: ...
    def encode(self, frame: NDArray[np.uint8], force_keyframe: bool = False) -> Any: ...
    def close(self) -> None: ...


class Animator(Protocol):
    """Opens the face of one session from a portrait. ``size``: side of its frames in pixels."""

    @property
    def size(self) -> int: ...
    def open(self, portrait: Any) -> Face: ...


class Device(Protocol):
    """Runs blocking work without blocking the event loop."""

    async def run(self, work: Callable[..., T], *args: Any) -> T: ...


class Threads:
    """A `Device` of ``count`` threads; 0 is one per core."""

    def __init__(self, count: int = 0) -> None:
        self._pool = ThreadPoolExecutor(count or os.cpu_count() or 1, "face")

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """The result of ``work(*args)``. A cancelled caller leaves only when the work is over: it may use what the
        caller is about to free."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Engine:
    """``vad`` is called once per session; everything else is shared. ``encoder`` takes (width, height, fps, codec,
    bitrate) as keyword arguments."""

    config: Config
    prompts: Prompts
    vad: Callable[[], VAD]
    turn_end: TurnEnd
    asr: ASR
    llm: LLM
    tts: TTS
    memory: Memory
    animator: Animator
    portraits: Portraits
    encoder: Callable[..., Encoder]
    device: Device
    metrics: Metrics = field(default_factory=Metrics)
    safety: Safety = field(default_factory=lambda: Safety(Care(meaning=False)))
    feelings: Feelings | None = None
    repertoire: Repertoire = field(default_factory=Repertoire)

    @property
    def default_character(self) -> str:
        return self.config.session.character or self.portraits.characters()[0].name

    async def rehearse(self, tts: TTS, persona: Persona) -> None:
        """Let ``tts`` say what ``persona`` may begin with, so that it sounds at once later."""
        if self.config.session.openers and persona.openers is not False:
            spoken = languages(tts) or (DEFAULT_LANGUAGE,)
            sentences = self.prompts.openers.sentences(spoken, persona.openers, persona.emotions)
            await self.repertoire.learn(tts, sentences)

    async def read_persona(self, name: str) -> None:
        """Let a language model that can read the persona and the voice rehearse it, so that no session waits for it."""
        persona = self.prompts.personas[name]
        await self.rehearse(self.tts, persona)
        if isinstance(self.llm, Prepares):
            speech = "\n".join((self.prompts.speech, *persona.rules))
            setting = Setting(persona, speech, persona.instructions, tags=self.config.session.feeling_tags)
            await self.llm.prepare(messages(setting, ()))


def build(config: Config) -> Engine:
    """Load everything that ``config`` names, stages side by side. Blocks; raises what the stages' constructors raise,
    ConfigError and PromptError."""
    from animator.media.encoder import VideoEncoder, choose_h264

    share_memory()
    prompts = personas.load()
    if config.session.persona not in prompts.personas:
        known = ", ".join(prompts.personas)
        raise ConfigError(f"{config.path}: session.persona {config.session.persona!r} is none of {known}")
    names = ("turn_end", "asr", "llm", "tts", "memory", "face", "portraits")
    with ThreadPoolExecutor(len(names) + 2, "load") as pool:
        loading = {name: pool.submit(_construct, getattr(config, name), name, config) for name in names}
        loading["safety"] = pool.submit(Safety, config.safety)
        loading["feelings"] = pool.submit(_feelings, config)
        stages: dict[str, Any] = {name: future.result() for name, future in loading.items()}
    safety: Safety = stages["safety"]
    speech = [prompts.speech, safety.rules, *([prompts.tagging] if config.session.feeling_tags else [])]
    memory: Any = stages["memory"]
    if isinstance(memory, Learns):
        memory.learn_with(stages["llm"])
    vad = load_class(config.vad, "[vad]")
    vad(**config.vad.options)  # loads what the sessions will share, and fails now if it must
    return Engine(
        config=config,
        prompts=replace(prompts, speech="\n".join(speech)),
        vad=lambda: vad(**config.vad.options),
        turn_end=stages["turn_end"],
        asr=stages["asr"],
        llm=stages["llm"],
        tts=stages["tts"],
        memory=stages["memory"],
        animator=stages["face"],
        portraits=stages["portraits"],
        encoder=partial(VideoEncoder, h264=choose_h264(config.server.video_encoders)),
        device=Threads(config.server.face_threads),
        safety=safety,
        feelings=stages["feelings"],
    )


def _feelings(config: Config) -> Feelings | None:
    if not config.session.feelings:
        return None
    feelings = Feelings(Embedder())
    feelings.warm()
    return feelings


def _construct(stage: Stage, name: str, config: Config) -> Any:
    try:
        return load_class(stage, f"{config.path}: [{name}]")(**stage.options)
    except (DeviceError, BehaviourError) as error:
        raise ConfigError(f"{config.path}: [{name}] {error}") from error
