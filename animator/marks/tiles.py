"""The code of the invisible watermark: which tile of faint noise stands for which installation and day.

A tile is a sum of seven noises in one band of frequencies. One lies where the tile begins, and finds it; six carry ten
bits each by how far they are shifted: 24 of the installation, 16 of the day, 20 that check these. A shifted noise has
the same frequencies with other phases, so phases are all that finds and reads a tile: those of a picture without a mark
are as good as random, whatever it shows, which is what the rate of false finds rests on.
"""

import datetime
import hashlib
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIDE = 128  # px
BAND = (2, 22)  # cycles a tile
SYMBOLS = 6
STEP_PX = 4  # px between shifts that mean different things
_PLACES = SIDE // STEP_PX
SYMBOL_BITS = 10  # _PLACES ** 2 = 2 ** 10
ID_BITS, DAY_BITS, CHECK_BITS = 24, 16, 20
FOUND_STRENGTH = 6.0  # standard deviations of chance above which a noise counts as there
_FINDER_GAIN = 1.5  # times as strong as each of the others
_EPOCH = datetime.date(2026, 1, 1)
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Payload:
    """Which installation drew a picture (`animator.marks.installation.ID_BITS`), and on what day of UTC."""

    installation: int
    day: datetime.date


@dataclass(frozen=True, slots=True)
class Reading:
    """``strength``: of the finding noise, in standard deviations of what chance makes. ``place``: x, y of the tile's
    beginning, px."""

    strength: float
    place: tuple[int, int]
    payload: Payload | None


def tile(payload: Payload) -> Floats:
    """(SIDE, SIDE), of mean 0 and standard deviation 1."""
    noises = _noises()
    total = _FINDER_GAIN * noises[0]
    for noise, symbol in zip(noises[1:], _symbols(payload), strict=True):
        row, column = divmod(symbol, _PLACES)
        total = total + np.roll(noise, (row * STEP_PX, column * STEP_PX), (0, 1))
    return (total / total.std()).astype(np.float32)


def read(folded: Floats) -> Reading:
    """What a picture folded to one tile says, wherever the tile begins. No payload where its check fails."""
    phases = _phases(folded)
    found = _match(phases, 0)
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    ahead = np.fft.fftfreq(SIDE)[:, None] * row + np.fft.rfftfreq(SIDE) * column
    phases = phases * np.exp(2j * np.pi * ahead)
    symbols = [int(_match(phases, number)[::STEP_PX, ::STEP_PX].argmax()) for number in range(1, SYMBOLS + 1)]
    return Reading(float(found[row, column]), (int(column), int(row)), _payload(symbols))


def finding(folded: Floats) -> float:
    """`Reading.strength` alone."""
    return float(_match(_phases(folded), 0).max())


def chance(trials: int) -> float:
    """At most how probable it is that a picture without a mark is taken for a marked one, looked at in ``trials``
    sizes: that the finding noise reaches `FOUND_STRENGTH` anywhere, and the check fits by chance."""
    beyond = math.erfc(FOUND_STRENGTH / math.sqrt(2)) / 2
    return min(1.0, trials * SIDE * SIDE * beyond) / 2**CHECK_BITS


def _symbols(payload: Payload) -> list[int]:
    day = (payload.day - _EPOCH).days
    if not (0 <= payload.installation < 1 << ID_BITS and 0 <= day < 1 << DAY_BITS):
        raise ValueError(f"An installation has {ID_BITS} bits, a day comes after {_EPOCH}; got {payload}.")
    said = payload.installation << DAY_BITS | day
    bits = said << CHECK_BITS | _check(said)
    return [bits >> SYMBOL_BITS * place & (1 << SYMBOL_BITS) - 1 for place in range(SYMBOLS)]


def _payload(symbols: list[int]) -> Payload | None:
    bits = sum(symbol << SYMBOL_BITS * place for place, symbol in enumerate(symbols))
    said, check = bits >> CHECK_BITS, bits & (1 << CHECK_BITS) - 1
    if check != _check(said):
        return None
    return Payload(said >> DAY_BITS, _EPOCH + datetime.timedelta(days=said & (1 << DAY_BITS) - 1))


def _check(said: int) -> int:
    digest = hashlib.sha256(b"vasari mark 1" + said.to_bytes(5)).digest()
    return int.from_bytes(digest[:4]) >> 32 - CHECK_BITS


@cache
def _band() -> NDArray[np.bool_]:
    """(SIDE, SIDE / 2 + 1): the frequencies in use, one of each conjugate pair."""
    distance = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)) * SIDE
    inside = (distance >= BAND[0]) & (distance <= BAND[1])
    inside[:, 0] &= np.fft.fftfreq(SIDE) > 0
    return inside


@cache
def _spectra() -> NDArray[np.complex64]:
    """(1 + SYMBOLS, SIDE, SIDE / 2 + 1) of modulus 1 in the band. Of raw bits, which no version of numpy changes."""
    raw = np.random.PCG64(_SEED).random_raw((1 + SYMBOLS) * SIDE * (SIDE // 2 + 1))
    turns = (raw >> np.uint64(40)).astype(np.float64) / 2**24
    return (np.exp(2j * np.pi * turns).reshape(1 + SYMBOLS, SIDE, -1) * _band()).astype(np.complex64)


@cache
def _noises() -> Floats:
    distance = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)) * SIDE
    shaped = _spectra() / np.sqrt(np.maximum(distance, 1))
    noises = np.fft.irfft2(shaped, (SIDE, SIDE))
    return (noises / noises.std(axis=(1, 2), keepdims=True)).astype(np.float32)


def _phases(folded: Floats) -> NDArray[np.complex128]:
    spectrum = np.fft.rfft2(folded)
    return np.where(_band(), spectrum / np.maximum(np.abs(spectrum), 1e-9), 0)


def _match(phases: NDArray[np.complex128], number: int) -> NDArray[np.float64]:
    """(SIDE, SIDE): how well noise ``number`` fits at each shift; of random phases normal, with variance 1."""
    sums = np.fft.irfft2(phases * _spectra()[number].conj(), (SIDE, SIDE)) * SIDE * SIDE / 2
    return sums / np.sqrt(_band().sum() / 2)
