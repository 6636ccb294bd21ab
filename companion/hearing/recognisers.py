"""The stages of hearing, which all sessions share."""

from collections.abc import Callable
from dataclasses import dataclass

from companion.config import Turns
from companion.stages.protocols import ASR, VAD, TurnEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognisers:
    """``vad`` is called once for each microphone; ``turns`` are the operator's rules."""

    turns: Turns
    vad: Callable[[], VAD]
    turn_end: TurnEnd
    asr: ASR
