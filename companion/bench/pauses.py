"""Measures endpointing: how often a turn is ended at a mere pause, and the delay until its real end is detected.

Input: synthesized speech with pauses of 0.2 to 1.5 s between its words, or recordings. The VAD, Smart Turn and the
recogniser are the real ones. Output: the trade-off over lengths of silence, and `semantic_vad` at each eagerness.
"""

import statistics
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from animator.media.files import MediaError, read_audio
from companion.config import Turns
from companion.hearing.audio.detection import EAGERNESS, rules
from companion.hearing.audio.microphone import WINDOW, Microphone
from companion.hearing.audio.resampling import Resampler
from companion.hearing.audio.turns import Kind, Rules, TurnDetector
from companion.hearing.transcription import words as cues
from companion.protocol.settings import detection
from companion.stages.protocols import ASR, HEAR_RATE, SPEAK_RATE, TTS, VAD, Samples, TurnEnd, Word

SILENCES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2)  # s of silence that end a turn of `server_vad`
PAUSES = (0.2, 1.5)  # s, the shortest and the longest; log-uniformly distributed
AFTER_S = 9.0  # s of silence after each turn
FADE = 0.01  # s of fade-in and fade-out around a pause
FLOOR = 10 ** (-62 / 20)  # RMS of the background noise, relative to full scale
SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus", ".mp4", ".mpg", ".mkv", ".webm")


@dataclass(frozen=True, slots=True)
class Judgement:
    """At one pause: the probability of `TurnEnd.finished`, and the transcript so far with its language."""

    by_sound: float | None
    text: str
    language: str


@dataclass(slots=True)
class Heard:
    """One turn: the VAD probabilities of its windows, and the judgement at each of its pauses."""

    probabilities: list[float] = field(default_factory=list[float])
    judged: dict[float, Judgement] = field(default_factory=dict[float, Judgement])  # by the time of the pause, s


@dataclass(frozen=True, slots=True)
class Lags:
    """Latency in s from a pause to its judgement by sound and to its transcript: CPU time, as on an idle machine."""

    sound: float
    words: float


@dataclass(frozen=True, slots=True)
class Point:
    """The result of one setting. ``cut_off``: share of pauses at which the turn was ended; ``turns_cut``: share of
    turns that were ended early. ``delay`` (mean) and ``delay_p95``: s from the end of speech until it was detected."""

    name: str
    cut_off: float
    turns_cut: float
    delay: float
    delay_p95: float


def lines(part: str) -> list[str]:
    """The lines of ``part`` of dialogues.toml: "tune" or "held_out". Raises KeyError for another."""
    return tomllib.loads((Path(__file__).parent / "dialogues.toml").read_text("utf-8"))[part]


async def spoken(tts: TTS, line: str, rng: np.random.Generator) -> Samples:
    """A line of dialogues.toml -> (n,) float32 at `HEAR_RATE`, with pauses of random length at its marks "|", "~"."""
    words, marked = [], set[int]()
    for token in line.split():
        if token in "|~":
            marked.add(len(words))
        else:
            words.append(token)
    audio, times = await _say(tts, " ".join(words))
    cuts = [0, *(_between(times, i) for i in sorted(marked) if len(times) == len(words)), len(audio)]
    parts: list[Samples] = []
    for first, last in zip(cuts, cuts[1:], strict=False):
        silence = np.exp(rng.uniform(*np.log(PAUSES))) if last < len(audio) else 0.3
        parts += [_faded(audio[first:last]), np.zeros(int(silence * SPEAK_RATE), np.float32)]
    sound = Resampler(SPEAK_RATE)(np.concatenate(parts))
    return (sound + FLOOR * rng.standard_normal(len(sound))).astype(np.float32)


def recorded(folder: Path) -> Iterator[Samples]:
    """The turns in a folder's recordings, each (n,) float32 at `HEAR_RATE`. NAME.txt beside NAME.wav may list several
    turns, a line "start end" in s for each; without it the recording is one turn.

    Raises:
        MediaError: the folder has no recording, or one cannot be read.
        ValueError: a line does not hold two numbers.
    """
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SOUNDS]
    if not paths:
        raise MediaError(f"There is no recording in {folder}. Expected: {', '.join(SOUNDS)}.")
    for path in paths:
        audio, labels = read_audio(path, HEAR_RATE), path.with_suffix(".txt")
        if not labels.is_file():
            yield audio
            continue
        for line in filter(str.strip, labels.read_text("utf-8").splitlines()):
            start, end = (float(number) for number in line.split()[:2])
            yield audio[int(start * HEAR_RATE) : int(end * HEAR_RATE)]


