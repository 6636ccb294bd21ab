"""Turns speech into song, and into loud or soft speech, with the WORLD vocoder (Morise et al. 2016).

Vowels are drawn out to the length of their notes, while consonants keep theirs; the pitch moves from note to note with
portamento and vibrato. The phonemes' times are changed along with the sound, so the mouth holds the vowels, too.
"""

from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from animator.learn.corpus.teacher import DIPHTHONGS, VISEME_OF, Segment
from animator.media.files import MediaError
from animator.units import RATE

STEP_S = 0.005  # s, frame period of the vocoder
SCALE = (0, 2, 4, 5, 7, 9, 11)  # semitones
BEAT_LENGTHS = (0.5, 0.5, 1.0, 1.0, 1.0, 1.5, 2.0, 3.0)
VOWELS = {"a", "ae", "uh", "e", "i", "aw", "o", "u", "y"}
HELD_PARTS = {1: (0.4, 0.6), 2: (0.25, 0.35)}  # the part that is drawn out, of a vowel and of a diphthong

Floats = NDArray[np.float64]
Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voiced:
    """``sound`` (n,) at 24 kHz; ``opening``: factor by which the jaw opens wider than in speech; ``level``: dB over
    that of speech; ``around`` (n,): other sound at the same time."""

    sound: Sound
    segments: list[Segment]
    opening: float = 1.0
    level: float = 0.0
    around: Sound | None = None


@dataclass(frozen=True, slots=True)
class _Spectra:
    """Every `STEP_S`: ``pitch`` (n,) Hz, 0 where unvoiced; ``envelope`` and ``breath`` (n, bins)."""

    pitch: Floats
    envelope: Floats
    breath: Floats


def sing(sound: Sound, segments: list[Segment], random: np.random.Generator) -> Voiced:
    """``sound`` (n,) float32 at 24 kHz and its phonemes, sung to a random melody; sometimes with instruments."""
    spectra = _analyse(sound)
    parts = _syllables(segments)
    beat = random.uniform(0.3, 0.6)
    lengths = [max(b - a, beat * float(random.choice(BEAT_LENGTHS))) if vowel else b - a for _, a, b, vowel in parts]
    knots = _knots(parts, lengths)
    at = np.interp(np.arange(0, knots[-1][0], STEP_S), [out for out, _ in knots], [into for _, into in knots])
    ends = np.cumsum(lengths)
    notes = [(end - length, end) for end, length, part in zip(ends, lengths, parts, strict=True) if part[3]]
    voiced = spectra.pitch[spectra.pitch > 0]
    root = float(np.median(voiced)) * random.uniform(0.9, 1.6) if len(voiced) else 180.0
    toned = _toned(at, spectra.pitch, notes)
    pitch = _melody(notes, len(at), root, random) * toned
    breath = _taken(spectra.breath, at)
    breath[toned] = np.minimum(breath[toned], _breath(spectra))
    envelope = _warped(_taken(spectra.envelope, at), random.uniform(0.9, 1.12))
    sung = _synthesise(_Spectra(pitch, envelope, breath))
    moved = [
        piece
        for (symbol, _, _, _), length, end in zip(parts, lengths, ends, strict=True)
        for piece in _split(symbol, end - length, end)
    ]
    return Voiced(sung, moved, 1.15, 2.0, _chords(len(sung), root, random) if random.random() < 0.35 else None)


def speak_up(sound: Sound, segments: list[Segment], random: np.random.Generator) -> Voiced:
    """Loud speech, as when calling: higher and brighter, with the jaw wider open."""
    spectra = _analyse(sound)
    pitch = spectra.pitch * random.uniform(1.25, 1.6)
    bright = _tilted(spectra.envelope, random.uniform(2.0, 4.0))
    said = _synthesise(_Spectra(pitch, bright, spectra.breath))
    return Voiced(said, segments, 1.25, random.uniform(4.0, 8.0))


def speak_softly(sound: Sound, segments: list[Segment], random: np.random.Generator) -> Voiced:
    """Soft speech: lower and duller, or whispered; with the jaw less open."""
    spectra = _analyse(sound)
    dull = _tilted(spectra.envelope, random.uniform(-4.0, -1.5))
    if random.random() < 0.5:
        spectra = _Spectra(np.zeros_like(spectra.pitch), dull, np.ones_like(spectra.breath))
    else:
        spectra = _Spectra(spectra.pitch * random.uniform(0.85, 0.95), dull, np.sqrt(spectra.breath))
    return Voiced(_synthesise(spectra), segments, 0.85, random.uniform(-10.0, -4.0))


def _world() -> ModuleType:
    try:
        return import_module("pyworld")
    except ImportError:
        raise MediaError("Song needs the WORLD vocoder. Install it: pip install 'vasari[train]'.") from None


def _analyse(sound: Sound) -> _Spectra:
    pyworld = _world()
    wave = sound.astype(np.float64)
    rough, times = pyworld.dio(wave, RATE)
    pitch = pyworld.stonemask(wave, rough, times, RATE)
    return _Spectra(pitch, pyworld.cheaptrick(wave, pitch, times, RATE), pyworld.d4c(wave, pitch, times, RATE))


def _synthesise(spectra: _Spectra) -> Sound:
    pyworld = _world()
    parts = (np.ascontiguousarray(part) for part in (spectra.pitch, spectra.envelope, spectra.breath))
    return pyworld.synthesize(*parts, RATE).astype(np.float32)


