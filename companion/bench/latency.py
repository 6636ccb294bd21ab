"""``companion bench``: the latency of replies, stage by stage, with synthesized speech as the user."""

import asyncio
import json
import resource
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import isinf
from pathlib import Path
from statistics import median
from typing import Annotated, TypedDict

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from animator.bench.footprint import resident_mb
from animator.cli.terminal import fail
from animator.media.files import MediaError
from companion.bench.sayings import QUESTIONS, Spread, sayings, spread_of
from companion.call.caller import Caller, TalkError, call
from companion.call.recording import Turn
from companion.config import Config, ConfigError, load
from companion.dialogue.personas.openers import Book
from companion.dialogue.personas.personas import PromptError
from companion.engine import build
from companion.errors import StageError
from companion.session.session import Session
from companion.stages.protocols import TTS, VAD

WARM_TURNS = 20  # turns that `Growth` leaves out
ATTEMPTS = 4  # questions asked for each wanted interruption, at most: some answers are too short
STAGES = ("turn_end", "transcript", "first_token", "first_speech", "first_audio", "first_frame")
STAGE_MEANINGS = {
    "turn_end": "silence judged to be the end",
    "transcript": "transcript",
    "first_token": "first word of the language model",
    "first_speech": "first clause synthesized",
    "first_audio": "first sound sent",
    "first_frame": "first speaking frame sent",
}
WAIT_MEANINGS = {  # the stages that the first sound waits for, in this order
    "turn_end": "end of turn",
    "transcript": "words",
    "first_token": "model",
    "first_speech": "voice",
    "first_audio": "face",
    "heard": "line",
}


@dataclass(frozen=True, slots=True)
class Talked:
    """A conversation: the answered ``turns``, the ``resident`` memory after each in MB, the time from each barge-in to
    silence in s, and the number of dropped frames."""

    turns: Sequence[Turn]
    resident: Sequence[float]
    barge_ins: Sequence[float]
    dropped: int


class Growth(TypedDict):
    """Increase of latency (ms) and memory (MB) per ten turns: the slope of a Theil-Sen regression over the turns.

    The first `WARM_TURNS` (half, if there are fewer) are left out: they fill caches and pools.
    """

    first_audio_ms: float
    rss_mb: float


class Figures(TypedDict):
    """The JSON object of the last line. Times in ms count from the end of the user's speech, unless said otherwise.

    ``opener_gap_ms``: silence at the client between a reply's opener and its next line, in the ``opened`` replies.
    ``barge_in_ms``: from the start of the interrupting speech to the last sound of the answer. ``unheard``: barge-ins
    without effect, whose answer was said to its end; the humming voice of the scripted stages gives some, since the
    same hum as a user is taken for its echo. ``stages``: times that the session itself measured. ``waits_ms``: as
    `waits`, for each turn. ``growth`` is meaningful from thirty turns on. ``changed``: how often each rule changed the
    language model's words. ``rss_mb``: peak memory of this process.
    """

    first_audio_ms: Spread
    first_frame_ms: Spread
    opener_gap_ms: Spread
    barge_in_ms: Spread
    interruptions: int
    unheard: int
    stages: dict[str, Spread]
    waits_ms: list[dict[str, float]]
    rss_mb: float
    growth: Growth
    turns: int
    opened: int
    changed: dict[str, int]
    dropped_frames: int


def bench(
    config: Annotated[str, typer.Option(help="A file of configs/, or a path to one.")] = "default",
    turns: Annotated[int, typer.Option(help="Questions asked.", min=1)] = len(QUESTIONS),
    interruptions: Annotated[int, typer.Option(help="Answers interrupted.", min=0)] = 6,
    wav: Annotated[list[Path] | None, typer.Option(help="Recorded questions instead of synthesized ones.")] = None,
    character: Annotated[str, typer.Option(help="The face; the config's if not given.")] = "",
    only_json: Annotated[bool, typer.Option("--json", help="Print nothing but the JSON line.")] = False,
) -> None:
    """Measures the latency of replies and of barge-in, and the memory, of a conversation with a face on this machine.

    The last line of the output is one JSON object. Takes about ten seconds a turn.
    """
    try:
        figures = _measured(load(config), (turns, interruptions), wav or (), character)
    except (TalkError, MediaError, ConfigError, PromptError, StageError) as error:
        fail(str(error))
    if not only_json:
        _print(figures)
    typer.echo(json.dumps(figures))


def _measured(config: Config, counts: tuple[int, int], recorded: Sequence[Path], character: str) -> Figures:
    """Ask so many questions and make so many interruptions (``counts``), with the stages of ``config``."""
    engine = build(config)
    read, persona = partial(engine.rehearsal.read, engine.tts), config.session.persona
    called = call(opens=partial(Session, engine), read=read, persona=persona, character=character, keep=False)
    threshold = config.turns.threshold
    talked = asyncio.run(_talk(counts, recorded, called=called, tts=engine.tts, vad=engine.vad, threshold=threshold))
    changed = sum((Counter(turn.changes) for turn in engine.metrics.turns), Counter[str]())
    return _figures(talked, _gaps(talked.turns, engine.prompts.openers), changed)


