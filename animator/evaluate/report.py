"""Figures as tables for people and as JSON for programs."""

from collections.abc import Mapping

from rich.box import SIMPLE
from rich.table import Table

from animator.evaluate.lifelike import people
from animator.evaluate.tracking.identity import HOW_TO_GET
from animator.evaluate.tracking.lip_figures import Figures
from animator.evaluate.wishes.obedience import TARGETS, Score, ShapeScore
from animator.evaluate.wishes.whole_face import (
    AMPLITUDES,
    LEAST_APART,
    LEAST_MOVED,
    LEAST_R,
    MOST_SHUT_GAP,
    MOST_STILL,
    WishScores,
)

# What figures should be, from what real people and good renderers reach; None is open. Those of `people` hold for
# means over a dozen of faces and sounds: a person alone may smile less or more.
RANGES: dict[str, tuple[float | None, float | None]] = {
    "identity_mean": (0.85, None),
    "identity_min": (0.7, None),
    "rest_psnr": (40.0, None),
    "sharpness": (0.85, 1.1),
    "sharpness_sd": (None, 0.1),
    "picture_jumps": (None, 0),
    "chunk_roughness": (None, 1.15),
    "head_jumps": (None, 0),
    "fps_one_core": (40.0, None),
    "sync": (0.33, None),
    "offset_ms": (-40, 40),
    "bilabials_closed": (0.95, None),
    "labiodentals_closed": (0.9, None),
    "mouth_jumps": (None, 0),
    "drift_deg": (None, 1.5),
    "drift_opening": (None, 0.02),
    "grown_mb": (None, 10),
    "end_offset_ms": (-40, 40),
    "seam_roughness": (None, 1.15),
    "loudness_difference": (0.22, 0.28),
    "pause_mad": (None, 0.03),
    "opening_p95": (0.18, 0.25),
    "width_range": (0.26, 0.4),
    "opening_with_width": (0.1, None),
    "teeth_share": (0.4, 0.6),
    "teeth_p95": (0.02, 0.04),
    "rounding_p95": (0.28, 0.44),
    "smile_sd": (0.14, 0.28),
    "brow_up_sd": (0.11, 0.18),
    "upper_lip_p95": (0.15, 0.45),
    "lower_lip_p95": (0.07, 0.22),
    "head_change_speaking": (0.3, 0.4),
    "head_change_silent": (0.08, 0.45),
    "head_bands_off": (None, 0.1),
    "head_over_4_hz": (None, 0.05),
    "listening_head_change": (0.08, 0.2),
    "listening_blinks_per_minute": (10, 32),
    "brow_dynamics": (0.004, 0.008),
    "sd_yaw": (3, 6),
    "sd_pitch": (3, 4.5),
    "sd_roll": (2, 4.5),
    "blinks_per_minute": (20, 30),
    "blink_ms": (150, 350),
    "blink_interval_log_sd": (0.5, 0.9),
}

# Of a clip in a table of many: what it is called there, and its decimals; all other figures are in the JSON.
_CLIP_COLUMNS: dict[str, tuple[str, int]] = {
    "sync": ("sync", 2), "offset_ms": ("ms", 0), "bilabials_closed": ("p b m", 2), "opening_p95": ("open", 2),
    "width_range": ("wide", 2), "teeth_share": ("teeth", 2), "smile_sd": ("smile", 2), "brow_up_sd": ("brow", 2),
    "head_change_speaking": ("head", 2), "blinks_per_minute": ("blink", 0), "distance": ("off", 1),
}  # fmt: skip


_REENACT_COLUMNS: dict[str, tuple[str, int]] = {
    "inner_lips": ("lips", 4), "inner_lips_p95": ("p95", 3), "opening_gain": ("opening", 2), "width_gain": ("width", 2),
    "ssim": ("SSIM", 3), "ssim_still": ("still", 3), "teeth_film": ("teeth", 4), "teeth_drawn": ("drawn", 4),
    "inside_off": ("inside", 1),
}  # fmt: skip


