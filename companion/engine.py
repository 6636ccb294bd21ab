"""What all sessions share: the stages, the faces, the prompts and the render threads."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from animator.devices import DeviceError
from animator.marks.installation import SigningError, operators
from animator.motion.behaviour.choice import BehaviourError
from companion.avatar.device import Animator, Device, Encoder, Threads
from companion.avatar.faces.looks import Looks
from companion.avatar.portraits import Portraits
from companion.config import Care, Config, ConfigError, Resume, Stage, load_class
from companion.dialogue.personas import personas
from companion.dialogue.personas.feelings import Feelings
from companion.dialogue.personas.personas import Prompts
from companion.dialogue.rehearsal import Rehearsal
from companion.dialogue.replying.shared import Shared
from companion.errors import StageError
from companion.filming.films import Films
from companion.hearing.recognisers import Recognisers
from companion.memory import talk_times
from companion.memory.resumables import Resumables
from companion.metrics import Metrics
from companion.models.embeddings import Embedder
from companion.safety import Safety
from companion.speech.repertoire import Repertoire
from companion.stages.protocols import ASR, LLM, TTS, VAD, Memory, TurnEnd, abilities, closes, learns, missing
from companion.stages.tts.marked_voice import MarkedVoice
from companion.stages.worker import model_threads, share_memory

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """What `build` loads for one server.

    ``vad`` makes a detector and is called once per session; everything else is shared. ``encoder`` makes a video
    encoder and takes ``width``, ``height``, ``fps``, ``codec`` and ``bitrate`` as keyword arguments. ``feelings``,
    ``resumables`` and ``films`` are None where the configuration switches them off. ``tracks``: sessions send sound and
    pictures as WebRTC's media tracks, in the formats of these.
    """

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
    resumables: Resumables | None = None
    films: Films | None = None
    tracks: bool = False

    @property
    def default_character(self) -> str:
        """The name of the portrait shown where a client asks for none."""
        return self.config.session.character or self.portraits.characters()[0].name

    @property
    def looks(self) -> Looks:
        """The part that opens a face for a session."""
        return Looks(
            animator=self.animator,
            portraits=self.portraits,
            encoder=self.encoder,
            device=self.device,
            default=self.default_character,
        )

    @property
    def recognisers(self) -> Recognisers:
        """The part that sessions listen with: VAD, turn end and ASR."""
        return Recognisers(turns=self.config.turns, vad=self.vad, turn_end=self.turn_end, asr=self.asr)

    @property
    def dialogue(self) -> Shared:
        """What the dialogues of all sessions share."""
        return Shared(
            talk=self.config.session,
            prompts=self.prompts,
            llm=self.llm,
            memory=self.memory,
            safety=self.safety,
            feelings=self.feelings,
            spoken=tuple(abilities(self.tts).languages),
            paced=abilities(self.tts).paced,
            tools=self.config.tools,
        )

    @property
    def rehearsal(self) -> Rehearsal:
        """The part that prepares the language model and the voice before the first turn."""
        return Rehearsal(talk=self.config.session, prompts=self.prompts, llm=self.llm, repertoire=self.repertoire)

    async def close(self) -> None:
        """Close the stages that hold connections or processes. Call it once no session runs any more."""
        for stage in (self.turn_end, self.asr, self.llm, self.tts, self.memory):
            if closes(stage):
                await stage.aclose()


def build(config: Config) -> Engine:
    """Load everything that ``config`` names, the stages in parallel. Blocks until all are loaded.

    Raises ConfigError, PromptError, and whatever the stages' constructors raise.
    """
    from animator.marks.stream import TellingEncoder
    from animator.media.encoder import choose_h264

    share_memory()
    prompts = _prompts(config)
    stages = _stages(config)
    safety: Safety = stages["safety"]
    speech = [prompts.speech, safety.rules, *([prompts.tagging] if config.session.feeling_tags else [])]
    memory: Any = stages["memory"]
    if learns(memory):
        memory.learn_with(stages["llm"])
    vad = load_class(config.vad, "[vad]")
    vad(**config.vad.options)  # loads the model that the sessions share, so that errors appear at the start
    return Engine(
        config=config,
        prompts=replace(prompts, speech="\n".join(speech)),
        vad=lambda: vad(**config.vad.options),
        turn_end=stages["turn_end"],
        asr=stages["asr"],
        llm=stages["llm"],
        tts=MarkedVoice(stages["tts"]) if config.marks.voice else stages["tts"],
        memory=stages["memory"],
        animator=stages["face"],
        portraits=stages["portraits"],
        encoder=partial(TellingEncoder, h264=choose_h264(config.server.video_encoders)),
        device=Threads(config.server.face_threads),
        safety=safety,
        feelings=stages["feelings"],
        resumables=_resumables(config.resume),
        films=_films(config),
    )


def _prompts(config: Config) -> Prompts:
    prompts = personas.load()
    if config.session.persona not in prompts.personas:
        known = ", ".join(prompts.personas)
        raise ConfigError(f"{config.path}: session.persona {config.session.persona!r} is none of {known}")
    return prompts


def _stages(config: Config) -> dict[str, Any]:
    """Load the stages, and the models of safety and feelings, in parallel -> all by name."""
    names = ("turn_end", "asr", "llm", "tts", "memory", "face", "portraits")
    with model_threads("load", len(names) + 2) as pool:
        loading = {name: pool.submit(_construct, getattr(config, name), name, config) for name in names}
        loading["safety"] = pool.submit(_safety, config)
        loading["feelings"] = pool.submit(_feelings, config)
        return {name: future.result() for name, future in loading.items()}


def _safety(config: Config) -> Safety:
    """Without a database for them, the times that minors talk are counted by this process alone."""
    try:
        return Safety(config.safety, ledger=talk_times.opened(config.safety, config.resume))
    except StageError as error:
        if error.code != "memory_failed":
            raise
        log.error("how long minors talk is counted until this process ends, and no longer: %s", error)
        return Safety(config.safety)


def _resumables(resume: Resume) -> Resumables | None:
    return Resumables(resume.seconds, resume.url, resume.key_file) if resume.seconds > 0 else None


def _films(config: Config) -> Films | None:
    if not config.recording.folder:
        return None
    marks, folder = config.marks, Path(config.recording.folder)
    try:
        signer = operators(Path(marks.certificate), Path(marks.key)) if marks.certificate else None
        films = Films(folder, Threads(1), signer)
        films.mend()
        return films
    except (OSError, SigningError) as error:
        raise ConfigError(f"{config.path}: recordings cannot be kept in {folder}: {error}") from error


def _feelings(config: Config) -> Feelings | None:
    if not config.session.feelings:
        return None
    feelings = Feelings(Embedder())
    feelings.warm()
    return feelings


def _construct(stage: Stage, name: str, config: Config) -> Any:
    where = f"{config.path}: [{name}]"
    try:
        made = load_class(stage, where)(**stage.options)
    except (DeviceError, BehaviourError) as error:
        raise ConfigError(f"{where} {error}") from error
    if lacking := missing(made):
        raise ConfigError(f"{where} {stage.use} has abilities without the methods for them: {', '.join(lacking)}")
    return made
