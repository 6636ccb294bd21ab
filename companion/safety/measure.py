"""Measures how well danger is detected, on the test sets of ``prompts/safety/check``, which are no training examples
(except those of `companion.safety.train.LEARNT`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from companion import resources
from companion.safety.detect import Detector

ORDINARY_KIND = "none"
SAME_KINDS = {"selfharm": "suicide"}  # kinds of the test sets -> the kind by which they are answered


class Turn(NamedTuple):
    """A labelled message: what the user ``said`` after the messages ``before`` (the companion's last), and the ``kind``
    of danger, or `ORDINARY_KIND`."""

    said: str
    kind: str
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of `measure`: counts of ``dangerous`` and ``ordinary`` turns, and shares from 0 to 1.

    Of the dangerous turns, ``recall`` is the share that is detected ("crisis" or "ask") and ``at_once`` the share
    judged "crisis"; ``right_kind`` is the share of the detected ones with the right kind. Of the ordinary turns,
    ``false_crises`` is the share judged "crisis" and ``false_questions`` that judged "ask". ``kinds`` has (detected,
    all) for each kind of danger; ``missed`` and ``alarmed`` are the texts of false negatives and false positives.
    """

    dangerous: int
    ordinary: int
    recall: float
    at_once: float
    right_kind: float
    false_crises: float
    false_questions: float
    kinds: dict[str, tuple[int, int]]
    missed: tuple[str, ...]
    alarmed: tuple[str, ...]


def sentences(name: str, folder: Path | None = None) -> list[str]:
    """The sentences of a test set: ``name`` is ``crisis`` or ``near-miss``; with the prefix ``held-out-`` it is the
    part on which nothing was tuned."""
    path = (folder or resources.folder("prompts") / "safety" / "check") / f"{name}.txt"
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def old_turns(part: str = "") -> list[Turn]:
    """The first test set, about suicide alone; ``part`` is "" or ``held-out-``."""
    dangerous = [Turn(text, "suicide") for text in sentences(f"{part}crisis")]
    return dangerous + [Turn(text, ORDINARY_KIND) for text in sentences(f"{part}near-miss")]


def turns(path: Path) -> list[Turn]:
    """Read a file of turns: ``## KIND`` begins a section, each line is a turn, preceded by the messages before it, all
    separated by ``||``; other lines with ``#`` are comments."""
    kind, found = ORDINARY_KIND, list[Turn]()
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("## "):
            kind = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            *before, said = (part.strip() for part in line.split("||"))
            found.append(Turn(said, kind, tuple(before)))
    return found


def new_turns(part: str) -> list[Turn]:
    """A test set of all kinds of danger; ``part`` is ``dev`` or ``held-out`` (the halves of the second set), ``fresh``
    (the third), ``unseen`` (the fourth) or ``fifth``."""
    return turns(resources.folder("prompts") / "safety" / "check" / f"turns-{part}.txt")


def measure(detector: Detector, told: Sequence[Turn]) -> Measured:
    """Judge all turns of ``told`` and compare with their labels. Blocks. Raises StageError for a missing model."""
    judged = [(turn, detector.judge(turn.said, turn.before)) for turn in told]
    danger = [(turn, verdict) for turn, verdict in judged if turn.kind != ORDINARY_KIND]
    calm = [(turn, verdict.level) for turn, verdict in judged if turn.kind == ORDINARY_KIND]
    caught = [(turn, verdict) for turn, verdict in danger if verdict.level in ("ask", "crisis")]
    kinds = dict.fromkeys(turn.kind for turn, _ in danger)
    right = sum(verdict.about == SAME_KINDS.get(turn.kind, turn.kind) for turn, verdict in caught)
    return Measured(
        dangerous=len(danger),
        ordinary=len(calm),
        recall=_share(len(caught), len(danger)),
        at_once=_share(sum(verdict.level == "crisis" for _, verdict in danger), len(danger)),
        right_kind=_share(right, len(caught)),
        false_crises=_share(_count(calm, "crisis"), len(calm)),
        false_questions=_share(_count(calm, "ask"), len(calm)),
        kinds={
            kind: (sum(t.kind == kind for t, _ in caught), sum(t.kind == kind for t, _ in danger)) for kind in kinds
        },
        missed=tuple(turn.said for turn, verdict in danger if verdict.level not in ("ask", "crisis")),
        alarmed=tuple(turn.said for turn, level in calm if level in ("ask", "crisis")),
    )


def _count(judged: Sequence[tuple[Turn, str]], level: str) -> int:
    return sum(found == level for _, found in judged)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
