"""``companion safety``: how well crises are recognised."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="How well crises are recognised.")


@app.command()
def check(
    phrases: Annotated[bool, typer.Option("--phrases", help="Without comparing meanings.")] = False,
    say: Annotated[str, typer.Option(help="Judge this sentence instead of the written ones.")] = "",
) -> None:
    """Judges the written sentences of prompts/safety/check; ends in one JSON line."""
    from companion.embeddings import Embedder
    from companion.frontmatter import PromptError
    from companion.safety import measure, policy
    from companion.safety.detect import Detector
    from companion.stages import StageError

    try:
        detector = Detector(policy.load().crisis, None if phrases else Embedder())
        if say:
            typer.echo(json.dumps(asdict(detector.judge(say))))
            return
        found = measure.measure(detector, measure.sentences("crisis"), measure.sentences("near-miss"))
    except (PromptError, StageError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for title, texts in (("No hand-off", found.missed), ("False alarm", found.alarmed)):
        for text in texts:
            typer.echo(f"{title}: {text}")
    figures = {key: value for key, value in asdict(found).items() if isinstance(value, int | float)}
    typer.echo(json.dumps({key: round(value, 3) for key, value in figures.items()}))


@app.callback()
def main() -> None:
    """Makes `check` a word of the command line, though it is alone."""
