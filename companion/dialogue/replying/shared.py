"""What the minds of all sessions share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from companion.config import Stage, Talk
from companion.dialogue.personas.feelings import Feelings
from companion.dialogue.personas.personas import Prompts
from companion.safety import Safety
from companion.stages.protocols import LLM, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """``spoken`` are the languages (ISO 639-1) of the voice; none if it does not say; ``paced``:
    whether it can speak slower and faster. ``tools`` are the server's, by
    the names that personas give them. Without ``feelings`` nobody's are told."""

    talk: Talk
    prompts: Prompts
    llm: LLM
    memory: Memory
    safety: Safety
    feelings: Feelings | None = None
    spoken: Sequence[str] = ()
    paced: bool = False
    tools: Mapping[str, Stage] = field(default_factory=dict[str, Stage])
