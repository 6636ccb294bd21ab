"""Does a face move like a person? Its figures beside those of people who talk (`people.toml`): spreads, shares, rates
and correlations.

Scores are the blendshape scores that the landmark networks see in the encoded video. Compare them with other tracked
videos, not with the weights of a motion row.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.evaluate.tracking.lip_figures import Figures
from animator.evaluate.tracking.runs import runs_of
from animator.evaluate.tracking.shown_teeth import teeth_area
from animator.motion.rows.space import INDEX
from animator.portrait.finding.landmarks import FaceLandmarks

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

VISIBLE_TEETH = 0.002  # squared eye distances; teeth of a larger area are visible
LEAST_FRAMES = 8  # frames
LONGEST_LAG_SECONDS = 2.0  # the largest lag of an autocorrelation
LEAST_MOTION = 0.01  # sd of a score; below it is the tracker's noise, whose correlation means nothing
LEAST_CHANGE = 0.002  # the same for a length or an area
_SCORE_SHAPES: dict[str, tuple[tuple[str, ...], ...]] = {  # means of means
    "jaw": (("jawOpen",),),
    "upper_lip": (("mouthUpperUpLeft", "mouthUpperUpRight"),),
    "lower_lip": (("mouthLowerDownLeft", "mouthLowerDownRight"),),
    "rounding": (("mouthPucker",), ("mouthFunnel",)),
    "smile": (("mouthSmileLeft", "mouthSmileRight"),),
    "brow_up": (("browInnerUp",), ("browOuterUpLeft", "browOuterUpRight")),
    "brow_down": (("browDownLeft", "browDownRight"),),
    "squint": (("eyeSquintLeft", "eyeSquintRight"),),
    "blink": (("eyeBlinkLeft", "eyeBlinkRight"),),
    "sideways": (("eyeLookInLeft", "eyeLookInRight"), ("eyeLookOutLeft", "eyeLookOutRight")),
}
_SIGNALS = (*_SCORE_SHAPES, "opening", "width", "upper_thickness", "lower_thickness", "teeth")
# Scores whose share of frames counts
_SHARE_LIMITS = {"upper_lip": 0.2, "lower_lip": 0.1, "smile": 0.3, "sideways": 0.25}
_EPISODE_LIMITS = {"smile": 0.3, "brow_up": 0.4}  # scores that come in episodes
EYE_FIGURES = ("squint", "sideways", "blink")  # how the names of figures begin that need visible eyes
_SPEED_SIGNALS = ("upper_lip", "smile", "brow_up")
_CORRELATED_PAIRS = (
    ("jaw", "upper_lip"), ("jaw", "lower_lip"), ("jaw", "rounding"), ("upper_lip", "lower_lip"), ("smile", "upper_lip"),
    ("opening", "width"), ("opening", "teeth"), ("blink", "brow_up"),
)  # fmt: skip
_EYE_CORNERS = (33, 263)  # outer corners
LENGTH_POINTS = ((13, 14), (61, 291), (0, 13), (14, 17))  # opening, width, upper and lower lip


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of people: ``people`` and ``vasa`` are means over clips of real people and of VASA-1, ``spread`` the
    standard deviation between clips of people."""

    name: str
    label: str
    people: float
    vasa: float
    spread: float

    def distance(self, value: float) -> float:
        """How far ``value`` is from people, in their own spread."""
        return abs(value - self.people) / self.spread


@cache
def people() -> dict[str, Row]:
    """All rows by the names of their figures, in the order of the table."""
    table = tomllib.loads(Path(__file__).with_name("people.toml").read_text("utf-8"))
    return {name: Row(name, **row) for name, row in table["rows"].items()}


def distances(figures: Mapping[str, object]) -> dict[str, float]:
    """How far each of ``figures`` that `people` has is from people's, in units of their spread; others are ignored."""
    return {
        name: row.distance(float(value))
        for name, row in people().items()
        if isinstance(value := figures.get(name), float | int)
    }


def distance(figures: Mapping[str, object]) -> float | None:
    """The median of `distances`; None when there are none."""
    found = distances(figures)
    return float(np.median(list(found.values()))) if found else None


