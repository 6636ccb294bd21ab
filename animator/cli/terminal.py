"""What the commands share: messages, progress bars, and loading the portrait."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from animator.portrait.portrait import Portrait

console = Console(stderr=True)  # stdout is for results

Drawn = Literal["yes", "no"]
BEHAVIOUR = Annotated[
    str, typer.Option(help="What moves the face: processes, network, a motion.onnx, or module:Class.")
]


def picture_file(portrait: str) -> Path:
    """The file of a picture or of a shipped character ("" is the default one). Ends the command with a message if there
    is neither."""
    if portrait and Path(portrait).exists():
        return Path(portrait)
    from animator.portrait.characters import characters as shipped
    from animator.portrait.characters import find

    try:
        return find(portrait).picture if portrait else shipped()[0].picture
    except KeyError:
        names = ", ".join(character.name for character in shipped())
        fail(f"There is no file and no character {portrait!r}. Give a picture file, or one of: {names}.")


def prepare(
    portrait: str, size: int, landmarks: Path | None = None, save: Path | None = None, drawn: Drawn | None = None
) -> "Portrait":
    """The portrait, corrected by the file ``landmarks`` and by whether it is ``drawn`` flat; its points, or some to
    place, go into the file ``save``."""
    from animator.live import Animator
    from animator.portrait.picture.named import Landmarks, parse
    from animator.portrait.picture.reading import PortraitError, read

    try:
        with console.status("preparing the face"):
            given = parse(read(landmarks)) if landmarks else None
            if drawn:
                given = replace(given or Landmarks({}, 1, 1), drawn=drawn == "yes")
            found = Animator(size).prepare(picture_file(portrait), given)
    except PortraitError as error:
        if not error.landmarks:
            fail(f"{portrait}: {error}")
        if not save:
            by_hand = f"animator portrait {portrait} --save-landmarks points.json"
            fail(f"{portrait}: {error} Or place its eyes, mouth and chin by hand: {by_hand}")
        _write(save, error.landmarks.text())
        fail(f"{portrait}: {error} Or move the points in {save} to where they belong, and give it as --landmarks.")
    if save:
        _write(save, replace(found.named(), drawn=given and given.drawn).text())
    for warning in found.warnings:
        console.print(f"[yellow]Note:[/] {warning}")
    return found


def _write(file: Path, text: str) -> None:
    """Writes the file, or ends the command with a message."""
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}.")


@contextmanager
def progress(what: str, total: int | None) -> Generator[Callable[[int], None]]:
    """A progress bar on the console: a function that takes how much is done."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def fail(message: str) -> NoReturn:
    """Ends the command with a message."""
    console.print(f"[red]Error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(1)
