"""From the notes of the page to figures: how far picture and sound are apart, how old a picture is when it is painted,
and how soon an interrupted face is silent and closes its mouth. Times are in ms on the page's clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from animator.units import FPS
from companion.bench.syncing.clapper import FIELDS, PAUSE_S, WORD_S
from companion.call.caller import DEAF_S

FRAME_MS = 1000 / FPS
WITHIN_SPEECH_MS = 1000 * WORD_S + 2 * FRAME_MS  # since the last clap: for longer, nobody speaks
SAME_CLAP_MS = 3500.0  # a clap of the same number is no other one within this time: half a round of them
OVERDUE_FRAMES = 2  # after so many a picture that is still shown counts as out of sync
PAUSE_MS = 1000 * PAUSE_S + FRAME_MS  # a pause between two words of the character
GAP_MS = 300.0  # a silence, or a closed mouth, for longer is no pause between words
ANSWERS_MS = 4000.0  # an interruption is over after this time


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture and when it was painted; what it says of itself: `companion.bench.syncing.clapper.FIELDS`, and its age
    in ms."""

    at: float
    frame: int
    clap: int
    since: int
    open: int
    age: float


@dataclass(slots=True)
class Notes:
    """What the page noted. ``claps``: number and when it left the loudspeaker. ``audible``: stretches of sound there.
    ``latency``: ms from the page's sound to the loudspeaker, as the browser has it."""

    frames: list[Painted] = field(default_factory=list[Painted])
    claps: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    audible: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    interrupts: list[float] = field(default_factory=list[float])
    errors: list[str] = field(default_factory=list[str])
    latency: float = 0.0
    stats: dict[str, Any] = field(default_factory=dict[str, Any])


def read(noted: Sequence[Sequence[Any]]) -> Notes:
    """The page's own notes, in their order: each its kind, then its values (`page/measure.js`, `page/tap.js`)."""
    notes = Notes()
    of: dict[str, list[Sequence[Any]]] = {}
    for kind, *values in noted:
        of.setdefault(kind, []).append(values)
    notes.frames = [Painted(*values) for values in of.get("frame", ())]
    notes.interrupts = [at for (at,) in of.get("interrupt", ())]
    notes.errors = [code for _, code in of.get("error", ())] + ["unanswered"] * (len(of.get("unanswered", ())))
    notes.stats = dict(of["stats"][-1][0]) if "stats" in of else {}
    clock = np.array(of.get("clock", ()), float).reshape(-1, 3)
    if len(clock):
        notes.latency = float(np.median(clock[:, 2]))
        notes.claps = [(number, _leaves(clock, time)) for time, number in of.get("clap", ())]
        notes.audible = _stretches([(kind, _leaves(clock, values[0])) for kind, *values in noted if kind in EDGES])
    return notes


EDGES = ("audible", "silent")


def _leaves(clock: np.ndarray[Any, Any], time: float) -> float:
    """When the sound of the audio context's ``time`` (s) leaves the loudspeaker, by the nearest look at both clocks."""
    context, page, _ = clock[np.argmin(np.abs(clock[:, 0] - time))]
    return float(page + 1000 * (time - context))


def _stretches(edges: Sequence[tuple[str, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    begun = None
    for kind, at in edges:
        if kind == "audible":
            begun = at
        elif begun is not None:
            found.append((begun, at))
            begun = None
    return found


def offsets(notes: Notes) -> list[tuple[float, float]]:
    """When, and by how many ms the picture is late for its sound, while it speaks: of every picture as it is painted,
    and of one that is shown for longer than `OVERDUE_FRAMES` every frame's time."""
    found: list[tuple[float, float]] = []
    after = [*notes.frames[1:], None]
    for frame, following in zip(notes.frames, after, strict=False):
        if frame.since > WITHIN_SPEECH_MS or not _sounds(notes, frame.at):
            continue
        if (clapped := _clap_of(frame, notes.claps)) is None:
            continue
        late = frame.at - clapped - (frame.since - FRAME_MS)
        found.append((frame.at, late))
        if following is None or following.since > WITHIN_SPEECH_MS:
            continue
        shown = following.at - frame.at
        held = np.arange(OVERDUE_FRAMES * FRAME_MS, shown, FRAME_MS)
        found += [(frame.at + wait, late + wait) for wait in held.tolist()]
    return found


def _sounds(notes: Notes, at: float) -> bool:
    """Whether something is heard, or was until `PAUSE_MS` before; afterwards no picture can be late for it."""
    return any(begun <= at <= ended + PAUSE_MS for begun, ended in notes.audible)


def _clap_of(frame: Painted, claps: Sequence[tuple[int, float]]) -> float | None:
    """When the clap that the picture names was heard."""
    due = frame.at - (frame.since - FRAME_MS)
    same = [at for number, at in claps if number == frame.clap and abs(at - due) < SAME_CLAP_MS]
    return min(same, key=lambda at: abs(at - due), default=None)


def drift(found: Sequence[tuple[float, float]]) -> float:
    """The slope of the offsets, in ms a minute; 0 for fewer than two."""
    if len(found) < 2:
        return 0.0
    at, late = np.array(found).T
    return float(np.polyfit((at - at[0]) / 60_000, late, 1)[0])


def missed(notes: Notes) -> tuple[int, int]:
    """Of how many pictures, how many were never painted; by their count, which begins again from time to time."""
    steps = np.diff([frame.frame for frame in notes.frames]) % 2 ** FIELDS["frame"]
    return int(steps.sum()), int(np.maximum(steps - 1, 0).sum())


def silences(notes: Notes) -> list[float]:
    """Of each interruption of something audible: ms until the last sound."""
    return _endings(notes.interrupts, notes.audible)


def closings(notes: Notes) -> list[float]:
    """Of each interruption of an open mouth: ms until it was painted closed for the last time."""
    opened: list[tuple[str, float]] = []
    for frame in notes.frames:
        opened.append(("audible" if frame.open else "silent", frame.at))
    return _endings(notes.interrupts, _stretches(_changes(opened)))


def _changes(edges: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    return [edge for before, edge in zip([("", 0.0), *edges], edges, strict=False) if edge[0] != before[0]]


def _endings(begun: Sequence[float], stretches: Sequence[tuple[float, float]]) -> list[float]:
    found: list[float] = []
    for at in begun:
        near = [one for one in stretches if one[1] > at - GAP_MS and one[0] < at + ANSWERS_MS]
        end = at
        for start, stop in near:
            if start - end < GAP_MS:
                end = max(end, stop)
        if end - at > 1000 * DEAF_S:  # else it was pausing by itself
            found.append(end - at)
    return found
