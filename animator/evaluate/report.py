"""Figures as tables for people and as JSON for programs."""

from collections.abc import Mapping

from rich.table import Table

from animator.evaluate.control import TARGETS, Score, ShapeScore


def control_table(scores: list[Score], shapes: list[ShapeScore]) -> Table:
    """One row a sweep, and one that counts the shapes; those that were not seen are named below."""
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
    """The same as plain values."""
    by_sweep = {
        score.name: {"r": _short(score.r), "error": _short(score.error), "gain": _short(score.gain),
                     "range": [_short(score.low), _short(score.high)], "passed": score.passed}
        for score in scores
    }  # fmt: skip
    by_shape = {shape.name: [_short(shape.direction), _short(shape.share)] for shape in shapes}
    return {"sweeps": by_sweep, "shapes": by_shape, "shapes_seen": sum(shape.passed for shape in shapes)}


def figures_table(figures: Mapping[str, object]) -> Table:
    """One row a figure."""
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, str(value))
    return table


def rounded(figures: Mapping[str, object]) -> dict[str, object]:
    """Floats to four decimals."""
    return {name: _short(value) if isinstance(value, float) else value for name, value in figures.items()}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _verdict(passed: bool) -> str:
    return "[green]passed[/]" if passed else "[red]failed[/]"