class Lifelike:
    """Watches a video frame by frame (an `animator.evaluate.tracking.track.Watch`); `figures` sums it up."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = []

    def __call__(self, number: int, image: Image, face: FaceLandmarks | None) -> None:
        """Takes frame ``number``; frames that were skipped since the last one repeat that one."""
        before = self._rows[-1] if self._rows else [np.nan] * len(_SIGNALS)
        self._rows += [before] * (number - len(self._rows))
        self._rows.append(signals(image, face) if face else [np.nan] * len(_SIGNALS))

    def figures(self, fps: float, margin: float = 0.0) -> Figures:
        """See `lifelike`, for all frames so far of a video of ``fps`` frames a second, without ``margin`` seconds at
        both ends."""
        cut = round(margin * fps)
        rows = np.array(self._rows[cut : len(self._rows) - cut], np.float32).reshape(-1, len(_SIGNALS))
        return lifelike(dict(zip(_SIGNALS, rows.T, strict=True)), fps)


def signals(image: Image, face: FaceLandmarks) -> list[float]:
    """The values of one frame, in the order in which `Lifelike` keeps them: scores, lengths in eye distances (between
    the outer corners of both eyes), the area of the teeth in squared eye distances."""
    scores = face.blendshapes
    seen = [_mean(scores, groups) for groups in _SCORE_SHAPES.values()]
    scale = between(face.points, *_EYE_CORNERS)
    lengths = [between(face.points, *pair) / scale for pair in LENGTH_POINTS]
    return [*seen, *lengths, teeth_area(image, face.points)]


def lifelike(signals: Mapping[str, Floats], fps: float) -> Figures:
    """The figures of `people` for (n,) ``signals`` by name, ``fps`` a second; frames without a face are NaN.

    None of fewer than `LEAST_FRAMES` frames; correlations and times of what hardly moves are None.
    """
    seen = ~np.isnan(signals["opening"])
    if seen.sum() < LEAST_FRAMES:
        return {}
    known = {name: values[seen] for name, values in signals.items()}
    figures: Figures = {}
    for name in ("jaw", "upper_lip", "lower_lip", "rounding", "smile", "brow_up", "brow_down"):
        figures |= {f"{name}_sd": float(known[name].std()), f"{name}_p95": float(np.percentile(known[name], 95))}
    for name in ("squint", "sideways", "upper_thickness", "lower_thickness", "width"):
        figures[f"{name}_sd"] = float(known[name].std())
    figures |= {f"{name}_share": float((known[name] > limit).mean()) for name, limit in _SHARE_LIMITS.items()}
    for name, limit in _EPISODE_LIMITS.items():
        figures |= episodes(known[name], name, limit, fps)
    figures |= _mouth(known)
    figures |= {f"{name}_speed": float(np.abs(np.diff(known[name])).mean() * fps) for name in _SPEED_SIGNALS}
    return figures | {f"{a}_with_{b}": _together(known, a, b) for a, b in _CORRELATED_PAIRS}


def episodes(values: Floats, name: str, limit: float, fps: float) -> Figures:
    """How many times a minute (n,) ``values`` exceed ``limit``, the median time that they stay above it, and the lag at
    which their autocorrelation has fallen to 1/e, both in seconds."""
    runs = runs_of(values > limit, 1)
    return {
        f"{name}_rate": 60 * len(runs) * fps / len(values),
        f"{name}_length": float(np.median([end - start for start, end in runs])) / fps if runs else None,
        f"{name}_time": memory(values, fps),
    }


def memory(values: Floats, fps: float) -> float | None:
    """The lag in seconds at which the autocorrelation of (n,) ``values`` has fallen to 1/e; None when they hardly move,
    or when it has not fallen so far by `LONGEST_LAG_SECONDS`."""
    centred = values.astype(np.float64) - values.mean()
    if centred.std() < LEAST_MOTION:
        return None
    power = float((centred**2).mean())
    before = 1.0
    for lag in range(1, min(len(values) - 1, int(LONGEST_LAG_SECONDS * fps)) + 1):
        at = float((centred[lag:] * centred[:-lag]).mean()) / power
        if at < 1 / np.e:
            return (lag - 1 + (before - 1 / np.e) / (before - at)) / fps
        before = at
    return None


def _mouth(known: Mapping[str, Floats]) -> Figures:
    low, middle, high = np.percentile(known["width"], (5, 50, 95))
    area = known["teeth"]
    return {
        "opening_mean": float(known["opening"].mean()),
        "opening_p50": float(np.median(known["opening"])),
        "opening_p95": float(np.percentile(known["opening"], 95)),
        "width_range": float((high - low) / middle),
        "teeth_share": float((area > VISIBLE_TEETH).mean()),
        "teeth_p50": float(np.median(area)),
        "teeth_p95": float(np.percentile(area, 95)),
    }


def _together(known: Mapping[str, Floats], *names: str) -> float | None:
    """The correlation of two signals; None when one of them hardly moves."""
    for name in names:
        if known[name].std() < (LEAST_MOTION if name in _SCORE_SHAPES else LEAST_CHANGE):
            return None
    one, other = (known[name] for name in names)
    return float(np.corrcoef(one, other)[0, 1])


def _mean(scores: Floats, groups: tuple[tuple[str, ...], ...]) -> float:
    return float(np.mean([np.mean([scores[INDEX[name]] for name in names]) for names in groups]))


def between(points: Floats, one: int, other: int) -> float:
    """The distance in px between two landmarks, in the plane of the picture."""
    return float(np.linalg.norm(points[one, :2] - points[other, :2]))
