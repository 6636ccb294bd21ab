"""``animator data``, ``animator train``, ``animator train-speech``: each imports what it needs only when it runs."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from animator.cli.terminal import console, fail
from animator.learn.motion.config import ConfigError
from animator.media.files import MediaError

data = typer.Typer(no_args_is_help=True, help="Makes what the motion network learns from. Existing files are kept.")

OUT_FOLDER = Annotated[Path, typer.Argument(help="The folder to write clips to.")]
SEED = Annotated[int, typer.Option(help="Random seed: another one makes other clips.")]
Speech = Literal["mouth", "closing", "articulation"]
CLIPS = typer.Option(help="Clips.", min=0)


@data.command()
def speech(  # noqa: PLR0913 - the options of a command
    out: OUT_FOLDER,
    hibari: Annotated[int, CLIPS] = 900,
    espeak: Annotated[int, CLIPS] = 900,
    flite: Annotated[int, CLIPS] = 450,
    sung: Annotated[int, CLIPS] = 150,
    kokoro: Annotated[int, CLIPS] = 0,
    kokoro_model: Annotated[Path | None, typer.Option(help="Kokoro's ONNX file.")] = None,
    kokoro_voices: Annotated[Path | None, typer.Option(help="The folder with its voices (.bin).")] = None,
    captured: Annotated[Path | None, typer.Option(help="The folder with FACEGOOD's takes.")] = None,
    film: Annotated[Path | None, typer.Option(help="A folder of videos of one speaking face each.")] = None,
    seed: SEED = 1,
) -> None:
    """Synthesized speech and song with exact phonemes, captured takes and film, with the mouths that said them.

    Needs the packages of vasari[train], and espeak-ng and flite for their clips. The model card of the speech network
    says where Kokoro and FACEGOOD come from.
    """
    with _running(out) as advance:
        from animator.learn.corpus.corpus import Plan, build

        plan = Plan(hibari, espeak, flite, kokoro, sung, kokoro_model, kokoro_voices, captured, film)
        build(out, plan, seed, advance)


@data.command()
def dialogues(
    out: OUT_FOLDER,
    speech: Annotated[Path, typer.Option(help="The folder that `animator data speech` wrote.")],
    hours: Annotated[float, typer.Option(min=0.01)] = 3.0,
    seed: SEED = 1,
) -> None:
    """Conversations made of these clips: a whole face that speaks, listens, thinks and is idle."""
    with _running(out) as advance:
        from animator.learn.motion.dialogues import make

        make(out, speech, hours, seed, lambda done: advance("minutes", round(60 * done), round(60 * hours)))


@data.command()
def videos(
    out: OUT_FOLDER,
    folder: Annotated[Path, typer.Argument(help="Videos of one speaking face each, in folders of any depth.")],
    held: Annotated[float, typer.Option(help="Share of the people that are kept for validation.", min=0, max=1)] = 0.05,
) -> None:
    """Your own videos, tracked: mouth, brows, lids, head and gaze as they were, and their sound.

    A person is a folder directly under FOLDER, as in VoxCeleb2 (id/clip/0001.mp4). Videos without a face or without
    sound are named and left out.
    """
    with _running(out) as advance:
        from animator.learn.clips.videos import convert

        made = convert(folder, out, held, advance)
    for video, reason in made.skipped:
        console.print(f"[yellow]Left out:[/] {escape(str(video))}: {escape(reason)}", soft_wrap=True)
    console.print(f"{made.clips} clips, {made.seconds / 60:.1f} minutes")


@contextmanager
def _running(out: Path) -> Generator[Callable[[str, int, int], None]]:
    """A progress bar: what is made, how much of it there is, and how much there will be. Errors become one line."""
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    try:
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            tasks: dict[str, TaskID] = {}

            def advance(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done)

            yield advance
    except (MediaError, ConfigError) as error:
        fail(str(error))
    except ImportError as error:
        fail(f"This needs {error.name}. Install it: pip install 'vasari[train]'.")
    except OSError as error:
        fail(f"{error.filename or out} cannot be written or read: {error.strerror}.")
    except KeyboardInterrupt:
        console.print(f"Stopped. What was made stays in {out}; the same command goes on.")
        raise typer.Exit(130) from None


def train(
    config: Annotated[Path, typer.Argument(help="A TOML file, such as animator/learn/configs/small.toml.")],
    shards: Annotated[Path | None, typer.Option(help="The folder with clips, instead of the file's.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder of the run, instead of the file's.")] = None,
) -> None:
    """Trains the motion network on clips of motion; resumes from the run's folder.

    Several GPUs: accelerate launch -m animator train CONFIG. Ends with one JSON line.
    """
    from animator.learn.motion.config import read

    try:
        given = read(config)
    except ConfigError as error:
        fail(str(error))
    changed = {name: value for name, value in (("shards", shards), ("out", out)) if value}
    given = given.model_copy(update=changed)
    with _running(given.out) as advance:
        from animator.learn.motion.listen import listen
        from animator.learn.motion.train_motion import Run

        run = Run(
            given, listen(given.shards, given.variants, given.seed, lambda done, total: advance("clips", done, total))
        )
        figures = run(lambda part: advance("training, per mille", round(1000 * part), 1000))
    typer.echo(json.dumps({"steps": run.progress.step, **{name: round(v, 5) for name, v in figures.items()}}))


def train_speech(  # noqa: PLR0913 - the options of a command
    corpus: Annotated[Path, typer.Argument(help="The folder that `animator data speech` wrote.")],
    out: Annotated[Path, typer.Argument(help="The ONNX file to write; its weights go beside it (.pt).")],
    minutes: Annotated[float, typer.Option(min=0.01)] = 35.0,
    rate: Annotated[float, typer.Option(help="Highest learning rate.", min=1e-6)] = 2e-3,
    start: Annotated[Path | None, typer.Option(help="Weights (.pt) to go on from.")] = None,
    network: Annotated[Speech, typer.Option(help="Which one of the three.")] = "mouth",
    seed: SEED = 1,
) -> None:
    """Trains a network that turns speech into mouth shapes. Ends with one JSON line of scores.

    mouth: the shapes of the mouth; the motion network builds on its features. closing: when lips touch each other or
    the teeth. articulation: lip shapes as on film; needs film in the corpus, and starts from a mouth network (--start).
    """
    with _running(out) as advance:
        from animator.learn.speech.train_articulation import train_articulation
        from animator.learn.speech.train_closing import train_closing
        from animator.learn.speech.train_mouth import Course, Scores, train

        run, figure = {
            "mouth": (train, "jaw"), "closing": (train_closing, "closed"),
            "articulation": (train_articulation, "mouthUpperUp"),
        }[network]  # fmt: skip

        def said(step: int, part: float, loss: float, scores: Scores) -> None:
            advance("training, per mille", min(1000, round(1000 * part)), 1000)
            shown = ", ".join(f"{source} {row[figure]:.3f}" for source, row in scores.items())
            console.print(f"step {step}: loss {loss:.5f}; {figure}: {shown}")

        course = Course(minutes, rate, start, seed)
        scores = run(corpus, out, course, said)
    typer.echo(json.dumps(scores))
