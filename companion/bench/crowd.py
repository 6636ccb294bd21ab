"""``companion bench load``: how many concurrent conversations a server can hold.

Simulated callers talk to a real server, in a process of its own, over real websockets: they play recorded speech, barge
in, hang up during an answer and call again.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, TypedDict

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from animator.cli.terminal import fail
from animator.media.files import MediaError
from companion.bench.sayings import Spread, quantile, sayings, spread_of, text_of
from companion.bench.served import Served, served
from companion.call.caller import Caller, Saying, TalkError
from companion.call.distant import dial
from companion.config import Config, ConfigError, load, load_class
from companion.errors import StageError

FIRST_SOUND_MS = 2500.0  # ms, acceptable p95 latency of the first sound
ACTS = ("ask", "interrupt", "ask", "leave")  # what each caller does, in a loop
PATIENCE_S = 30.0  # s without a sign of an answer after which a caller gives up
APART_S = 3.0  # s within which all callers start, at random
AWAY_S = 1.0  # s after hanging up until a caller calls again
LISTENED_S = (0.2, 2.0)  # s of an answer that are heard before a caller hangs up
AGAIN_S = 5.0  # s after being refused until a caller calls again
FULL_CODES = ("session_limit_reached", "server_busy", "server_draining")


class Late(TypedDict):
    """A quantile in ms; None as in `Spread`."""

    p95: float | None


class Figures(TypedDict):
    """The results for one number of sessions.

    ``first_audio_ms``: from the end of the user's speech to the first audible sound of the answer. ``barge_in_ms``:
    from the start of the interrupting speech to the last audible sound of the answer. A turn without an answer counts
    as infinite; an infinite quantile is None. ``dropped_frames``: frames that never arrived, over all sessions.
    ``cpu_cores``: mean usage of the server; ``rss_mb``: the larger of its memory before and after; None if unknown.
    """

    first_audio_ms: Spread
    barge_in_ms: Late
    dropped_frames: int
    cpu_cores: float | None
    rss_mb: float | None


@dataclass(slots=True)
class _Seen:
    """The observations of all callers. ``failed``: the acts that failed, with the reason; ``refused``: the error codes
    of refused calls."""

    first_audio: list[float] = field(default_factory=list[float])  # ms
    barge_in: list[float] = field(default_factory=list[float])  # ms
    dropped: int = 0
    failed: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Person:
    """A simulated caller, who starts with act ``number`` of `ACTS`."""

    number: int
    server: Served
    questions: Sequence[Saying]
    stop: Saying
    seen: _Seen
    rng: random.Random

    async def live(self, until: float) -> None:
        """Call again and again until the time ``until`` (`time.monotonic`, s). Raises TalkError."""
        await asyncio.sleep(self.rng.uniform(0.0, APART_S))
        acts = self.number
        while time.monotonic() < until:
            try:
                acts = await self._call(acts, until)
                await asyncio.sleep(AWAY_S)
            except TalkError as error:
                if error.code not in FULL_CODES:
                    raise
                self.seen.refused.append(error.code)
                await asyncio.sleep(AGAIN_S)

    async def _call(self, number: int, until: float) -> int:
        """One call: act from ``number`` on to a "leave", or ``until`` that time -> the number of the next act."""
        act = ""
        async with dial(self.server.realtime, self.server.key, PATIENCE_S) as caller:
            try:
                while time.monotonic() < until and act != "leave":
                    act, number = ACTS[number % len(ACTS)], number + 1
                    await getattr(self, f"_{act}")(caller)
            except TalkError as error:
                self.seen.failed.append(f"{act}: {error.code or 'nothing came'}")
                (self.seen.barge_in if act == "interrupt" else self.seen.first_audio).append(np.inf)
            finally:
                self.seen.dropped += caller.recording.dropped_frames()
        return number

    async def _ask(self, caller: Caller) -> None:
        question = self.rng.choice(self.questions)
        turn = await caller.ask(question.audio, question.end, "A question was not answered")
        self.seen.first_audio += [1000 * turn.times["first_audio"]] if "first_audio" in turn.times else []

    async def _interrupt(self, caller: Caller) -> None:
        seconds = await caller.interrupt(self.rng.choice(self.questions), self.stop)
        self.seen.barge_in += [] if seconds is None else [1000 * seconds]

    async def _leave(self, caller: Caller) -> None:
        turn = caller.recording.begin_turn()
        caller.microphone.play(self.rng.choice(self.questions).audio)
        await caller.until(lambda: "first_audio" in turn.times or bool(turn.status), "There was no answer to leave")
        await asyncio.sleep(self.rng.uniform(*LISTENED_S))


def load_bench(
    sessions: Annotated[list[int] | None, typer.Option(help="Callers at a time; may be repeated.", min=1)] = None,
    seconds: Annotated[float, typer.Option(help="How long each number of them talks.", min=1.0)] = 90.0,
    config: Annotated[str, typer.Option(help="A file of configs/, or a path to one.")] = "default",
    wav: Annotated[list[Path] | None, typer.Option(help="Recorded questions instead of synthesized ones.")] = None,
    stop: Annotated[Path | None, typer.Option(help="A recorded interruption instead of a synthesized one.")] = None,
    url: Annotated[
        str, typer.Option(help="A server that runs already, http://host:port; its key: VASARI_API_KEY.")
    ] = "",
) -> None:
    """Measures how many concurrent conversations a server can hold. The last line of the output is one JSON object."""
    try:
        chosen = load(config)
        # The questions are synthesized with the server's own voice, which is then released.
        tts = None if wav and stop else load_class(chosen.tts, "[tts]")(**chosen.tts.options)
        vad = partial(load_class(chosen.vad, "[vad]"), **chosen.vad.options)
        said = asyncio.run(sayings(tts, vad, chosen.turns.threshold, wav or (), stop))
        del tts
        found = {n: asyncio.run(_measure(chosen, n, seconds, said, url)) for n in sorted(set(sessions or (1, 2, 4)))}
    except (TalkError, MediaError, ConfigError, StageError) as error:
        fail(str(error))
    _print(found)
    typer.echo(json.dumps({"sessions": {str(n): figures for n, (figures, _) in found.items()}}))


async def _measure(
    config: Config, sessions: int, seconds: float, said: tuple[list[Saying], Saying], url: str
) -> tuple[Figures, _Seen]:
    """Run so many callers against a new server, or the one at ``url``, for ``seconds``."""
    seen = _Seen()
    there = Served(url.rstrip("/"), config.server.api_key)
    # Twice the sessions: a call that has just ended may hold its place for a moment longer.
    async with nullcontext(there) if url else served(config, 2 * sessions, seconds) as server:
        before, begun = await server.figures(), time.monotonic()
        resident = [before.get("process_resident_memory_bytes", 0.0)]
        async with asyncio.TaskGroup() as group:
            for number in range(sessions):
                person = _Person(number, server, *said, seen, random.Random(number))
                group.create_task(person.live(begun + seconds))
        after, lasted = await server.figures(), time.monotonic() - begun
        resident.append(after.get("process_resident_memory_bytes", 0.0))
    used = after.get("process_cpu_seconds_total", 0.0) - before.get("process_cpu_seconds_total", 0.0)
    figures = Figures(
        first_audio_ms=spread_of(seen.first_audio),
        barge_in_ms=Late(p95=quantile(seen.barge_in, 0.95)),
        dropped_frames=seen.dropped,
        cpu_cores=round(used / lasted, 2) if used else None,
        rss_mb=round(max(resident) / 1e6) or None,
    )
    return figures, seen


def good(figures: Figures) -> bool:
    """Whether the p95 latency is at most `FIRST_SOUND_MS` and no frame was dropped."""
    late = figures["first_audio_ms"]["p95"]
    return late is not None and late <= FIRST_SOUND_MS and not figures["dropped_frames"]


def knee(found: dict[int, Figures]) -> int:
    """The largest number of sessions up to which every measured one is `good`; 0 if none is."""
    bad = min((n for n, figures in found.items() if not good(figures)), default=max(found) + 1)
    return max((n for n in found if n < bad), default=0)


def _print(found: dict[int, tuple[Figures, _Seen]]) -> None:
    columns = (
        "turns",
        "first sound p50, p95 (ms)",
        "barge-in p95 (ms)",
        "frames dropped",
        "cores",
        "MB",
        "failed, refused",
    )
    table = Table("sessions", *columns)
    for n, (figures, seen) in found.items():
        first, late = figures["first_audio_ms"], figures["barge_in_ms"]["p95"]
        table.add_row(
            str(n),
            str(len(seen.first_audio)),
            f"{text_of(first['p50'])}, {text_of(first['p95'])}",
            f"{text_of(late)} ({len(seen.barge_in)})",
            str(figures["dropped_frames"]),
            str(figures["cpu_cores"]),
            str(figures["rss_mb"]),
            f"{_counted(seen.failed)}; {_counted(seen.refused)}",
        )
    console = Console()
    console.print(table)
    most = knee({n: figures for n, (figures, _) in found.items()})
    what = f"first sound within {FIRST_SOUND_MS / 1000} s at p95 and no frame lost"
    console.print(f"Up to {most} sessions: {what}." if most else f"With none of these: {what}.")


def _counted(what: list[str]) -> str:
    return ", ".join(f"{times} x {one}" for one, times in Counter(what).items()) or "0"
