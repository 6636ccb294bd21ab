"""``animator evaluate``: what a command needs is imported when it runs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from animator.cli.terminal import BEHAVIOUR, console, fail, prepare, progress
from animator.live import Animator
from animator.media.files import VIDEO_SUFFIXES, MediaError, read_audio
from animator.motion.behaviour.choice import PROCESSES, BehaviourError
from animator.units import FPS

if TYPE_CHECKING:
    from animator.evaluate.suite import Saying
    from animator.evaluate.tracking.lip_figures import Figures
    from animator.portrait.portrait import Portrait

SIZE = 512  # px
SEED = 1
STRIP = Path("strip.png")


def evaluate(  # noqa: PLR0913 - the options of a command
    subject: Annotated[
        str, typer.Argument(help="A video with one face; or a picture or character, to try it out.")
    ] = "",
    audio: Annotated[Path | None, typer.Option(help="The sound of the video, or what the picture should say.")] = None,
    portrait: Annotated[str, typer.Option(help="The picture or character that was animated in the video.")] = "",
    control: Annotated[bool, typer.Option("--control", help="Only: does the picture's face do as it is told?")] = False,
    sheet: Annotated[Path | None, typer.Option(help="Only: write a contact sheet of the picture's face (PNG).")] = None,
    suite: Annotated[Path | None, typer.Option(help="A folder: each picture in it says each sound in it.")] = None,
    limit: Annotated[int | None, typer.Option(help="With --suite: render this many pairs at most.", min=1)] = None,
    seed: Annotated[
        int, typer.Option(help="Of the motion; with --suite of the first pair, each next has the next.")
    ] = SEED,
    keep: Annotated[Path | None, typer.Option(help="With --suite: a folder in which the videos stay.")] = None,
    soak: Annotated[float | None, typer.Option(help="Only: minutes of conversation; do they drift?", min=0.1)] = None,
    compare: Annotated[tuple[Path, Path] | None, typer.Option(help="Only: two videos side by side.")] = None,
    reenact: Annotated[
        list[Path] | None, typer.Option(help="Only: a filmed sentence, played by its own calm frame. May be repeated.")
    ] = None,
    strip: Annotated[Path, typer.Option(help="With --compare and --reenact: where frames are written (PNG).")] = STRIP,
    behaviour: BEHAVIOUR = PROCESSES,
) -> None:
    """Tracks a face and measures lips, blinks, head, likeness and control; the last line is one JSON object.

    Beside a sound NAME.wav, NAME.json may hold its phonemes, [[IPA, start, end], ...] in seconds: then it is counted
    how many p, b and m close the lips.
    """
    try:
        animator = Animator(SIZE, seed=seed, behaviour=behaviour, marks=())
        if compare:
            figures = _compare(*compare, strip)
        elif reenact:
            figures = _reenact(reenact, strip)
        elif suite:
            figures = _suite(suite, limit, keep, behaviour, seed)
        elif soak:
            figures = _soak(animator, subject, audio, soak)
        elif subject and (Path(subject).suffix.lower() in VIDEO_SUFFIXES or portrait):
            figures = _video(Path(subject), audio, portrait)
        else:
            figures = _trial(animator, subject, audio, control, sheet)
    except (MediaError, BehaviourError) as error:
        fail(str(error))
    typer.echo(json.dumps(figures))


def _trial(
    animator: Animator, subject: str, audio: Path | None, control: bool, sheet: Path | None
) -> Mapping[str, object]:
    from animator.evaluate.stills.sheet import save
    from animator.evaluate.suite import Saying, read_saying

    saying = read_saying(audio) if audio else Saying("", None)
    found = prepare(subject, SIZE)
    figures: dict[str, object] = {}
    if sheet:
        save(found, sheet)
        console.print(f"{sheet}: look at it")
    if not control and not sheet:
        figures |= _talk(animator, found, saying)
    if control or not sheet:
        figures["control"] = _obey(animator, found)
    return figures


def _talk(animator: Animator, found: "Portrait", saying: "Saying") -> "Figures":
    from animator.evaluate.report import figures_table, lifelike_table, rounded
    from animator.evaluate.trial import trial

    with progress("tracking", None) as advance:
        figures = rounded(trial(animator, found, saying, advance))
    Console().print(lifelike_table({"face": figures}))
    Console().print(figures_table(figures))
    return figures


def _obey(animator: Animator, found: "Portrait") -> dict[str, object]:
    from animator.evaluate.report import control_figures, control_table, wishes_figures, wishes_table
    from animator.evaluate.tracking.film import Watch
    from animator.evaluate.wishes.obedience import control
    from animator.evaluate.wishes.whole_face import wishes

    with progress("tracking", None) as advance:
        watch = Watch(found, advance)
        scores, shapes = control(found, watch)
        told = wishes(found, watch, animator.generator)
    Console().print(control_table(scores, shapes))
    Console().print(wishes_table(told))
    return control_figures(scores, shapes) | wishes_figures(told)


def _suite(folder: Path, limit: int | None, keep: Path | None, behaviour: str, first_seed: int) -> Mapping[str, object]:
    """Every pair moves by a seed of its own: the mean over pairs is then one over manners, too."""
    from animator.evaluate.report import clips_table, figures_table, lifelike_table, rounded
    from animator.evaluate.suite import errors, pairs, together
    from animator.evaluate.trial import spoken

    clips: dict[str, Figures] = {}
    chosen = pairs(folder, limit)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
    with progress("pairs", len(chosen)) as advance:
        for seed, (picture, saying) in enumerate(chosen, first_seed):
            animator = Animator(SIZE, seed=seed, behaviour=behaviour, marks=())
            name = f"{picture.stem} {saying.name}".strip()
            video = keep and keep / f"{name.replace(' ', '-')}.mp4"
            clips[name] = rounded(spoken(animator, prepare(str(picture), SIZE), saying, keep=video))
            advance(len(clips))
    whole = rounded(together(clips.values()))
    by_chance = errors(clips.values())
    Console().print(clips_table(clips))
    Console().print(lifelike_table({"mean": whole}, by_chance))
    Console().print(figures_table(whole, by_chance))
    return {"clips": clips, "mean": whole, "error": {name: round(error, 4) for name, error in by_chance.items()}}


def _compare(one: Path, other: Path, strip: Path) -> Mapping[str, object]:
    from animator.evaluate import evaluate as measured
    from animator.evaluate.report import lifelike_table, rounded
    from animator.evaluate.stills.beside import save

    found: dict[str, Figures] = {}
    for name, video in (("A", one), ("B", other)):
        with progress(f"tracking {name}", None) as advance:
            found[name] = rounded(measured(video, progress=advance))
    save((one, other), strip)
    Console().print(lifelike_table(found))
    console.print(f"{strip}: {one} above, {other} below, at the same times")
    return found


def _reenact(clips: Sequence[Path], strip: Path) -> Mapping[str, object]:
    """With several clips, STRIP-NAME.png of each."""
    from animator.evaluate.reenact import figures as compared
    from animator.evaluate.reenact import reenact, save_strip
    from animator.evaluate.report import reenact_table, rounded
    from animator.evaluate.suite import means
    from animator.portrait.picture.reading import PortraitError

    found: dict[str, Figures] = {}
    for clip in clips:
        place = strip if len(clips) == 1 else strip.with_stem(f"{strip.stem}-{clip.stem}")
        try:
            with progress(clip.stem, None) as advance:
                made = reenact(clip, SIZE, advance)
        except PortraitError as error:
            fail(f"No portrait can be made of the calmest frame of {clip}: {error}")
        save_strip(made, place)
        found[clip.stem] = rounded(compared(made))
        console.print(f"{place}: film above, drawn below")
    whole = rounded(means(found.values()))
    Console().print(reenact_table(found | {"mean": whole}))
    return {"clips": found, "mean": whole}


def _soak(animator: Animator, subject: str, audio: Path | None, minutes: float) -> Mapping[str, object]:
    from animator.evaluate.report import figures_table, rounded
    from animator.evaluate.soak import soak

    sound = read_audio(audio) if audio else None
    with progress("living", int(minutes * 60 * FPS)) as advance:
        figures = rounded(soak(animator, prepare(subject, SIZE), minutes, sound, advance))
    Console().print(figures_table(figures))
    return figures


def _video(video: Path, audio: Path | None, portrait: str) -> Mapping[str, object]:
    from animator.evaluate import evaluate as measured
    from animator.evaluate.report import figures_table, lifelike_table, rounded
    from animator.evaluate.suite import read_saying

    phonemes = read_saying(audio).phonemes if audio else ()
    found = prepare(portrait, SIZE) if portrait else None
    with progress("tracking", None) as advance:
        figures = rounded(measured(video, audio, found, advance, phonemes))
    Console().print(lifelike_table({"video": figures}))
    Console().print(figures_table(figures))
    return figures
