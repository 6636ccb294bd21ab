"""``companion memory``: lists, corrects, exports and deletes what is stored about a user."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from animator.cli.terminal import fail

if TYPE_CHECKING:
    from companion.server.http.belongings import Belongings

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="What is remembered of a user: list, edit, delete, export, forget.")

USER = Annotated[str, typer.Argument(help="The user, as the client names it in session.memory.")]
ID = Annotated[int, typer.Argument(help="The number that `list` shows.")]
CONFIG = Annotated[str, typer.Option(help="A file of configs/ by name, or a path to a TOML file.")]


@app.command("list")
def show(user: USER, config: CONFIG = "default") -> None:
    """Lists everything that is remembered of a user, one line each."""
    for kept in _run(_memory(config).memories(user)):
        number = "-" if kept.id is None else kept.id
        typer.echo(f"{number}\t{kept.at:%Y-%m-%d %H:%M}\t{kept.kind}\t{kept.text}")


@app.command()
def edit(user: USER, memory: ID, text: Annotated[str, typer.Argument()], config: CONFIG = "default") -> None:
    """Corrects one memory; what is learnt later does not overwrite the correction."""
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
    """Exports everything stored about a user as JSON, except pictures in a running server's memory: for those ask the
    server (GET /v1/export)."""
    text = json.dumps(_run(_belongings(config).export(user)), indent=2, ensure_ascii=False)
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
    """Deletes everything stored about a user, except pictures in a running server's memory: those stay until the server
    deletes them (DELETE /v1/memories) or stops. Cannot be undone."""
    if not yes:
        typer.confirm(f"Delete everything that is kept of {user}?", abort=True, err=True)
    typer.echo(f"{_run(_belongings(config).forget(user))} deleted")


@app.command()
def key() -> None:
    """Prints a new key to encrypt a new memory with: for VASARI_MEMORY_KEY, or a file that key_file names."""
    from companion.memory.seal import new_key

    typer.echo(new_key())


def _memory(config: str) -> Any:
    """The memory stage that the configuration names; no other stage is loaded."""
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


def _belongings(config: str) -> "Belongings":
    """Everything about users that is stored on disk, beyond what a running server holds in memory."""
    from companion.avatar.device import Threads
    from companion.avatar.faces.consent import Consents
    from companion.config import load
    from companion.errors import StageError
    from companion.filming.films import Films
    from companion.memory import talk_times
    from companion.memory.resumables import Resumables
    from companion.safety.allowance import Allowance
    from companion.server.http.belongings import Belongings

    memory, loaded = _memory(config), load(config)
    resume = loaded.resume
    try:
        allowance = Allowance(loaded.safety, ledger=talk_times.opened(loaded.safety, resume))
    except StageError as error:
        fail(str(error))
    resumables = Resumables(resume.seconds, resume.url, resume.key_file)
    folder = Path(loaded.recording.folder)
    films = Films(folder, Threads(1)) if loaded.recording.folder and folder.is_dir() else None
    return Belongings(memory, Consents(), resumables, allowance=allowance, films=films)


def _run(work: Coroutine[Any, Any, T]) -> T:
    from companion.errors import StageError

    try:
        return asyncio.run(work)
    except StageError as error:
        fail(str(error))


def _found(found: bool) -> None:
    if not found:
        fail("This user has no such memory; `companion memory list USER` shows them.")