def control_table(scores: list[Score], shapes: list[ShapeScore]) -> Table:
    """One row for each sweep, and one that counts the shapes; the caption names the shapes that failed."""
    weak = [shape for shape in shapes if not shape.passed]
    names = ", ".join(f"{shape.name} {shape.direction:.2f}" for shape in weak)
    caption = f"Not seen by the tracker (cosine of the direction): {names}" if weak else None
    table = Table("wish", "from", "to", "r", "gain", "error", "allowed", "", caption=caption)
    for score in scores:
        target = TARGETS[score.name]
        allowed = f"r {target.r}" + (f", {target.error} {target.unit}" if target.error else "")
        error = "" if score.error is None else f"{score.error:.3f}"
        ends = f"{score.low:.3g}", f"{score.high:.3g}"
        table.add_row(score.name, *ends, f"{score.r:.3f}", f"{score.gain:.3g}", error, allowed, _verdict(score.passed))
    count = f"{len(weak)} of {len(shapes)} unseen"
    table.add_row("shapes", "", "", "", "", count, "none", _verdict(not weak))
    return table


def control_figures(scores: list[Score], shapes: list[ShapeScore]) -> dict[str, object]:
    """The figures of the table as plain values."""
    by_sweep = {
        score.name: {"r": _short(score.r), "error": _short(score.error), "gain": _short(score.gain),
                     "range": [_short(score.low), _short(score.high)], "passed": score.passed}
        for score in scores
    }  # fmt: skip
    by_shape = {shape.name: [_short(shape.direction), _short(shape.share)] for shape in shapes}
    return {"sweeps": by_sweep, "shapes": by_shape, "shapes_seen": sum(shape.passed for shape in shapes)}


def wishes_table(scores: WishScores) -> Table:
    """One row for each emotion, and rows for the amplitude and the parts of motion."""
    table = Table("wish", "seen", "allowed", "")
    for mood in scores.moods:
        seen = f"r {mood.r:.3f}, {mood.apart:.2f} from {mood.like}, gap in m {mood.gap:.3f}"
        table.add_row(mood.name, seen, f"r {LEAST_R}, {LEAST_APART}, {MOST_SHUT_GAP}", _verdict(mood.passed))
    steps = ", ".join(f"{wish:g}: {seen:.4f}" for wish, seen in zip(AMPLITUDES, scores.amplitudes, strict=True))
    table.add_row("amplitude", steps, "growing", _verdict(scores.grows))
    for part in scores.parts:
        seen = f"head {part.head:.2f}, face {part.face:.2f} of all"
        table.add_row(f"{part.name} only", seen, f"{LEAST_MOVED} or more, {MOST_STILL} or less", _verdict(part.passed))
    return table


def wishes_figures(scores: WishScores) -> dict[str, object]:
    """The figures of the table as plain values."""
    moods = {
        mood.name: {"r": _short(mood.r), "like": mood.like, "apart": _short(mood.apart), "gap": _short(mood.gap),
                    "passed": mood.passed}
        for mood in scores.moods
    }  # fmt: skip
    parts = {part.name: {"head": _short(part.head), "face": _short(part.face)} for part in scores.parts}
    return {"emotions": moods, "amplitude": [round(seen, 5) for seen in scores.amplitudes], "parts": parts}


def figures_table(figures: Mapping[str, object], errors: Mapping[str, float] | None = None) -> Table:
    """One row for each figure, with its range where that is known; figures of `people` are in `lifelike_table`.
    ``errors``, see `animator.evaluate.suite.errors`, belong to figures that are means."""
    table = Table("figure", "value", *(["±"] if errors else []), "should be", "", caption=_missing(figures))
    for name, value in figures.items():
        if name in people():
            continue
        low, high = RANGES.get(name, (None, None))
        verdict = ""
        if isinstance(value, float | int) and (low, high) != (None, None):
            verdict = _verdict(_in_range(name, value))
        table.add_row(name, str(value), *_error(name, errors), _range(low, high), verdict)
    return table


