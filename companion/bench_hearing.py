"""``python -m companion.bench_hearing turns | echo``: what the companion hears, measured. The last line is JSON."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from companion import bench_turns
from companion.asr import FasterWhisper
from companion.bench_turns import Heard, Lags
from companion.endpoint import SmartTurn
from companion.stages import TTS, Samples
from companion.tts import Hibari, Kokoro
from companion.vad import Silero

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
VOICES = Annotated[list[str] | None, typer.Option("--voice", help="hibari, or a voice of Kokoro; may be repeated.")]


@app.command()
def turns(
    folder: Annotated[Path | None, typer.Option(help="Recordings, a turn each, instead of synthesized speech.")] = None,
    voice: VOICES = None,
    part: Annotated[str, typer.Option(help="Lines of bench_dialogues.toml: held_out or tune.")] = "held_out",
    repeat: Annotated[int, typer.Option(help="How often each line is said, with other pauses.", min=1)] = 2,
) -> None:
    """Turns cut off and time lost at their ends, for lengths of silence and for semantic_vad."""
    said = list(bench_turns.recorded(folder)) if folder else asyncio.run(_synthesize(voice or ["hibari"], part, repeat))
    heard, lags = asyncio.run(_hear(said))
    points = bench_turns.curve(heard, lags)
    table = Table("turn ends by", "pauses cut off", "turns cut off", "delay, mean", "p95", box=None)
    for point in points:
        shares = (f"{100 * share:.1f} %" for share in (point.cut_off, point.turns_cut))
        table.add_row(point.name, *shares, f"{point.delay:.2f} s", f"{point.delay_p95:.2f} s")
    Console().print(table)
    typer.echo(json.dumps({"turns": len(heard), "lags_s": asdict(lags), "curve": [asdict(point) for point in points]}))


async def _synthesize(voices: list[str], part: str, repeat: int) -> list[Samples]:
    said: list[Samples] = []
    for voice in voices:
        tts: TTS = Hibari() if voice == "hibari" else Kokoro(voice)
        for number, line in enumerate(bench_turns.lines(part)):
            for again in range(repeat):
                said.append(await bench_turns.spoken(tts, line, np.random.default_rng([number, again, len(voice)])))
    return said


async def _hear(said: list[Samples]) -> tuple[list[Heard], Lags]:
    """What has speech in it, as it was heard, and how long judging takes."""
    judge, asr, lags = SmartTurn(), FasterWhisper(), list[Lags]()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        found = [
            await bench_turns.hear(audio, Silero(), judge, asr, lags)
            for audio in progress.track(said, description="Listening")
        ]
    return [heard for heard in found if heard.judged], bench_turns.typical(lags)


if __name__ == "__main__":
    app()
