"""``companion bench sync``: picture and sound as they leave a real browser, over good and bad networks."""

import asyncio
import json
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypedDict
from urllib.parse import urlencode, urlsplit

import typer
from rich.console import Console
from rich.table import Table

from animator.cli.terminal import fail
from companion.bench.sayings import Spread, sayings, spread_of, text_of
from companion.bench.served import served
from companion.bench.syncing import offsets
from companion.bench.syncing.chromium import chromium
from companion.bench.syncing.notebook import notebook
from companion.bench.syncing.proxy import Network, proxy
from companion.call.caller import Saying, TalkError
from companion.config import Config, ConfigError, load, load_class
from companion.errors import StageError

NETWORKS = {
    "direct": Network(),
    "wifi": Network(delay_s=0.008, jitter_s=0.012, loss=0.001),
    "mobile": Network(delay_s=0.035, jitter_s=0.04, bytes_s=4e6 / 8, loss=0.003),
    "weak": Network(delay_s=0.06, jitter_s=0.08, bytes_s=1e6 / 8, loss=0.01),
}
WORDS = 60  # of each reply: it lasts half a minute, if it is let
PATIENCE_S = 90.0  # s that the page may take beside the time that is measured
CHARACTER = """
extends = "{base}"

[server]
allowed_origins = ["{page}"]

[session]
openers = false
feelings = false
murmurs = false
manners = false
filler_after_ms = 0

[safety]
meaning = false

[llm]
use = "companion.stages.fakes:ScriptedLLM"
replies = ["{reply}"]

[tts]
use = "companion.bench.syncing.clapper:ClapVoice"

[face]
use = "companion.bench.syncing.clapper:ClapAnimator"

[portraits]
use = "companion.avatar.cartoon:CartoonPortraits"

[memory]
use = "companion.stages.fakes:DictMemory"
"""


class Figures(TypedDict):
    """The results for one network. ``late_ms``: by how much a picture is painted after its sound is heard, before it if
    negative; ``offset_ms``: the same without its sign; ``told_ms``: what the player itself believes of its last ten
    seconds; ``drift_ms_per_min``: its slope. ``behind_ms``: from the drawing
    of a picture at the server to its painting. ``silent_ms`` and ``closed_ms``: from the start of the user's speech to
    the last sound, and to the last open mouth; ``interruptions``: how many. ``frames`` and ``missed``: pictures, and
    those of them that were never painted. ``latency_ms``: of this machine's loudspeaker, which is in all of them."""

    late_ms: Spread
    offset_ms: Spread
    told_ms: float | None
    drift_ms_per_min: float
    behind_ms: Spread
    silent_ms: Spread
    closed_ms: Spread
    interruptions: int
    frames: int
    missed: int
    latency_ms: float
    errors: list[str]


def sync(
    minutes: Annotated[float, typer.Option(help="How long, for each network.", min=0.1)] = 1.0,
    network: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(NETWORKS)}; may be repeated. Default: all.")
    ] = None,
    config: Annotated[
        str, typer.Option(help="Whose hearing and turn taking: a file of configs/, or a path.")
    ] = "fakes",
) -> None:
    """Measures in Chromium how far picture and sound are apart, how old they are and how soon an interruption is
    obeyed. The last line of the output is one JSON object."""
    names = network or list(NETWORKS)
    if unknown := [name for name in names if name not in NETWORKS]:
        fail(f"There is no network {unknown[0]!r}. There are: {', '.join(NETWORKS)}.")
    try:
        chosen = load(config)
        stop = asyncio.run(interruption(chosen))
        found = {name: asyncio.run(measure(chosen, stop, NETWORKS[name], 60 * minutes)) for name in names}
    except (TalkError, ConfigError, StageError) as error:
        fail(str(error))
    _print(found)
    typer.echo(json.dumps({"minutes": minutes, "networks": found}))


async def interruption(config: Config) -> Saying:
    """In the configuration's own voice, which is then released."""
    tts = load_class(config.tts, "[tts]")(**config.tts.options)
    vad = partial(load_class(config.vad, "[vad]"), **config.vad.options)
    return (await sayings(tts, vad, config.turns.threshold))[1]


async def measure(config: Config, stop: Saying, network: Network, seconds: float) -> Figures:
    """Talk with the test character for ``seconds`` over ``network`` with the hearing of ``config``, and interrupt it
    with ``stop``. Raises TalkError."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="vasari-sync-"))
        page = await stack.enter_async_context(notebook(stop.audio.astype("<f4").tobytes()))
        server = await stack.enter_async_context(
            served(_with_character(config, page.url, Path(folder) / "sync.toml"), 2, seconds + PATIENCE_S)
        )
        line = await stack.enter_async_context(proxy(network, urlsplit(server.url).port or 0))
        asked = {
            "code": f"{server.url}/vasari.js",
            "server": f"ws://127.0.0.1:{line.port}/v1/realtime",
            "begins": stop.start,
            "seconds": seconds,
        }
        await stack.enter_async_context(chromium(f"{page.url}/measure.html?{urlencode(asked)}"))
        await page.done(seconds + PATIENCE_S)
        return _figures(offsets.read(page.noted))


def _with_character(config: Config, page: str, file: Path) -> Config:
    """The same with the test character, for a ``page`` that may connect; written to ``file``."""
    base, reply = config.path.with_suffix("").as_posix(), "clap " * (WORDS - 1) + "clap."
    file.write_text(CHARACTER.format(base=base, page=page, reply=reply), "utf-8")
    return load(file)


def _figures(notes: offsets.Notes) -> Figures:
    found = offsets.offsets(notes)
    late = [by for _, by in found]
    frames, missed = offsets.missed(notes)
    return Figures(
        late_ms=spread_of(late),
        offset_ms=spread_of([abs(by) for by in late]),
        told_ms=None if (told := notes.stats.get("av_offset_ms")) is None else round(-told, 1),
        drift_ms_per_min=round(offsets.drift(found), 2),
        behind_ms=spread_of([frame.age for frame in notes.frames]),
        silent_ms=spread_of(offsets.silences(notes)),
        closed_ms=spread_of(offsets.closings(notes)),
        interruptions=len(notes.interrupts),
        frames=frames,
        missed=missed,
        latency_ms=round(notes.latency, 1),
        errors=notes.errors,
    )


def _print(found: dict[str, Figures]) -> None:
    columns = (
        "picture late p50; apart p95",
        "drift a minute",
        "behind p50, p95",
        "silent, closed p95",
        "interruptions",
        "pictures, missed",
    )
    table = Table("ms", *columns)
    for name, figures in found.items():
        table.add_row(
            name,
            f"{text_of(figures['late_ms']['p50'])}; {text_of(figures['offset_ms']['p95'])}",
            f"{figures['drift_ms_per_min']:.1f}",
            f"{text_of(figures['behind_ms']['p50'])}, {text_of(figures['behind_ms']['p95'])}",
            f"{text_of(figures['silent_ms']['p95'])}, {text_of(figures['closed_ms']['p95'])}",
            str(figures["interruptions"]),
            f"{figures['frames']}, {figures['missed']}",
        )
    Console().print(table)
