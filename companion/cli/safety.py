"""``companion safety``: how well crises are recognised."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from companion.safety.measure import Measured

app = typer.Typer(no_args_is_help=True, help="How well crises are recognised.")


@app.command()
def check(
    phrases: Annotated[bool, typer.Option("--phrases", help="Without comparing meanings.")] = False,
    say: Annotated[str, typer.Option(help="Judge this sentence instead of the written ones.")] = "",
) -> None:
    """Judges the sentences of prompts/safety/check; ends in one JSON line. Held-out sentences are counted,
    not shown."""
    from companion.errors import StageError
    from companion.frontmatter import PromptError
    from companion.models.embeddings import Embedder
    from companion.safety import measure, policy
    from companion.safety.detect import Detector

    try:
        detector = Detector(policy.load().crisis, None if phrases else Embedder())
        if say:
            typer.echo(json.dumps(asdict(detector.judge(say))))
            return
        found, held_out = (
            measure.measure(detector, measure.sentences(f"{kind}crisis"), measure.sentences(f"{kind}near-miss"))
            for kind in ("", "held-out-")
        )
    except (PromptError, StageError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for title, texts in (("No hand-off", found.missed), ("False alarm", found.alarmed)):
        for text in texts:
            typer.echo(f"{title}: {text}")
    typer.echo(json.dumps(_figures(found) | {"held_out": _figures(held_out)}))


def _figures(found: "Measured") -> dict[str, float]:
    return {key: round(value, 3) for key, value in asdict(found).items() if isinstance(value, int | float)}


@app.callback()
def main() -> None:
    """Keeps `check` a subcommand, although it is the only one."""
