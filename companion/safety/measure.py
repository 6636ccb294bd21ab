"""How well crises are recognised: measured on ``prompts/safety/check``, whose sentences are none of the examples."""

from dataclasses import dataclass
from pathlib import Path

from companion import resources
from companion.safety.detect import Detector


@dataclass(frozen=True, slots=True)
class Measured:
    """``recall``: the share of crises that end in a hand-off; ``noticed``: that are a crisis or a concern at least;
    ``false_alarms``: the share of near misses that end in a hand-off."""

    crises: int
    near_misses: int
    recall: float
    noticed: float
    false_alarms: float
    missed: tuple[str, ...]
    alarmed: tuple[str, ...]


def sentences(name: str, folder: Path | None = None) -> list[str]:
    """Those of ``crisis`` or of ``near-miss``; with ``held-out-`` before it those by which nothing was tuned."""
    path = (folder or resources.folder("prompts") / "safety" / "check") / f"{name}.txt"
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def measure(detector: Detector, crises: list[str], near_misses: list[str]) -> Measured:
    said = {text: detector.judge(text).level for text in (*crises, *near_misses)}
    missed = tuple(text for text in crises if said[text] != "crisis")
    alarmed = tuple(text for text in near_misses if said[text] == "crisis")
    return Measured(
        crises=len(crises),
        near_misses=len(near_misses),
        recall=1 - len(missed) / len(crises),
        noticed=sum(said[text] != "none" for text in crises) / len(crises),
        false_alarms=len(alarmed) / len(near_misses),
        missed=missed,
        alarmed=alarmed,
    )
