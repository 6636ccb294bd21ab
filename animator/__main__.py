"""The ``animator`` command: a picture and a sound file to a video, and figures about it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from animator.cli.broadcast import stream
from animator.cli.evaluate import evaluate
from animator.cli.inspecting import inspect, made_from, signer
from animator.cli.terminal import BEHAVIOUR, Drawn, console, fail, picture_file, prepare, progress
from animator.control import Control, Emotion, State
from animator.devices import DeviceError
from animator.learn.commands import data, train, train_speech
from animator.live import Animator
from animator.media.files import MediaError, check_place, read_audio
from animator.motion.behaviour.choice import PROCESSES, BehaviourError
from animator.motion.rows.parts import Part
from animator.units import FPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from animator.face import Shown
    from animator.portrait.portrait import Portrait
    from animator.units import Motion, Samples

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Animates one picture with any voice.")
app.add_typer(data, name="data")
app.command()(train)
app.command()(train_speech)
app.command()(evaluate)
app.command()(inspect)
app.command()(stream)

PORTRAIT = Annotated[str, typer.Argument(help="A picture file, or the name of a shipped character.")]
DEVICE = Annotated[str, typer.Option(help="What draws: cpu, or with torch a GPU, such as cuda.")]
MP4_SUFFIXES = (".mp4", ".m4v")
DRAWN_OPTION = Annotated[Drawn | None, typer.Option(help="Whether PORTRAIT is a drawing in flat colours: yes or no.")]
LANDMARKS = Annotated[Path | None, typer.Option(help="Points that correct the face: see animator portrait --help.")]


def main() -> None:
    """Entry point of the installed command."""
    app()


@app.command()
def render(  # noqa: PLR0913 - the options of a command
    portrait: PORTRAIT,
    audio: Annotated[
        Path | None,
        typer.Argument(metavar="AUDIO", help="The speech: an audio file, or a video with sound.", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="The MP4 to write.", show_default=False)] = None,
    size: Annotated[int, typer.Option(help="Side of the square video, in pixels.", min=128, max=2048)] = 512,
    seed: Annotated[int | None, typer.Option(help="The same seed repeats the same motion.")] = None,
    emotion: Emotion = "neutral",
    strength: Annotated[float, typer.Option(help="Of the emotion.", min=0, max=1.5)] = 1.0,
    articulation: Annotated[float, typer.Option(help="How clearly it speaks.", min=0.5, max=1.5)] = 1.0,
    state: State = "speaking",
    other: Annotated[Path | None, typer.Option(help="Sound of another person, to whom the face listens.")] = None,
    only: Annotated[Part, typer.Option(help="What moves: the head's pose, the expression, or all.")] = "all",
    motion: Annotated[Path | None, typer.Option(help="ARKit CSV (Live Link Face, Audio2Face) that moves it.")] = None,
    motion_fps: Annotated[float | None, typer.Option(help="Lines a second, against its own times.", min=1)] = None,
    save_motion: Annotated[Path | None, typer.Option(help="Write the motion as Live Link Face's CSV.")] = None,
    landmarks: LANDMARKS = None,
    drawn: DRAWN_OPTION = None,
    device: DEVICE = "cpu",
    behaviour: BEHAVIOUR = PROCESSES,
    certificate: Annotated[Path | None, typer.Option(help="PEM to sign the video with, not this machine's.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of the certificate's private key.")] = None,
) -> None:
    """Makes PORTRAIT say AUDIO and writes OUT: the live face, run over a file.

    With --other it listens where it is silent itself, and both are heard; without AUDIO it only listens.

    With --motion a recorded motion moves the face instead, with or without AUDIO.

    The video says in signed credentials (C2PA) that it is synthetic: see `animator inspect`.
    """
    from animator.export import write
    from animator.marks.credentials import Signature
    from animator.motion.rows.arkit_csv import write_motion

    heard, target = _files(audio, out, listens=bool(motion or other))
    if size % 2:
        fail(f"--size is {size}; H.264 needs an even number.")
    try:
        for place in (target, save_motion):
            if place:
                check_place(place)
        sound = read_audio(heard) if heard else np.zeros(0, np.float32)
        signature = Signature(made_from(portrait, heard), signer(certificate, key))
        listened = read_audio(other) if other else None
        rows = _recorded(motion, motion_fps, only) if motion else None
        animator = Animator(size, 2 if device == "cpu" else 2 * FPS, seed, device, behaviour)
        found = prepare(portrait, size, landmarks, drawn=drawn)
        control = Control(state, emotion, strength, articulation=articulation)
        shown, frames = _moving(animator, found, rows, (sound, listened), (control, only))
        with progress("rendering", frames) as advance:
            moved = write(shown, size, target, advance, signature)
        if save_motion:
            write_motion(save_motion, moved)
    except (MediaError, DeviceError, BehaviourError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        console.print(f"Stopped; {target} was not written.")
        raise typer.Exit(130) from None
    console.print(f"{target}: {frames} frames, {frames / FPS:.2f} s")


def _files(audio: Path | None, out: Path | None, listens: bool) -> tuple[Path | None, Path]:
    """The speech and the video to write; ends the command unless there is something to show and an MP4 for it."""
    heard, target = (audio, out) if out else (None, audio)
    if not target or not (heard or listens):
        fail("There is nothing to say: give AUDIO and OUT, --other to listen to, or a recorded --motion.")
    if target.suffix.lower() not in MP4_SUFFIXES:
        fail(f"{target} would not be an MP4: give OUT, after the sound, a name that ends in .mp4.")
    return heard, target


def _moving(
    animator: Animator, found: "Portrait", rows: "Motion | None", sounds: "tuple[Samples, Samples | None]",
    wish: tuple[Control, Part],
) -> "tuple[Iterator[Shown], int]":  # fmt: skip
    """The chunks of the video and how many frames they have: of recorded ``rows``, or of a face that says the first of
    ``sounds`` and listens to the second."""
    from animator.export import frames_of, replay, speak

    own, other = sounds
    if rows is not None:
        return replay(animator.drawer(found), rows, own), len(rows)
    control, part = wish
    shown = speak(animator.open(found, part), own, control, other)
    return shown, max(frames_of(own), 0 if other is None else frames_of(other))


@app.command()
def portrait(
    picture: PORTRAIT,
    size: Annotated[int, typer.Option(min=128, max=2048)] = 512,
    landmarks: Annotated[Path | None, typer.Option(help="JSON with points that correct the face.")] = None,
    save_landmarks: Annotated[Path | None, typer.Option(help="Write such JSON, with the points as found.")] = None,
    preview: Annotated[Path | None, typer.Option(help="Write a picture that shows the points (PNG, JPEG).")] = None,
    drawn: DRAWN_OPTION = None,
) -> None:
    """Says what was found in PICTURE, and lets you correct it.

    Where eyes, lips or chin were not found well: write the points with --save-landmarks, look at them with --preview,
    edit those that are wrong, and give the file to --landmarks, here or in `animator render`. Points that you leave
    away follow the others. Left is the person's own left. Where no face was found, --save-landmarks writes one in the
    middle of the picture, for you to place. Drawings in flat colours are treated in their own way; where that is wrong,
    say so with --drawn, here or in `animator render`; --save-landmarks keeps it.
    """
    found = prepare(picture, size, landmarks, save_landmarks, drawn)
    if preview:
        from PIL import Image

        from animator.portrait.preview import preview as shown

        try:
            Image.fromarray(shown(found)).save(preview)
        except (OSError, ValueError) as error:
            fail(f"{preview} cannot be written: {error}")
    yaw, pitch, roll = found.pose
    console.print(f"A face {found.face_width:.0f} px wide, yaw {yaw:.0f}, pitch {pitch:.0f}, roll {roll:.0f} degrees.")
    console.print(found.drawing.words())


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
    behaviour: BEHAVIOUR = PROCESSES,
) -> None:
    """Measures frames a second, milliseconds a step, faces a machine and memory; the last line is one JSON object."""
    from animator.bench.frames import measure, tables

    try:
        sides = [int(part) for part in sizes.split(",")]
    except ValueError:
        fail(f"--sizes takes numbers separated by commas, such as 256,512; got {sizes!r}.")
    try:
        figures = measure(picture_file(portrait), sides, seconds, frames, device, behaviour)
    except (DeviceError, BehaviourError) as error:
        fail(str(error))
    for table in tables(figures):
        Console().print(table)
    typer.echo(json.dumps(figures))


def _recorded(path: Path, fps: float | None, part: Part) -> "Motion":
    from animator.motion.rows.arkit_csv import read_motion
    from animator.motion.rows.parts import only

    recorded = read_motion(path, fps)
    if recorded.ignored:
        console.print(f"[yellow]Note:[/] columns that name no ARKit shape were left out: {', '.join(recorded.ignored)}")
    return only(recorded.motion, part)


if __name__ == "__main__":
    main()