def clips_table(clips: Mapping[str, Figures]) -> Table:
    """One row for each clip, with its main figures; those outside `RANGES` in red."""
    table = Table(
        "clip", box=SIMPLE, padding=0, caption="All figures are in the JSON below; in red what is not as it should be."
    )
    for heading, _ in _CLIP_COLUMNS.values():
        table.add_column(heading, justify="right")
    for clip, figures in clips.items():
        table.add_row(clip, *(_cell(name, figures.get(name)) for name in _CLIP_COLUMNS))
    return table


def reenact_table(clips: Mapping[str, Figures]) -> Table:
    """One row for each clip, with the main figures of `animator.evaluate.reenact.figures`."""
    table = Table(
        "clip", box=SIMPLE, padding=0, caption="How near the drawn face comes to the film; see docs/evaluation.md."
    )
    for heading, _ in _REENACT_COLUMNS.values():
        table.add_column(heading, justify="right")
    for clip, figures in clips.items():
        cells = [(figures.get(name), digits) for name, (_, digits) in _REENACT_COLUMNS.items()]
        table.add_row(clip, *(f"{value:.{digits}f}" if isinstance(value, float) else "" for value, digits in cells))
    return table


def lifelike_table(videos: Mapping[str, Mapping[str, object]], errors: Mapping[str, float] | None = None) -> Table:
    """One row for each figure of `people`: its value in each of ``videos`` (by name) and its distance from people in
    units of their spread; people and VASA-1. A single video also has its range, and means of a suite their ``errors``,
    see `animator.evaluate.suite.errors`."""
    caption = "Off: how far from people, in units of their spread. See docs/evaluation.md."
    if errors:
        caption = f"±: standard error of the mean over clips. {caption}"
    table = Table("how it moves", box=SIMPLE, padding=(0, 1, 0, 0), caption=caption)
    for name in videos:
        table.add_column(name, justify="right")
        if errors:
            table.add_column("±", justify="right")
        table.add_column("off", justify="right")
    alone = len(videos) == 1
    for heading in ("people", "VASA-1", *(["should be"] if alone else [])):
        table.add_column(heading, justify="right")
    for name, row in people().items():
        seen = [_beside(name, figures.get(name)) for figures in videos.values()]
        cells = [cell for value, off in seen for cell in (value, *_error(name, errors), off)]
        wanted = [_range(*RANGES.get(name, (None, None)))] if alone else []
        table.add_row(row.label, *cells, f"{row.people:.3f}", f"{row.vasa:.3f}", *wanted)
    whole = [("", *([""] if errors else []), _off(figures.get("distance"))) for figures in videos.values()]
    table.add_section()
    table.add_row("median", *(cell for pair in whole for cell in pair))
    return table


def _error(name: str, errors: Mapping[str, float] | None) -> list[str]:
    """The cell of a figure's error, in tables that have them."""
    if not errors:
        return []
    return [f"{errors[name]:.3f}" if name in errors else ""]


def _beside(name: str, value: object) -> tuple[str, str]:
    """A value, and beside it its distance from people."""
    if not isinstance(value, float | int):
        return "", ""
    text, far = f"{value:.3f}", _off(people()[name].distance(value))
    return text if _in_range(name, value) else f"[red]{text}[/]", far


def _off(distance: object) -> str:
    return f"{distance:.1f}" if isinstance(distance, float) else ""


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float | int):
        return ""
    text = f"{value:.{_CLIP_COLUMNS[name][1]}f}"
    return text if _in_range(name, value) else f"[red]{text}[/]"


def _in_range(name: str, value: float) -> bool:
    low, high = RANGES.get(name, (None, None))
    return (low is None or value >= low) and (high is None or value <= high)


def rounded(figures: Figures) -> Figures:
    """Floats to four decimals."""
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _verdict(passed: bool) -> str:
    return "[green]passed[/]" if passed else "[red]failed[/]"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "" if high is None else f"up to {high:g}"
    return f"{low:g} or more" if high is None else f"{low:g} to {high:g}"


def _missing(figures: Mapping[str, object]) -> str | None:
    lacks = "identity_mean" in figures and figures["identity_mean"] is None
    return f"Identity needs a network that is not installed: {HOW_TO_GET}" if lacks else None