async def hear(said: Samples, vad: VAD, turn_end: TurnEnd, asr: ASR, lags: list[Lags], turns: Turns) -> Heard:
    """Process one turn, (n,) float32 at `HEAR_RATE`, by the rules of ``turns``, and judge every pause in it. The lags
    measured on this machine are appended to ``lags``."""
    heard = Heard()

    def noting(audio: Samples) -> float:
        heard.probabilities.append(vad(audio))
        return heard.probabilities[-1]

    endless = replace(_rules(turns), silence=AFTER_S + 1.0, patience=None, max_turn=np.inf)
    microphone = Microphone(noting, endless, HEAR_RATE)
    whole = np.concatenate([said, np.zeros(int(AFTER_S * HEAR_RATE), np.float32)])
    for first in range(0, len(whole), WINDOW):
        for turn in microphone.hear(whole[first : first + WINDOW]):
            if turn.kind is Kind.PAUSED:
                so_far, begun = microphone.so_far(turn.at), time.process_time()
                by_sound = await turn_end.finished(so_far)
                sounded = time.process_time()
                words = await asr.transcribe(so_far)
                lags.append(Lags(sounded - begun, max(sounded - begun, time.process_time() - sounded)))  # in parallel
                heard.judged[turn.at] = Judgement(by_sound, words.text, words.language)
    return heard


def ends(heard: Heard, by: Rules, lags: Lags) -> list[tuple[float, float]]:
    """The turns that the rules ``by`` find in ``heard``: (end of its speech, time at which that was detected), in s."""
    detector, step = TurnDetector(by), WINDOW / HEAR_RATE
    found: list[tuple[float, float]] = []
    due: list[tuple[float, float]] = []  # (time at which a judgement arrives, probability of the end)
    for probability in heard.probabilities:
        while due and due[0][0] <= detector.now:
            detector.expect(due.pop(0)[1])
        turn = detector.feed(probability, step)
        if turn is None:
            continue
        due = []
        if turn.kind is Kind.STOPPED:
            found.append((turn.at, detector.now))
        elif turn.kind is Kind.PAUSED and (judged := heard.judged.get(turn.at)) and judged.by_sound is not None:
            words = cues.done(judged.by_sound, judged.text, judged.language)
            detector.expect(cues.MOST_WITHOUT_WORDS)
            due = [
                (detector.now + lags.sound, min(judged.by_sound, cues.MOST_WITHOUT_WORDS)),
                (detector.now + lags.words, words),
            ]
    return found


def curve(heard: Sequence[Heard], lags: Lags, turns: Turns) -> list[Point]:
    """A point for each setting of `ways`."""
    return [_point(name, heard, by, lags) for name, by in ways(turns).items()]


def ways(turns: Turns) -> dict[str, Rules]:
    """The settings to compare: `server_vad` with each length of `SILENCES`, then `semantic_vad` at each eagerness; all
    else as in ``turns``."""
    plain = {
        f"silence {s:.1f} s": _rules(turns, type="server_vad", silence_duration_ms=round(1000 * s)) for s in SILENCES
    }
    named = [name for name in EAGERNESS if name != "auto"]
    return plain | {f"semantic, {name}": _rules(turns, type="semantic_vad", eagerness=name) for name in named}


def _rules(turns: Turns, **change: Any) -> Rules:
    found = rules(replace(detection(turns), **change), turns)
    assert found is not None
    return found


def _point(name: str, turns: Sequence[Heard], by: Rules, lags: Lags) -> Point:
    pauses, cut, turns_cut, delays = 0, 0, 0, list[float]()
    for heard in turns:
        pauses += sum(at < max(heard.judged) for at in heard.judged)
        found = ends(heard, by, lags)
        cut += len(found) - 1
        turns_cut += len(found) > 1
        delays.append(found[-1][1] - found[-1][0])
    spread = float(np.percentile(delays, 95))
    return Point(name, cut / max(1, pauses), turns_cut / len(turns), statistics.fmean(delays), spread)


def typical(lags: Sequence[Lags]) -> Lags:
    """The median of each lag. Raises StatisticsError if ``lags`` is empty."""
    return Lags(statistics.median(lag.sound for lag in lags), statistics.median(lag.words for lag in lags))


async def _say(tts: TTS, text: str) -> tuple[Samples, list[Word]]:
    """A text's audio, (n,) at `SPEAK_RATE`, and its word timings in s."""
    parts: list[Samples] = []
    words: list[Word] = []
    at = 0.0
    async for piece in tts.speak(text):
        words += [Word(word.text, word.start + at, word.end + at) for word in piece.words]
        parts.append(piece.audio)
        at += len(piece.audio) / SPEAK_RATE
    return np.concatenate(parts), words


def _between(words: Sequence[Word], index: int) -> int:
    """The sample in the middle between a word and the one before."""
    return int(0.5 * (words[index - 1].end + words[index].start) * SPEAK_RATE)


def _faded(audio: Samples) -> Samples:
    faded, n = audio.copy(), int(FADE * SPEAK_RATE)
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    faded[:n] *= ramp
    faded[-n:] *= ramp[::-1]
    return faded
