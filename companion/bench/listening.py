"""``python -m companion.bench.listening turns | echo | sounds``: measures endpointing and barge-in; ends in JSON."""

import asyncio
import functools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy.signal import resample_poly

from companion.bench import echoes, rooms
from companion.bench import pauses as bench_turns
from companion.bench.echoes import Outcome, Reactions
from companion.bench.pauses import Heard, Lags
from companion.bench.rooms import Ranges
from companion.config import load
from companion.stages.asr import FasterWhisper
from companion.stages.protocols import HEAR_RATE, TTS, Samples
from companion.stages.tts import Hibari, Kokoro
from companion.stages.turn_end import SmartTurn
from companion.stages.vad import Silero

REPLIES = (
    "I would be happy to tell you about it. The sea is wide and mostly blue, and it keeps its secrets well.",
    "Well, that is a good question! Let me think about it. The best way is to start early, and to take your time.",
    "Oh, I am sorry to hear that. Would you like to talk about what happened today? I am here, and I have time.",
    "Once upon a time there was a little dragon who could not fly. Every morning he climbed a hill and jumped.",
)
INTERRUPTIONS = (
    "Wait, please stop. I want to ask you something else.",
    "Sorry, can I say something about that?",
    "No, that is not what I meant.",
    "Hold on a second, I did not get the last part.",
)
BACKCHANNELS = ("Mm-hmm.", "Yeah.", "Okay.", "Right.", "I see.", "Uh-huh.", "Oh, really?", "Yeah, sure.")
WORDS = ("Stop.", "Wait.", "No.", "What?", "Hold on.", "Be quiet, please.")
DEEPER_FREQUENCIES = 0.8  # factor of a voice's frequencies that makes it another person's
OVERLAP_AFTER_S = 3.0  # s of the reply before the overlapping sound starts

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
VOICES = Annotated[list[str] | None, typer.Option("--voice", help="hibari, or a voice of Kokoro; may be repeated.")]


@app.command()
def turns(
    folder: Annotated[Path | None, typer.Option(help="Recordings, a turn each, instead of synthesized speech.")] = None,
    voice: VOICES = None,
    part: Annotated[str, typer.Option(help="Lines of dialogues.toml: held_out or tune.")] = "held_out",
    repeat: Annotated[int, typer.Option(help="How often each line is said, with other pauses.", min=1)] = 2,
) -> None:
    """Measures endpointing: turns cut off at pauses, and the delay at their ends, for several lengths of silence and
    for semantic_vad; the other settings are those of configs/default.toml."""
    said = list(bench_turns.recorded(folder)) if folder else asyncio.run(_synthesize(voice or ["hibari"], part, repeat))
    heard, lags = asyncio.run(_hear(said))
    points = bench_turns.curve(heard, lags, load().turns)
    table = Table("turn ends by", "pauses cut off", "turns cut off", "delay, mean", "p95", box=None)
    for point in points:
        shares = (f"{100 * share:.1f} %" for share in (point.cut_off, point.turns_cut))
        table.add_row(point.name, *shares, f"{point.delay:.2f} s", f"{point.delay_p95:.2f} s")
    Console().print(table)
    typer.echo(json.dumps({"turns": len(heard), "lags_s": asdict(lags), "curve": [asdict(point) for point in points]}))


