"""Laughter in a speaker's own voice: the vowel of its "ha" is made to laugh, by a source and a filter.

A voice reads "haha" as a word. People laugh in short breathy calls, five a second, higher than they speak, and falling
in pitch and loudness (Bachorowski, Smoski and Owren, 2001).
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from animator.motion.voice.intonation import VOICED_PERIODICITY, pitches
from companion.speech.breath import breath
from companion.stages.protocols import SPEAK_RATE, Samples, Word

SAMPLE = "Ha!"  # what a voice says so that its laughter can be made of it
ORDER = 28  # coefficients of the filter of the throat
WINDOW, HOP = 960, 240  # samples: 40 ms and 10 ms
WINDOWS = 5  # the loudest ones are the vowel
FEWEST, MOST = 3, 6  # calls
PERIOD_S, SLOWER = 0.19, 0.008  # s from call to call, and by how much each is longer than the last
VOICED_S, ASPIRATED_S = 0.095, 0.075  # s of a call, and of the "h" before it
HIGHER, FALLING = (
    1.75,
    0.11,
)  # of the speaking pitch: the first call's, and by how much each is lower
LOUDEST, SOFTER = 0.11, 0.82  # RMS of the first call, and each as a share of the last
PEAK = 0.6  # most of a sample
BREATHY = 0.35  # of the voiced sound, noise
USUAL_HZ = 200.0  # pitch of a voice that does not tell
_CALLS = re.compile(r"h[ae]|j[ae]|[はハふフへヘ哈呵嘻]|k{2}|х[аеи]|हा", re.IGNORECASE)
LAUGHED = re.compile(
    r"(?<![^\W_])(?:(?:a|ba|mua)?ha(?:[- ,!]{0,2}ha)+h?|(?:he){2,}h?|heh heh|(?:j[ae]){2,}|k{4,}|(?:х[аеи]){2,}"
    r"|हा(?:[- ]?हा)+)(?![^\W_])[,.!…]*"
    r"|[あア]?(?:は{2,}|ハ{2,}|ふ{2,}|フ{2,}|へ{2,})[。！、!…]*|[哈呵嘻]{2,}[，。！、!…]*",
    re.IGNORECASE,
)  # as it is written in English, Spanish, Portuguese, Russian, Hindi, Japanese and Chinese


def parts(spoken: str) -> list[tuple[str, bool]]:
    """What is to be said in parts, each with whether it is laughed; without parts that have no sound."""
    result: list[tuple[str, bool]] = []
    at = 0
    for match in LAUGHED.finditer(spoken):
        result += [(spoken[at : match.start()], False), (match.group(), True)]
        at = match.end()
    return [(text.strip(), laughed) for text, laughed in [*result, (spoken[at:], False)] if re.search(r"\w", text)]


def words_of(written: str, audio: Samples) -> tuple[Word, ...]:
    """The words of laughter as it is written, one after the other over ``audio``, (n,) at `SPEAK_RATE`."""
    said = written.split()
    each = len(audio) / SPEAK_RATE / max(1, len(said))
    return tuple(Word(word, i * each, (i + 1) * each) for i, word in enumerate(said))


def laugh(said: Samples, written: str, rng: np.random.Generator) -> Samples:
    """(n,) at `SPEAK_RATE`: laughter in the voice that ``said`` `SAMPLE`, (m,), with about as many calls as it is
    ``written`` with, another one each time, and a breath after it."""
    calls = int(np.clip(len(_CALLS.findall(written)) + rng.integers(0, 2), FEWEST, MOST))
    throat, hertz = _throat(said), _pitch(said)
    starts = np.cumsum([0.0, *((PERIOD_S + i * SLOWER) * rng.uniform(0.93, 1.07) for i in range(calls - 1))])
    sound = np.zeros(round((starts[-1] + ASPIRATED_S + VOICED_S + 0.05) * SPEAK_RATE))
    for i, start in enumerate(starts):
        call = _call(hertz * (HIGHER - i * FALLING) * rng.uniform(0.95, 1.05), throat, rng)
        at = round(start * SPEAK_RATE)
        sound[at : at + len(call)] += call * SOFTER**i * rng.uniform(0.85, 1.1)
    pause = np.zeros(round(0.06 * SPEAK_RATE))
    return np.concatenate([sound, pause, breath(rng)]).astype(np.float32)


def _call(hertz: float, throat: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """One "ha" whose pitch begins at ``hertz``."""
    quiet, voiced = round(ASPIRATED_S * SPEAK_RATE), round(VOICED_S * rng.uniform(0.85, 1.15) * SPEAK_RATE)
    x = np.arange(voiced) / voiced
    pitch = hertz * (1 + 0.06 * np.sin(np.pi * x) - 0.1 * x) * (1 + 0.01 * rng.standard_normal(voiced).cumsum() / 20)
    pulses = _pulses(np.cumsum(pitch / SPEAK_RATE))
    swell = np.minimum(1, x / 0.15) * np.cos(0.5 * np.pi * np.clip((x - 0.35) / 0.65, 0, 1))
    noise = rng.standard_normal(quiet + voiced)
    breathy = np.concatenate([np.sin(0.5 * np.pi * np.arange(quiet) / quiet), np.cos(0.5 * np.pi * x)])
    source = np.concatenate([np.zeros(quiet), pulses / _rms(pulses) * swell])
    source += BREATHY * np.concatenate([[0.0], np.diff(noise)]) / np.sqrt(2) * breathy
    call: Any = lfilter([1.0], throat, source)
    loudness = max(_rms(call[quiet : quiet + voiced // 2]) / LOUDEST, float(np.abs(call).max()) / PEAK)
    return np.asarray(call / loudness)


def _pulses(phase: NDArray[np.float64]) -> NDArray[np.float64]:
    """The derivative of what flows through the glottis, after Rosenberg, at these phases in periods."""
    at = phase % 1.0
    opening = 0.5 * (1 - np.cos(np.pi * at / 0.45))
    closing = np.cos(0.5 * np.pi * (at - 0.45) / 0.2)
    flow = np.where(at < 0.45, opening, np.where(at < 0.65, closing, 0.0))
    return np.concatenate([[0.0], np.diff(flow)])


def _throat(said: Samples) -> NDArray[np.float64]:
    """The denominator of an all-pole filter (`ORDER` + 1,), of the loudest part of what was ``said``."""
    bright = np.concatenate([said[:1], said[1:] - 0.97 * said[:-1]]).astype(np.float64)
    if len(bright) < WINDOW:
        return np.concatenate([[1.0], np.zeros(ORDER)])
    frames = np.lib.stride_tricks.sliding_window_view(bright, WINDOW)[::HOP] * np.hanning(WINDOW)
    loudest = frames[np.argsort(np.mean(frames**2, axis=1))[-WINDOWS:]]
    power = np.mean(np.abs(np.fft.rfft(loudest, 2 * WINDOW)) ** 2, axis=0)
    correlation = np.fft.irfft(power)[: ORDER + 1]
    correlation[0] = correlation[0] * 1.0001 + 1e-9
    weights = solve_toeplitz(correlation[:-1], correlation[1:])
    return np.concatenate([[1.0], -weights * 0.994 ** np.arange(1, ORDER + 1)])


def _pitch(said: Samples) -> float:
    """The middle of its pitch, Hz."""
    if len(said) < WINDOW:
        return USUAL_HZ
    frames = np.lib.stride_tricks.sliding_window_view(said, WINDOW)[::HOP]
    hertz, periodic = pitches(frames, SPEAK_RATE)
    return float(np.median(hertz[periodic > VOICED_PERIODICITY])) if np.any(periodic > VOICED_PERIODICITY) else USUAL_HZ


def _rms(sound: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(sound**2))) + 1e-9
