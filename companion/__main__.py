"""The ``companion`` command."""

import importlib
import logging
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from animator.cli.terminal import console, fail
from companion.cli import memory, persona, safety, trace
from companion.server.entry.logs import Lines, Objects, Sparing

app = typer.Typer(no_args_is_help=True, add_completion=False, help="A conversational companion with a face.")
app.add_typer(memory.app, name="memory")
app.add_typer(safety.app, name="safety")
app.command()(trace.trace)
app.add_typer(persona.app, name="persona")

CONFIG = Annotated[str, typer.Option(help="A file of configs/ by name, or a path to a TOML file.")]


def main() -> None:
    """Entry point of the installed command."""
    logging.basicConfig(level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Sparing())
        handler.setFormatter(Lines())
    try:
        app()
    except KeyboardInterrupt:
        console.print("Stopped.")
        sys.exit(130)


@app.command()
def serve(
    config: CONFIG = "default",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535)] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Write each line of the log as a JSON object.")] = False,
) -> None:
    """Starts the server and says which page to open."""
    for handler in logging.getLogger().handlers if log_json else ():
        handler.setFormatter(Objects())
    from companion.config import ConfigError, load
    from companion.dialogue.personas.personas import PromptError
    from companion.errors import StageError
    from companion.server.launch import serve as run

    try:
        run(load(config), host, port)
    except (ConfigError, PromptError, StageError) as error:
        fail(str(error))


BENCHES = {
    "": "companion.bench.latency:bench",
    "load": "companion.bench.crowd:load_bench",
    "soak": "companion.bench.soak:soak",
    "sync": "companion.bench.syncing.sync:sync",
    "hearing": "companion.bench.word_errors:hearing",
}
PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}  # options declared where the work is done


@app.command(add_help_option=False, context_settings=PASSED_ON)
def talk(context: typer.Context) -> None:
    """Holds a conversation with sound files as the user, and records the face to an MP4."""
    from companion.call.talk import talk as run  # costs seconds to import

    _pass_on(run, context)


@app.command(add_help_option=False, context_settings=PASSED_ON)
def replay(context: typer.Context) -> None:
    """Holds a logged conversation again on a clock that jumps, and says what comes out differently."""
    from companion.call.replay import replay as run  # costs seconds to import

    _pass_on(run, context)


@app.command(add_help_option=False, context_settings=PASSED_ON)
def bench(context: typer.Context) -> None:
    """Measures the conversation on this machine, the face running: first sound, interruptions, memory. `bench load`
    measures how many conversations it holds, `bench soak` holds some for a long time, `bench sync` measures picture and
    sound in a browser, `bench hearing` the recogniser's errors on recordings of yours."""
    name = context.args[0] if context.args[:1] and context.args[0] in BENCHES else ""
    module, _, function = BENCHES[name].partition(":")
    if name:
        context.args = context.args[1:]
    _pass_on(getattr(importlib.import_module(module), function), context)


@app.command()
def setup(
    config: CONFIG = "default",
    everything: Annotated[bool, typer.Option("--all", help="All embedded models, not only those in use.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="These models; may be repeated.")] = None,
) -> None:
    """Fetches the models that are missing, checked against their SHA-256. Can be stopped and run again."""
    from companion.cli.setup import choose_model, draw_once, signing_key
    from companion.cli.setup import setup as run
    from companion.config import ConfigError, load
    from companion.models.manifest import MODELS
    from companion.models.needs import automatic, needed

    if unknown := [name for name in only or () if name not in MODELS]:
        fail(f"There is no embedded model {unknown[0]!r}. There are: {', '.join(MODELS)}.")
    try:
        wanted = (
            [MODELS[name] for name in only] if only else list(MODELS.values()) if everything else needed(load(config))
        )
    except ConfigError as error:
        fail(str(error))
    try:
        ready = run(wanted, console)
        if ready and not only:
            loaded = load(config)
            if automatic(loaded):
                choose_model(console)
            draw_once(loaded, console)
            signing_key(console)
    except KeyboardInterrupt:
        console.print("Stopped. What is complete is kept; run the same command again to go on.")
        raise typer.Exit(130) from None
    if not ready:
        raise typer.Exit(1)


@app.command()
def doctor(
    config: CONFIG = "default",
    verify: Annotated[bool, typer.Option(help="Read every byte of the models again, however they look.")] = False,
) -> None:
    """Says what is installed and what is missing. Exit code 1 when something needed is missing."""
    from companion.cli.doctor import doctor as run

    if not run(config, Console(), verify):
        raise typer.Exit(1)


def _pass_on(run: Callable[..., None], context: typer.Context) -> None:
    command = typer.Typer(add_completion=False)
    command.command()(run)
    command(context.args, prog_name=f"companion {context.info_name}")


if __name__ == "__main__":
    main()
