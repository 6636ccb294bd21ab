"""``companion bench hearing``: word error rates on recordings of people, as they are and made worse."""

import asyncio
import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import av
import numpy as np
import typer
from av.error import FFmpegError
from rich.console import Console
from rich.table import Table
from scipy.signal import resample_poly

from animator.cli.terminal import fail
from animator.media.decoding import decode
from companion.bench.rooms import Scene, echo, levelled, pink
from companion.config import load, load_class
from companion.conversation.items import Conversation
from companion.hearing.transcription.transcripts import Transcripts
from companion.stages.protocols import ASR, HEAR_RATE, Samples, Transcript
from companion.tasks import Tasks
from companion.understanding.numbers import read

SPEECH_DB, QUIET_DB = -22.0, -35.0  # dBFS of the loud parts of speech: usual, and of a microphone that is far too low
NOISE_DB, HUM_DB = 10.0, 20.0  # dB by which speech is above the noise
FAR = Scene(delay=0.0, gain=0.0, room=0.7, direct=-6.0, noise=-58.0)  # across a room that echoes
LISTED = ("file", "text")  # columns that the list must have
NUMBERS_READ = frozenset({"en", "de", "fr", "es"})  # languages in which two is 2
SPACELESS = frozenset({"ja", "zh", "th"})  # languages whose characters are counted instead of words


@dataclass(frozen=True, slots=True)
class Said:
    """A recording, (n,) at `HEAR_RATE`, its words, its language (ISO 639-1; "" if nobody says), and its group."""

    name: str
    audio: Samples
    text: str
    language: str = ""
    group: str = ""


@dataclass(slots=True)
class Score:
    """Over all recordings under one condition: ``errors`` in ``words``; how many of ``turns`` were not understood at
    all, were taken for another language, or got more than twice their words (what nobody said)."""

    turns: int = 0
    words: int = 0
    errors: int = 0
    missed: int = 0
    foreign: int = 0
    invented: int = 0

    def add(self, said: Said, heard: Transcript) -> None:
        """Count one transcript."""
        spoken, found = words(said.text, said.language), words(heard.text, said.language)
        self.turns, self.words = self.turns + 1, self.words + len(spoken)
        self.errors += distance(spoken, found)
        self.missed += not found
        self.foreign += bool(said.language and heard.text and heard.language != said.language)
        self.invented += len(found) > 2 * len(spoken) + 2

    @property
    def rate(self) -> float:
        """Errors per word."""
        return self.errors / max(1, self.words)


def words(text: str, language: str = "") -> list[str]:
    """``text`` as it is compared: lower case, no marks, numbers in digits as far as they can be read; characters where
    words are not separated."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    text = " ".join(read(text, language or "en").tokens) if text.isascii() or language in NUMBERS_READ else text
    plain = re.sub(r"[^\w\s']", " ", text)
    return list("".join(plain.split())) if language in SPACELESS else plain.split()


def distance(said: list[str], heard: list[str]) -> int:
    """The fewest substitutions, insertions and deletions that make one of the other."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def _far(audio: Samples, rng: np.random.Generator) -> Samples:
    return levelled(echo(audio, FAR, rng), SPEECH_DB - 8)


def _noisy(audio: Samples, rng: np.random.Generator) -> Samples:
    speech = levelled(audio, SPEECH_DB)
    return (speech + pink(len(audio), rng) * 10 ** ((SPEECH_DB - NOISE_DB) / 20)).astype(np.float32)


def _telephone(audio: Samples, rng: np.random.Generator) -> Samples:
    narrow = resample_poly(resample_poly(audio, 1, 2), 2, 1)[: len(audio)]
    return (levelled(narrow, SPEECH_DB) + pink(len(audio), rng) * 10 ** ((SPEECH_DB - HUM_DB) / 20)).astype(np.float32)


CONDITIONS: dict[str, Callable[[Samples, np.random.Generator], Samples]] = {
    "as recorded": lambda audio, _: audio,
    "far": _far,
    "noisy": _noisy,
    "telephone": _telephone,
    "quiet": lambda audio, _: levelled(audio, QUIET_DB),
}


def recordings(listed: Path) -> Iterator[Said]:
    """Those of a CSV file with the columns ``file`` (beside it), ``text`` and, if known, ``language`` and ``group``.

    Raises ValueError for a file that is no such list or names a recording that cannot be read.
    """
    with listed.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if missing := set(LISTED) - set(rows.fieldnames or ()):
            raise ValueError(f"{listed}: there is no column {missing.pop()!r}")
        for row in rows:
            path = listed.parent / row["file"]
            try:
                with av.open(str(path)) as container:
                    audio = decode(container, HEAR_RATE).sound
            except (OSError, FFmpegError) as error:
                raise ValueError(f"{path} cannot be read: {error}") from error
            yield Said(row["file"], audio, row["text"], row.get("language") or "", row.get("group") or "")


async def measure(asr: ASR, said: list[Said], seed: int = 0) -> dict[str, dict[str, Score]]:
    """Every recording under every condition, each heard as the first turn of a session -> scores by group ("" for all)
    and condition."""
    scores: dict[str, dict[str, Score]] = {}
    async with Tasks("bench") as tasks:
        for one in said:
            for name, worsen in CONDITIONS.items():
                turn = Transcripts(asr, Conversation(), lambda _: None, tasks.spawn)
                heard = await turn.transcribe(worsen(one.audio, np.random.default_rng(seed)))
                result = heard if isinstance(heard, Transcript) else Transcript("", one.language)
                for group in {"", one.group}:
                    scores.setdefault(group, {}).setdefault(name, Score()).add(one, result)
    return scores


def hearing(
    listed: Annotated[Path, typer.Argument(help="A CSV file: file, text and, if known, language and group.")],
    config: Annotated[str, typer.Option(help="Its [asr] is measured.")] = "default",
    seed: Annotated[int, typer.Option(help="Of noises and rooms.")] = 0,
) -> None:
    """Measures how well recordings of people are heard: as they are, across a room, in noise, by telephone, quiet."""
    stage = load(config).asr
    try:
        said = list(recordings(listed))
    except (OSError, ValueError) as error:
        fail(str(error))
    asr: Any = load_class(stage, "[asr]")(**stage.options)
    scores = asyncio.run(measure(asr, said, seed))
    table = Table("group", "condition", "turns", "word errors", "not heard", "other language", "invented", box=None)
    for group in sorted(scores):
        for name, score in scores[group].items():
            counts = (str(score.missed), str(score.foreign), str(score.invented))
            table.add_row(group or "all", name, str(score.turns), f"{100 * score.rate:.1f} %", *counts)
    Console().print(table)
    figures = {group or "all": {name: score.rate for name, score in found.items()} for group, found in scores.items()}
    typer.echo(json.dumps({"turns": len(said), "word_error_rate": figures}))