@app.command()
def echo(
    voice: VOICES = None,
    part: Annotated[str, typer.Option(help="Rooms, loudspeakers and levels: held_out or tune.")] = "held_out",
    scenes: Annotated[int, typer.Option(help="How many of them are tried.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Measures barge-in with echo from loudspeakers: how often the face gives way to itself, and how soon to a user."""
    found = asyncio.run(_echoes(voice or ["hibari"], rooms.PARTS[part], scenes, seed))
    table = Table("scenes", "gives way to itself", "interrupts itself", "user missed", "with headphones", box=None)
    table.add_column("gives way after")
    rows = {name: echoes.summary(group) for name, group in echoes.groups(found).items()}
    for name, row in rows.items():
        keys = ("false_holds", "false_interruptions", "missed", "missed_without_echo")
        shares = (f"{100 * (row[key] or 0):.1f} %" for key in keys)
        table.add_row(
            f"{name} ({row['scenes']})", *shares, f"{row['hold_s'] or 0:.2f} s, p95 {row['hold_p95_s'] or 0:.2f} s"
        )
    Console().print(table)
    typer.echo(json.dumps({"part": part} | rows))


@app.command()
def sounds(voice: VOICES = None) -> None:
    """Measures which sounds interrupt a reply, with the real recogniser: noises, backchannels, real interruptions."""
    found = asyncio.run(_sounds(voice or ["hibari"]))
    table = Table("over a reply", "tried", "gives way", "pauses", "interrupted", box=None)
    for name, row in found.items():
        held, interrupted = (f"{100 * (row[key] or 0):.0f} %" for key in ("held", "interrupted"))
        table.add_row(name, str(row["tried"]), held, f"{row['pause_s']:.2f} s" if row["pause_s"] else "", interrupted)
    Console().print(table)
    typer.echo(json.dumps(found))


async def _echoes(voices: list[str], ranges: Ranges, scenes: int, seed: int) -> list[Outcome]:
    asr, rng = FasterWhisper(), np.random.default_rng(seed)
    replies = [await _said(Hibari(), text) for text in REPLIES]
    users = [await _user(voice, text) for voice in voices for text in INTERRUPTIONS]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        return [
            await echoes.over(replies, users, ranges.draw(rng), asr, rng)
            for _ in progress.track(range(scenes), description="Listening")
        ]


async def _sounds(voices: list[str]) -> dict[str, dict[str, float | None]]:
    asr, rng = FasterWhisper(), np.random.default_rng(0)
    reply = np.concatenate([await _said(Hibari(), text) for text in REPLIES[:2]])
    heard: dict[str, list[Samples]] = {name: [sound] for name, sound in rooms.noises(rng).items()}
    for text in BACKCHANNELS + WORDS:
        heard[text] = [await _user(voice, text) for voice in voices]
    tried = {name: await _over(reply, found, asr, rng) for name, found in heard.items()}
    kinds = {"all listening": BACKCHANNELS, "all words": WORDS, "all noises": [*tried][: -len(BACKCHANNELS + WORDS)]}
    rows = tried | {kind: [one for name in names for one in tried[name]] for kind, names in kinds.items()}
    return {name: _reacted(found) for name, found in rows.items()}


async def _over(reply: Samples, found: list[Samples], asr: FasterWhisper, rng: np.random.Generator) -> list[Reactions]:
    """Play each of ``found`` over the reply, with headphones (no echo), at -20 and -30 dBFS."""
    reactions: list[Reactions] = []
    for sound in found:
        for level in (-20.0, -30.0):
            room = 10 ** (-60 / 20) * rooms.pink(len(reply) * 2 // 3, rng).astype(np.float32)
            first = int(OVERLAP_AFTER_S * HEAR_RATE)
            room[first : first + len(sound)] += rooms.levelled(sound, level)[: len(room) - first]
            reactions.append(await echoes.listen(reply, room, asr))
    return reactions


def _reacted(found: Sequence[Reactions]) -> dict[str, float | None]:
    """Shares in [0, 1] of the trials, and the median pause in s after which the face went on."""
    pauses = [sum(one.pauses) for one in found if one.pauses and not one.interrupted]
    return {
        "tried": len(found),
        "held": echoes.share([bool(one.held) for one in found]),
        "pause_s": float(np.median(pauses)) if pauses else None,
        "interrupted": echoes.share([bool(one.interrupted) for one in found]),
    }


async def _user(voice: str, text: str) -> Samples:
    """``text`` as (n,) float32 at `HEAR_RATE`, in a voice other than the face's."""
    said = echoes.hear_rate(await _said(_voice(voice), text))
    return _deeper(said) if voice == "hibari" else said


@functools.cache
def _voice(name: str) -> TTS:
    return Hibari() if name == "hibari" else Kokoro(name)


async def _said(tts: TTS, text: str) -> Samples:
    return np.concatenate([piece.audio async for piece in tts.speak(text)])


def _deeper(sound: Samples) -> Samples:
    """The same speech, slower and lower, so that it counts as another person's."""
    return np.asarray(resample_poly(sound, 10, round(10 * DEEPER_FREQUENCIES)), np.float32)


async def _synthesize(voices: list[str], part: str, repeat: int) -> list[Samples]:
    said: list[Samples] = []
    for voice in voices:
        tts = _voice(voice)
        for number, line in enumerate(bench_turns.lines(part)):
            for again in range(repeat):
                said.append(await bench_turns.spoken(tts, line, np.random.default_rng([number, again, len(voice)])))
    return said


async def _hear(said: list[Samples]) -> tuple[list[Heard], Lags]:
    """`Heard` for each recording that holds a pause after speech, and the median lags of this machine."""
    judge, asr, lags, turns = SmartTurn(), FasterWhisper(), list[Lags](), load().turns
    with Progress(console=Console(stderr=True), transient=True) as progress:
        found = [
            await bench_turns.hear(audio, Silero(), judge, asr, lags, turns)
            for audio in progress.track(said, description="Listening")
        ]
    return [heard for heard in found if heard.judged], bench_turns.typical(lags)


if __name__ == "__main__":
    app()
