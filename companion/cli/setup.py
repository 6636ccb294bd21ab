"""``companion setup``: downloads the models that a configuration needs, with a progress display."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from companion.config import Config
from companion.errors import StageError
from companion.models.automatic import choose, remember
from companion.models.fetch import FetchError, fetch
from companion.models.locate import distrust, inspect
from companion.models.manifest import LANGUAGE_MODEL, MODELS, Model


def setup(models: Iterable[Model], console: Console) -> bool:
    """Download each of ``models``, unless a verified copy is there. Errors are printed -> whether all are available."""
    ready = True
    distrust()
    for model in models:
        found = inspect(model).located
        if found is None:
            try:
                _fetch(model, console)
            except FetchError as error:
                console.print(f"[red]{model.name}: {escape(str(error))}[/]", highlight=False, soft_wrap=True)
                ready = False
                continue
            found = inspect(model).located
        where = f"{found.origin}, {found.path}" if found else ""
        console.print(
            f"[green]{model.name}[/] ready ({model.job}, {model.licence}; {escape(where)})",
            highlight=False,
            soft_wrap=True,
        )
    return ready


def choose_model(console: Console) -> None:
    """Measure this machine, print which embedded language model suits it, download that one and store the choice. If it
    cannot be downloaded, the small model, which is installed, is chosen. Raises OSError if the cache cannot be
    written."""
    from companion.stages.llm.measuring import measure

    with console.status("measuring this machine: some seconds"):
        try:
            pace = measure()
        except StageError as error:
            console.print(f"[yellow]language model[/]: {escape(str(error))}", highlight=False, soft_wrap=True)
            return
    name, better = choose(pace), pace.better()
    console.print(
        f"language model: {name} (here {LANGUAGE_MODEL} reads {pace.reads:.0f} and writes {pace.writes:.0f} tokens a "
        f"second; the better one would begin an answer in {better.first_s:.1f} s and go on with {better.writes:.0f})",
        highlight=False,
        soft_wrap=True,
    )
    if name != LANGUAGE_MODEL and not setup([MODELS[name]], console):
        console.print(f"[yellow]language model[/]: {LANGUAGE_MODEL} until {name} can be fetched", highlight=False)
        name = LANGUAGE_MODEL
    remember(name, pace)


def draw_once(config: Config, console: Console) -> None:
    """Compile the renderer and prepare the shipped faces, both cached on disk, so that no session waits for it. All
    characters are rendered, since a drawing needs other code than a photograph."""
    if config.face.use != "animator.live:Animator":
        return
    from animator.portrait.characters import characters
    from animator.portrait.portrait import load
    from animator.render import warm

    size = config.face.options.get("size", 512)
    with console.status("compiling the renderer: once, about half a minute"):
        for character in characters():
            warm(load(character.picture, size))
    console.print("[green]renderer[/] ready", highlight=False)


def signing_key(console: Console) -> None:
    """Create this installation's key for signing videos, unless there is one."""
    from animator.marks.installation import SigningError, installation

    try:
        found = installation()
    except SigningError as error:
        console.print(f"[yellow]signing key[/]: {escape(str(error))}", highlight=False, soft_wrap=True)
    else:
        console.print(f"[green]signing key[/] ready (installation {found.id:06x})", highlight=False)


def _fetch(model: Model, console: Console) -> None:
    if not console.is_terminal:
        console.print(f"fetching {model.name} ...", highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task(model.name, total=None)

        def progress(doing: str, done: int, total: int) -> None:
            display.update(task, description=f"{model.name}: {escape(doing)}", completed=done, total=total)

        fetch(model, progress)
