"""The ``animator`` command: a picture and a sound file to a video, and figures about it."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from animator.control import Control, Emotion, State
from animator.devices import DeviceError
from animator.face import FPS, Animator
from animator.learn.commands import data, train, train_speech
from animator.media import MediaError, check_place, read_audio
from animator.motion.parts import Part

if TYPE_CHECKING:
    from animator.evaluate.lips import Figures
    from animator.face import Motion
    from animator.portrait.portrait import Portrait

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Animates one picture with any voice.")
app.add_typer(data, name="data")
app.command()(train)
app.command()(train_speech)
console = Console(stderr=True)  # stdout is for results

PORTRAIT = Annotated[str, typer.Argument(help="A picture file, or the name of a shipped character.")]
VIDEOS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg")
DEVICE = Annotated[str, typer.Option(help="What draws: cpu, or with torch a GPU, such as cuda.")]
LANDMARKS = Annotated[Path | None, typer.Option(help="Points that correct the face: see animator portrait --help.")]


def main() -> None:
    """Entry point of the installed command."""
    app()


@app.command()
def render(  # noqa: PLR0913 - the options of a command
    portrait: PORTRAIT,
    audio: Annotated[Path, typer.Argument(metavar="[AUDIO]", help="Speech: an audio file, or a video with sound.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="The MP4 to write.", show_default=False)] = None,
    size: Annotated[int, typer.Option(help="Side of the square video, in pixels.", min=128, max=2048)] = 512,
    seed: Annotated[int | None, typer.Option(help="The same seed repeats the same motion.")] = None,
    emotion: Emotion = "neutral",
    strength: Annotated[float, typer.Option(help="Of the emotion.", min=0, max=1.5)] = 1.0,
    state: State = "speaking",
    only: Annotated[Part, typer.Option(help="What moves: the head's pose, the expression, or all.")] = "all",
    motion: Annotated[Path | None, typer.Option(help="ARKit CSV (Live Link Face, Audio2Face) that moves it.")] = None,
    motion_fps: Annotated[float | None, typer.Option(help="Lines a second, against its own times.", min=1)] = None,
    save_motion: Annotated[Path | None, typer.Option(help="Write the motion as Live Link Face's CSV.")] = None,
    landmarks: LANDMARKS = None,
    device: DEVICE = "cpu",
) -> None:
    """Makes PORTRAIT say AUDIO and writes OUT: the live face, run over a file.

    With --motion a recorded motion moves the face instead, with or without AUDIO.
    """
    from animator.export import frames_of, replay, speak, write
    from animator.motion.arkit_csv import write_motion

    heard, target = (audio, out) if out else (None, audio)
    if size % 2:
        _fail(f"--size is {size}; H.264 wants an even number.")
    if not heard and not motion:
        _fail("There is nothing to say: give AUDIO and OUT, or a recorded --motion.")
    try:
        for place in (target, save_motion):
            if place:
                check_place(place)
        sound = read_audio(heard) if heard else np.zeros(0, np.float32)
        rows = _recorded(motion, motion_fps, only) if motion else None
        animator = Animator(size, 2 if device == "cpu" else 2 * FPS, seed, device)
        found = _prepare(portrait, size, landmarks)
        if rows is None:
            face = animator.open(found, only)
            shown, frames = speak(face, sound, Control(state, emotion, strength)), frames_of(sound)
        else:
            shown, frames = replay(animator.drawer(found), rows, sound), len(rows)
        with _progress("rendering", frames) as advance:
            moved = write(shown, size, target, advance)
        if save_motion:
            write_motion(save_motion, moved)
    except (MediaError, DeviceError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        console.print(f"Stopped; {target} was not written.")
        raise typer.Exit(130) from None
    console.print(f"{target}: {frames} frames, {frames / 25:.2f} s")


@app.command()
def portrait(
    picture: PORTRAIT,
    size: Annotated[int, typer.Option(min=128, max=2048)] = 512,
    landmarks: Annotated[Path | None, typer.Option(help="JSON with points that correct the face.")] = None,
    save_landmarks: Annotated[Path | None, typer.Option(help="Write such JSON, with the points as found.")] = None,
    preview: Annotated[Path | None, typer.Option(help="Write a picture that shows the points (PNG, JPEG).")] = None,
) -> None:
    """Says what was found in PICTURE, and lets you correct it.

    Where eyes, lips or chin were not found well: write the points with --save-landmarks, look at them with --preview,
    edit those that are wrong, and give the file to --landmarks, here or in `animator render`. Points that you leave
    away follow the others. Left is the person's own left. Where no face was found, --save-landmarks writes one in the
    middle of the picture, for you to place.
    """
    found = _prepare(picture, size, landmarks, save_landmarks)
    if preview:
        from PIL import Image

        from animator.portrait.preview import preview as drawn

        try:
            Image.fromarray(drawn(found)).save(preview)
        except (OSError, ValueError) as error:
            _fail(f"{preview} cannot be written: {error}")
    yaw, pitch, roll = found.pose
    console.print(f"A face {found.face_width:.0f} px wide, yaw {yaw:.0f}, pitch {pitch:.0f}, roll {roll:.0f} degrees.")


@app.command()
def characters() -> None:
    """Lists the shipped characters."""
    from animator.portrait.characters import characters as shipped

    table = Table("name", "title", "credit", "licence")
    for character in shipped():
        table.add_row(character.name, character.title, character.credit, character.licence)
    Console().print(table)


@app.command()
def bench(
    portrait: Annotated[str, typer.Option(help="A picture file or a shipped character.")] = "",
    sizes: Annotated[str, typer.Option(help="Sides of the video in pixels, separated by commas.")] = "256,512,768,1024",
    seconds: Annotated[float, typer.Option(help="Length of each measurement.", min=1)] = 10.0,
    frames: Annotated[int, typer.Option(help="Then draw so many frames, to see that memory stays flat.", min=0)] = 0,
    device: DEVICE = "cpu",
) -> None:
    """Measures frames a second, milliseconds a step, faces a machine and memory; the last line is one JSON object."""
    from animator.bench import measure, tables

    try:
        sides = [int(part) for part in sizes.split(",")]
    except ValueError:
        _fail(f"--sizes takes numbers separated by commas, such as 256,512; got {sizes!r}.")
    try:
        figures = measure(_picture(portrait), sides, seconds, frames, device)
    except DeviceError as error:
        _fail(str(error))
    for table in tables(figures):
        Console().print(table)
    typer.echo(json.dumps(figures))


@app.command()
def evaluate(  # noqa: PLR0913 - the options of a command
    subject: Annotated[
        str, typer.Argument(help="A video with one face; or a picture or character, to try it out.")
    ] = "",
    audio: Annotated[Path | None, typer.Option(help="The sound of the video, or what the picture shall say.")] = None,
    portrait: Annotated[str, typer.Option(help="The picture or character that was animated in the video.")] = "",
    control: Annotated[bool, typer.Option("--control", help="Only: does the picture's face do as told?")] = False,
    sheet: Annotated[Path | None, typer.Option(help="Only: write a contact sheet of the picture's face (PNG).")] = None,
    suite: Annotated[Path | None, typer.Option(help="A folder: each picture in it says each sound in it.")] = None,
    limit: Annotated[int | None, typer.Option(help="With --suite: so many pairs, mixed.", min=1)] = None,
    keep: Annotated[Path | None, typer.Option(help="With --suite: a folder in which the videos stay.")] = None,
    soak: Annotated[float | None, typer.Option(help="Only: minutes of conversation; do they drift?", min=0.1)] = None,
) -> None:
    """Tracks a face and measures lips, blinks, head, likeness and control; the last line is one JSON object."""
    try:
        if suite:
            figures = _suite(suite, limit, keep)
        elif soak:
            figures = _soak(subject, audio, soak)
        elif subject and (Path(subject).suffix.lower() in VIDEOS or portrait):
            figures = _video(Path(subject), audio, portrait)
        else:
            figures = _trial(subject, audio, control, sheet)
    except MediaError as error:
        _fail(str(error))
    typer.echo(json.dumps(figures))


def _trial(subject: str, audio: Path | None, control: bool, sheet: Path | None) -> Mapping[str, object]:
    from animator.evaluate.report import (
        control_figures,
        control_table,
        figures_table,
        rounded,
        wishes_figures,
        wishes_table,
    )
    from animator.evaluate.sheet import save
    from animator.evaluate.suite import Saying, read_saying
    from animator.evaluate.trial import trial

    saying = read_saying(audio) if audio else Saying("", None)
    found = _prepare(subject, 512)
    figures: dict[str, object] = {}
    if sheet:
        save(found, sheet)
        console.print(f"{sheet}: look at it")
    if not control and not sheet:
        with _progress("tracking", None) as advance:
            figures |= rounded(trial(found, saying, advance))
        Console().print(figures_table(figures))
    if control or not sheet:
        from animator.evaluate.control import control as swept
        from animator.evaluate.film import Watch
        from animator.evaluate.wishes import wishes

        with _progress("tracking", None) as advance:
            watch = Watch(found, advance)
            scores, shapes = swept(found, watch)
            told = wishes(found, watch)
        Console().print(control_table(scores, shapes))
        Console().print(wishes_table(told))
        figures["control"] = control_figures(scores, shapes) | wishes_figures(told)
    return figures


def _suite(folder: Path, limit: int | None, keep: Path | None) -> Mapping[str, object]:
    from animator.evaluate.report import clips_table, figures_table, rounded
    from animator.evaluate.suite import means, pairs
    from animator.evaluate.trial import spoken

    clips: dict[str, Figures] = {}
    chosen = pairs(folder, limit)
    with _progress("pairs", len(chosen)) as advance:
        for picture, saying in chosen:
            name = f"{picture.stem} {saying.name}".strip()
            video = keep and keep / f"{name.replace(' ', '-')}.mp4"
            clips[name] = rounded(spoken(_prepare(str(picture), 512), saying, keep=video))
            advance(len(clips))
    whole = rounded(means(clips.values()))
    Console().print(clips_table(clips))
    Console().print(figures_table(whole))
    return {"clips": clips, "mean": whole}


def _soak(subject: str, audio: Path | None, minutes: float) -> Mapping[str, object]:
    from animator.evaluate.report import figures_table, rounded
    from animator.evaluate.soak import soak

    sound = read_audio(audio) if audio else None
    with _progress("living", int(minutes * 60 * FPS)) as advance:
        figures = rounded(soak(_prepare(subject, 512), minutes, sound, advance))
    Console().print(figures_table(figures))
    return figures


def _video(video: Path, audio: Path | None, portrait: str) -> Mapping[str, object]:
    from animator.evaluate import evaluate as measured
    from animator.evaluate.report import figures_table, rounded

    found = _prepare(portrait, 512) if portrait else None
    with _progress("tracking", None) as advance:
        figures = rounded(measured(video, audio, found, advance))
    Console().print(figures_table(figures))
    return figures


def _recorded(path: Path, fps: float | None, part: Part) -> "Motion":
    from animator.motion.arkit_csv import read_motion
    from animator.motion.parts import only

    recorded = read_motion(path, fps)
    if recorded.ignored:
        console.print(f"[yellow]Note:[/] columns that are no ARKit shape were left out: {', '.join(recorded.ignored)}")
    return only(recorded.motion, part)


def _picture(portrait: str) -> Path:
    """The file of a picture, or of a shipped character ("" is the default one)."""
    if portrait and Path(portrait).exists():
        return Path(portrait)
    from animator.portrait.characters import characters as shipped
    from animator.portrait.characters import find

    try:
        return find(portrait).picture if portrait else shipped()[0].picture
    except KeyError:
        names = ", ".join(character.name for character in shipped())
        _fail(f"There is no file and no character {portrait!r}. Give a picture file, or one of: {names}.")


def _prepare(portrait: str, size: int, landmarks: Path | None = None, save: Path | None = None) -> "Portrait":
    """The portrait, corrected by the file ``landmarks``; its points, or some to place, go into the file ``save``."""
    from animator.portrait.named import parse
    from animator.portrait.picture import PortraitError, read

    try:
        with console.status("preparing the face"):
            given = parse(read(landmarks)) if landmarks else None
            found = Animator(size).prepare(_picture(portrait), given)
    except PortraitError as error:
        if not (error.landmarks and save):
            _fail(f"{portrait}: {error}")
        _write(save, error.landmarks.text())
        _fail(f"{portrait}: {error} Or move the points in {save} to where they belong, and give it as --landmarks.")
    if save:
        _write(save, found.named().text())
    for warning in found.warnings:
        console.print(f"[yellow]Note:[/] {warning}")
    return found


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}.")


@contextmanager
def _progress(what: str, total: int | None) -> Generator[Callable[[int], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _fail(message: str) -> NoReturn:
    console.print(f"[red]Error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    main()
