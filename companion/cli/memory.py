"""``companion memory``: what is stored of a user, to see, correct, export and delete."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from animator.cli.terminal import fail

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="What is remembered of a user: list, edit, delete, export, forget.")

USER = Annotated[str, typer.Argument(help="The user, as the client names it in session.memory.")]
ID = Annotated[int, typer.Argument(help="The number that `list` shows.")]
CONFIG = Annotated[str, typer.Option(help="A file of configs/ by name, or a path to a TOML file.")]


@app.command("list")
def show(user: USER, config: CONFIG = "default") -> None:
    """Everything that is stored of a user, one line each."""
    for kept in _run(_memory(config).memories(user)):
        number = "-" if kept.id is None else kept.id
        typer.echo(f"{number}\t{kept.at:%Y-%m-%d %H:%M}\t{kept.kind}\t{kept.text}")


@app.command()
def edit(user: USER, memory: ID, text: Annotated[str, typer.Argument()], config: CONFIG = "default") -> None:
    """Corrects one memory; the correction is not overwritten by what is understood later."""
    _found(_run(_memory(config).change(user, memory, text)))


@app.command()
def delete(user: USER, memory: ID, config: CONFIG = "default") -> None:
    """Deletes one memory."""
    _found(_run(_memory(config).delete(user, memory)))


@app.command()
def export(
    user: USER,
    out: Annotated[Path | None, typer.Option(help="A file to write; standard output without.")] = None,
    config: CONFIG = "default",
) -> None:
    """Everything that is stored of a user, as JSON."""
    memories = [asdict(k) | {"at": f"{k.at.isoformat()}Z"} for k in _run(_memory(config).memories(user))]
    text = json.dumps({"user": user, "memories": memories}, indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(text + "\n", "utf-8")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")


@app.command("forget-user")
def forget_user(
    user: USER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: CONFIG = "default",
) -> None:
    """Deletes everything of a user. Cannot be undone."""
    if not yes:
        typer.confirm(f"Delete everything that is remembered of {user}?", abort=True, err=True)
    memory = _memory(config)
    _run(_conversations(config).forget(user))
    typer.echo(f"{_run(memory.forget(user))} deleted")


@app.command()
def key() -> None:
    """Prints a new key to seal a new memory with: VASARI_MEMORY_KEY, or key_file in the config."""
    from companion.memory.seal import new_key

    typer.echo(new_key())


def _memory(config: str) -> Any:
    """The memory that the configuration names, opened without anything else."""
    from companion.config import ConfigError, load, load_class
    from companion.errors import StageError
    from companion.stages.protocols import keeps

    try:
        loaded = load(config)
        memory = load_class(loaded.memory, f"{loaded.path}: [memory]")(**loaded.memory.options)
    except (ConfigError, StageError) as error:
        fail(str(error))
    if not keeps(memory):
        fail(f"The memory of this configuration ({loaded.memory.use}) cannot be listed or changed.")
    return memory


def _conversations(config: str) -> Any:
    """What is kept for users whose line is lost."""
    from companion.config import load
    from companion.memory.resumables import Resumables

    resume = load(config).resume
    return Resumables(resume.seconds, resume.url, resume.key_file)


def _run(work: Coroutine[Any, Any, T]) -> T:
    from companion.errors import StageError

    try:
        return asyncio.run(work)
    except StageError as error:
        fail(str(error))


def _found(found: bool) -> None:
    if not found:
        fail("This user has no such memory; `companion memory list USER` shows them.")