def _syllables(segments: list[Segment]) -> list[tuple[str, float, float, bool]]:
    """Symbol, start, end, and whether it can carry a note; the segments without gaps between them."""
    first = max(0.0, segments[0].start)
    cuts = [first, *(max(first, segment.end) for segment in segments)]
    return [
        (segment.symbol, start, end, VISEME_OF.get(_letters(segment.symbol)[:1]) in VOWELS)
        for segment, (start, end) in zip(segments, pairwise(cuts), strict=True)
        if end > start
    ]


def _letters(symbol: str) -> str:
    spelled = "".join(DIPHTHONGS.get(letter, letter) for letter in symbol)
    return "".join(letter for letter in spelled if letter in VISEME_OF)


def _split(symbol: str, start: float, end: float) -> list[Segment]:
    """Cuts a diphthong so that it stays in its first vowel until its end."""
    letters = _letters(symbol)
    if len(letters) < 2 or end - start < 0.2:
        return [Segment(symbol, start, end)]
    turn = end - 0.15
    return [Segment(letters[0], start, turn), Segment(letters[1:], turn, end)]


def _knots(parts: list[tuple[str, float, float, bool]], lengths: list[float]) -> list[tuple[float, float]]:
    """Times in the song, and the times in the speech from which their sound is taken."""
    knots, at = [(0.0, parts[0][1])], 0.0
    for (symbol, start, end, _), length in zip(parts, lengths, strict=True):
        hold = HELD_PARTS[min(2, max(1, len(_letters(symbol))))]
        drawn = length - (end - start)
        inner = [start + share * (end - start) for share in hold]
        if drawn > 0:
            knots += [(at + inner[0] - start, inner[0]), (at + inner[1] - start + drawn, inner[1])]
        at += length
        knots.append((at, end))
    return knots


def _melody(notes: list[tuple[float, float]], count: int, root: float, random: np.random.Generator) -> Floats:
    """(count,) Hz: a walk over the scale, a note for each vowel, gliding, with vibrato on the long ones."""
    tones, degree = np.zeros(count), int(random.integers(0, 5))
    shake = np.zeros(count)
    depth, hertz = random.uniform(0.15, 0.7), random.uniform(4.8, 6.4)
    cuts = [0.0, *((a[1] + b[0]) / 2 for a, b in pairwise(notes)), count * STEP_S]
    for (start, _), (low, high) in zip(notes, pairwise(cuts), strict=False):
        degree = int(np.clip(degree + random.integers(-2, 3), -3, 9))
        tones[int(low / STEP_S) : int(high / STEP_S) + 1] = 12 * (degree // 7) + SCALE[degree % 7]
        span = np.arange(int(start / STEP_S), min(count, int(high / STEP_S) + 1))
        age = span * STEP_S - start
        shake[span] = depth * np.clip((age - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * hertz * age)
    glide = gaussian_filter1d(tones, random.uniform(0.02, 0.06) / STEP_S)
    return root * 2 ** ((glide + shake) / 12)


def _breath(spectra: _Spectra) -> Floats:
    """(bins,) aperiodicity of the voiced sounds, since not every vowel of the speech is voiced."""
    toned = spectra.breath[spectra.pitch > 0]
    return np.median(toned, axis=0) if len(toned) else np.full(spectra.breath.shape[1], 0.1)


def _toned(at: Floats, pitch: Floats, notes: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """(n,) whether the sound is voiced: where the speech was, and in all of a note."""
    voiced = pitch[np.minimum(np.round(at / STEP_S).astype(int), len(pitch) - 1)] > 0
    for start, end in notes:
        voiced[int(start / STEP_S) + 4 : int(end / STEP_S) - 4] = True
    return voiced


def _taken(rows: Floats, at: Floats) -> Floats:
    """Rows (n, bins) at the times ``at``, linearly interpolated."""
    place = np.clip(at / STEP_S, 0, len(rows) - 1.001)
    low = place.astype(int)
    part = (place - low)[:, None]
    return rows[low] * (1 - part) + rows[low + 1] * part


def _warped(envelope: Floats, tract: float) -> Floats:
    """Formants moved up by ``tract``."""
    bins = envelope.shape[1]
    return envelope[:, np.minimum(np.round(np.arange(bins) / tract).astype(int), bins - 1)]


def _tilted(envelope: Floats, decibels: float) -> Floats:
    """With a spectral tilt above 400 Hz, in dB an octave."""
    hertz = np.linspace(0, RATE / 2, envelope.shape[1])
    return envelope * 10 ** (decibels * np.log2(np.maximum(hertz, 400) / 400) / 10)


def _chords(count: int, root: float, random: np.random.Generator) -> Sound:
    """(count,) of plucked or held triads, 14 to 28 dB under full scale."""
    out, at = np.zeros(count), 0
    while at < count:
        length = min(count - at, int(RATE * random.uniform(0.4, 2.0)))
        time = np.arange(length) / RATE
        base = root / 2 * 2 ** (SCALE[int(random.integers(0, 6))] / 12)
        tone = sum(
            np.sin(2 * np.pi * base * 2 ** (step / 12) * k * time) / k**1.5 for step in (0, 4, 7) for k in range(1, 6)
        )
        out[at : at + length] = tone * np.exp(-time * random.uniform(0.3, 3.0)) * np.minimum(1, time / 0.01)
        at += length
    level = 10 ** (random.uniform(-34, -20) / 20)
    return (out / max(float(np.abs(out).max()), 1e-6) * level).astype(np.float32)
