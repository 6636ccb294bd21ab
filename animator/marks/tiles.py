"""The code of the invisible watermark: which tile of faint noise stands for which installation and day.

A tile is a sum of seven noises in one band of frequencies. One lies where the tile begins, and finds it; six carry ten
bits each by how far they are shifted: 24 of the installation, 16 of the day, 20 that check these. A shifted noise has
the same frequencies with other phases, so phases are all that finds and reads a tile: those of a picture without a mark
are as good as random, whatever it shows, which is what the rate of false finds rests on.

Reading is soft: of what several shifts of each noise may mean, the payload counts whose seven noises fit best together,
also where some of them alone would be lost. `sure` says how well that must be.
"""

import datetime
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

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
CHANCE = 1e-7  # at most, of taking a picture without a mark for a marked one
_FINDER_GAIN = 1.5  # times as strong as each of the others
_TILT = 0.25  # power of the frequency by which amplitudes fall: finer ones survive encoders better, and are seen more
_PLACES_TRIED, _MEANINGS_TRIED = 4, 4  # beginnings of the tile, and shifts of each noise, that are looked at
_CHECKING = CHECK_BITS // SYMBOL_BITS  # noises that carry nothing but the check: the first ones
_EPOCH = datetime.date(2026, 1, 1)
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Payload:
    """Which installation drew a picture (`animator.marks.installation.ID_BITS`), and on what day of UTC."""

    installation: int
    day: datetime.date


@dataclass(frozen=True, slots=True)
class Reading:
    """The ``payload`` that fits best, None where it is not `sure`. ``strength``: of its noises together, in standard
    deviations of what chance makes. ``place``: x, y of the tile's beginning, px."""

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
    """What a picture folded to one tile says at best, wherever the tile begins; whether that is more than chance,
    `sure` tells."""
    phases = _phases(folded)
    found = _match(phases, 0)
    places = np.argsort(found, axis=None)[: -_PLACES_TRIED - 1 : -1]
    return max((_read_at(phases, found, int(place)) for place in places), key=lambda reading: reading.strength)


def _read_at(phases: NDArray[np.complex128], found: NDArray[np.float64], place: int) -> Reading:
    row, column = divmod(place, SIDE)
    ahead = np.fft.fftfreq(SIDE)[:, None] * row + np.fft.rfftfreq(SIDE) * column
    shifted = phases * np.exp(2j * np.pi * ahead)
    fits = [_match(shifted, number)[::STEP_PX, ::STEP_PX].ravel() for number in range(1, SYMBOLS + 1)]
    best = max(_likely(fits), key=lambda symbols: sum(fit[s] for fit, s in zip(fits, symbols, strict=True)))
    together = _FINDER_GAIN * found[row, column] + sum(fit[s] for fit, s in zip(fits, best, strict=True))
    return Reading(float(together / _norm(best)), (column, row), _payload(best))


def _likely(fits: list[NDArray[np.float64]]) -> Iterator[list[int]]:
    """Symbols whose check is right, of the best few meanings of each noise that carries more than the check."""
    few = [np.argsort(fit)[: -_MEANINGS_TRIED - 1 : -1].tolist() for fit in fits[_CHECKING:]]
    for symbols in product(*few):
        said = sum(symbol << SYMBOL_BITS * place for place, symbol in enumerate(symbols))
        yield _symbols_of(said)


def sure(trials: int) -> float:
    """The `Reading.strength` from which a payload counts, of a picture looked at in ``trials`` sizes.

    That many times all beginnings of the tile and all payloads might fit by chance, each with at most
    exp(-strength ** 2 / 2), since sums of cosines of random phases are sub-Gaussian.
    """
    ways = trials * SIDE * SIDE * 2.0 ** (ID_BITS + DAY_BITS)
    return math.sqrt(2 * math.log(ways / CHANCE))


def finding(folded: Floats) -> float:
    """How well the noise that finds the tile fits, in standard deviations of chance."""
    return float(_match(_phases(folded), 0).max())


def _symbols(payload: Payload) -> list[int]:
    day = (payload.day - _EPOCH).days
    if not (0 <= payload.installation < 1 << ID_BITS and 0 <= day < 1 << DAY_BITS):
        raise ValueError(f"An installation has {ID_BITS} bits, a day comes after {_EPOCH}; got {payload}.")
    return _symbols_of(payload.installation << DAY_BITS | day)


def _symbols_of(said: int) -> list[int]:
    bits = said << CHECK_BITS | _check(said)
    return [bits >> SYMBOL_BITS * place & (1 << SYMBOL_BITS) - 1 for place in range(SYMBOLS)]


def _payload(symbols: list[int]) -> Payload:
    said = sum(symbol << SYMBOL_BITS * place for place, symbol in enumerate(symbols)) >> CHECK_BITS
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
    shaped = _spectra() / np.maximum(distance, 1) ** _TILT
    noises = np.fft.irfft2(shaped, (SIDE, SIDE))
    return (noises / noises.std(axis=(1, 2), keepdims=True)).astype(np.float32)


def _norm(symbols: list[int]) -> float:
    """The standard deviation of what chance makes of the noises of these symbols together."""
    rows, columns = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)
    total = _FINDER_GAIN * _spectra()[0]
    for spectrum, symbol in zip(_spectra()[1:], symbols, strict=True):
        row, column = divmod(symbol, _PLACES)
        total = total + spectrum * np.exp(-2j * np.pi * STEP_PX * (rows * row + columns * column))
    return math.sqrt(float((np.abs(total[_band()]) ** 2).sum()) / float(_band().sum()))


def _phases(folded: Floats) -> NDArray[np.complex128]:
    spectrum = np.fft.rfft2(folded)
    return np.where(_band(), spectrum / np.maximum(np.abs(spectrum), 1e-9), 0)


def _match(phases: NDArray[np.complex128], number: int) -> NDArray[np.float64]:
    """(SIDE, SIDE): how well noise ``number`` fits at each shift; of random phases normal, with variance 1."""
    sums = np.fft.irfft2(phases * _spectra()[number].conj(), (SIDE, SIDE)) * SIDE * SIDE / 2
    return sums / np.sqrt(_band().sum() / 2)
