"""``companion safety``: measures the detection of danger, and manages the consent to pictures of faces."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from animator.cli.terminal import fail

if TYPE_CHECKING:
    from companion.safety.measure import Measured

app = typer.Typer(no_args_is_help=True, help="How well danger is recognised; on what ground faces are shown.")


@app.command()
def check(
    phrases: Annotated[bool, typer.Option("--phrases", help="Without the network.")] = False,
    held_out: Annotated[
        bool, typer.Option(help="Also the turns by which nothing may be tuned: counted, not shown.")
    ] = True,
    turns: Annotated[
        Path | None, typer.Option(help="Judge the turns of this file instead of the written ones.")
    ] = None,
    say: Annotated[str, typer.Option(help="Judge this sentence instead of the written ones.")] = "",
) -> None:
    """Measures the detection on the turns of prompts/safety/check and prints mistakes; those in held-out turns are only
    counted. The last line of the output is one JSON object."""
    from companion.errors import StageError
    from companion.frontmatter import PromptError
    from companion.safety import measure, policy
    from companion.safety.detect import Detector
    from companion.safety.network import Network

    try:
        detector = Detector(policy.load().crisis, None if phrases else Network())
        if say:
            typer.echo(json.dumps(asdict(detector.judge(say))))
            return
        sets = (
            {"turns": measure.turns(turns)} if turns else {"old": measure.old_turns(), "new": measure.new_turns("dev")}
        )
        if held_out and not turns:
            sets |= {"old held-out": measure.old_turns("held-out-"), "new held-out": measure.new_turns("held-out")}
            sets |= {f"{part} held-out": measure.new_turns(part) for part in ("fresh", "fifth")}
        found = {name: measure.measure(detector, told) for name, told in sets.items()}
    except (PromptError, StageError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{turns} cannot be read: {error.strerror}.")
    for name, one in found.items():
        if not name.endswith("held-out"):
            _show(name, one)
    typer.echo(json.dumps({name: _figures(one) for name, one in found.items()}))


def _show(name: str, found: "Measured") -> None:
    for title, texts in (("missed", found.missed), ("false alarm", found.alarmed)):
        for text in texts:
            typer.echo(f"{name}, {title}: {text}")


def _figures(found: "Measured") -> dict[str, Any]:
    shares = {key: round(value, 3) for key, value in asdict(found).items() if isinstance(value, int | float)}
    return shares | {"kinds": found.kinds}


@app.command()
def consents() -> None:
    """Prints the log of consents to pictures and their withdrawals, one JSON object a line; it holds no pictures."""
    from companion.avatar.faces.consent import Consents

    for entry in Consents().entries():
        typer.echo(json.dumps(asdict(entry)))


@app.command()
def withdraw(
    sha256: Annotated[str, typer.Argument(help="Of the picture's file, as `companion safety consents` names it.")],
) -> None:
    """Withdraws the consent to a picture, which is refused from now on. A running server that holds it keeps it until
    it is restarted."""
    from companion.avatar.faces.consent import Consents
    from companion.avatar.portraits import PictureError

    try:
        Consents().withdraw(sha256.lower(), "operator")
    except PictureError as error:
        fail(str(error))