async def _talk(
    counts: tuple[int, int],
    recorded: Sequence[Path],
    *,
    called: AbstractAsyncContextManager[Caller],
    tts: TTS,
    vad: Callable[[], VAD],
    threshold: float,
) -> Talked:
    """Ask ``counts[0]`` questions and interrupt ``counts[1]`` answers; the other arguments as in `sayings`."""
    said, stop = await sayings(tts, vad, threshold, recorded)
    barge_ins: list[float] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Talking", total=sum(counts))
        async with called as caller:
            answered, resident = list[Turn](), list[float]()
            for i in range(counts[0]):
                now = said[i % len(said)]
                answered.append(await caller.ask(now.audio, now.end, f"Question {i + 1} was not answered"))
                resident.append(resident_mb())
                progress.advance(task)
            for i in range(ATTEMPTS * counts[1]):
                if len(barge_ins) == counts[1]:
                    break
                if (seconds := await caller.interrupt(said[i % len(said)], stop)) is not None:
                    barge_ins.append(seconds)
                    progress.advance(task)
    return Talked(answered, resident, barge_ins, caller.recording.dropped_frames())


def _gaps(turns: Sequence[Turn], book: Book) -> list[float]:
    """Silence after the opener in s, for each reply that began with an opener of the ``book`` and went on."""
    openers = {sentence.text for sentence in book.sentences(list(book.languages), {})}
    heard = [turn.sounding for turn in turns if turn.sounding.lines and turn.sounding.lines[0] in openers]
    return [reply.first_gap for reply in heard if reply.first_gap is not None]


def _figures(talked: Talked, gaps: Sequence[float], changed: Mapping[str, int]) -> Figures:
    turns = talked.turns
    stages = {name: [turn.steps[name] for turn in turns if name in turn.steps] for name in STAGES}
    sounds = [1000 * turn.times["first_audio"] for turn in turns if "first_audio" in turn.times]
    return {
        "first_audio_ms": spread_of(sounds),
        "first_frame_ms": spread_of(
            [1000 * turn.times["first_frame"] for turn in turns if "first_frame" in turn.times]
        ),
        "opener_gap_ms": spread_of([1000 * seconds for seconds in gaps]),
        "barge_in_ms": spread_of([1000 * seconds for seconds in talked.barge_ins]),
        "interruptions": len(talked.barge_ins),
        "unheard": sum(map(isinf, talked.barge_ins)),
        "stages": {name: spread_of(values) for name, values in stages.items() if values},
        "waits_ms": [waits(turn) for turn in turns if "first_audio" in turn.times],
        "rss_mb": round(_peak_mb()),
        "growth": {"first_audio_ms": _per_ten(sounds), "rss_mb": _per_ten(talked.resident)},
        "turns": len(turns),
        "opened": len(gaps),
        "changed": dict(changed),
        "dropped_frames": talked.dropped,
    }


def waits(turn: Turn) -> dict[str, float]:
    """How long the first sound of ``turn`` waited for each stage of `WAIT_MEANINGS` once those before it were done, in
    ms. The sum is the latency of that sound at the client, which ``turn`` must have (else KeyError). The language
    model's first token delays nothing if an opener is spoken before it."""
    marks = {name: turn.steps[name] for name in WAIT_MEANINGS if name in turn.steps}
    if marks.get("first_token", 0.0) > marks.get("first_speech", 0.0):
        del marks["first_token"]
    marks["heard"] = 1000 * turn.times["first_audio"]
    waited, done = dict[str, float](), 0.0
    for name, mark in marks.items():
        waited[name] = round(max(0.0, mark - done), 1)
        done = max(done, mark)
    return waited


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _per_ten(values: Sequence[float]) -> float:
    """The Theil-Sen slope of ``values``, per ten turns; 0 if there are fewer than two turns after the first ones."""
    later = list(enumerate(values[min(WARM_TURNS, len(values) // 2) :]))
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(later, 2)]
    return round(10 * median(slopes), 1) if slopes else 0.0


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _print(figures: Figures) -> None:
    table = Table("ms after the end of the user's speech", "p50", "p95", title=f"{figures['turns']} turns")
    for name, spread in figures["stages"].items():
        table.add_row(STAGE_MEANINGS[name], _whole(spread["p50"]), _whole(spread["p95"]))
    table.add_section()
    for label, spread in (
        ("first sound, as the client hears it", figures["first_audio_ms"]),
        ("first speaking frame, as it sees it", figures["first_frame_ms"]),
        (f"silence after the opener of {figures['opened']} replies", figures["opener_gap_ms"]),
        (
            f"user interrupts -> silence, {figures['interruptions']} times, {figures['unheard']} in vain",
            figures["barge_in_ms"],
        ),
    ):
        table.add_row(label, _whole(spread["p50"]), _whole(spread["p95"]))
    console = Console()
    console.print(_waits_table(figures["waits_ms"]))
    console.print(table)
    grown = figures["growth"]
    console.print(f"Ten turns add {grown['first_audio_ms']:.0f} ms to the first sound and {grown['rss_mb']:.1f} MB")
    changes = ", ".join(f"{by} {times}" for by, times in figures["changed"].items())
    console.print(f"Changes to what the language model said, in the last turns: {changes or 'none'}")
    console.print(f"{figures['dropped_frames']} frames dropped, {figures['rss_mb']:.0f} MB of memory at the most")


def _waits_table(turns: Sequence[Mapping[str, float]]) -> Table:
    """A table with a row for each turn."""
    table = Table("turn", *WAIT_MEANINGS.values(), "first sound", title="What each first sound waited for (ms)")
    for i, waited in enumerate(turns):
        cells = [_whole(waited.get(name)) for name in WAIT_MEANINGS]
        table.add_row(str(i + 1), *cells, _whole(sum(waited.values())))
    return table
