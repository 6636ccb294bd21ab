"""How turns are detected: what a client asks for, as rules of the detector."""

from companion.config import Turns
from companion.hearing.audio.turns import Patience, Rules
from companion.protocol.settings import TurnDetection

MEDIUM_PATIENCE = Patience(0.3, 4.0)  # the longest waits are those of OpenAI


EAGERNESS = {"low": Patience(0.6, 8.0), "medium": MEDIUM_PATIENCE, "high": Patience(0.25, 2.0), "auto": MEDIUM_PATIENCE}


FALLBACK_SILENCES = {
    "low": 0.9,
    "medium": 0.6,
    "high": 0.4,
    "auto": 0.6,
}  # s of silence that end a turn nobody can judge


def rules(detection: TurnDetection | None, turns: Turns) -> Rules | None:
    """How turns are detected: the client's wishes, the rest from the config."""
    if detection is None:
        return None
    semantic = detection.type == "semantic_vad"
    silence = FALLBACK_SILENCES[detection.eagerness] if semantic else detection.silence_duration_ms / 1000
    return Rules(
        threshold=detection.threshold,
        prefix_padding=detection.prefix_padding_ms / 1000,
        silence=silence,
        pause=min(turns.pause_ms / 1000, silence),
        min_speech=turns.min_speech_ms / 1000,
        max_turn=turns.max_turn_s,
        patience=EAGERNESS[detection.eagerness] if semantic else None,
    )
