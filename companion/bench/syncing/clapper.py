"""A test character for lip-sync: its voice claps, and each of its pictures says how long ago that was.

A clap is two pulses whose distance is its number, so that it is recognised wherever it is heard. Each picture carries a
strip of black and white cells that survives JPEG, VP8 and H.264; `page/measure.js` reads both.
"""

import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.units import RATE, Samples
from companion.avatar.cartoon import CartoonFace
from companion.call.recording import AUDIBLE_LEVEL
from companion.stages.protocols import Speech, Word

PULSE = 0.9  # of full scale
LOUD = 0.6  # of full scale: what is louder is a pulse
NUMBERS = 16  # of claps, then they begin again
SHORTEST_GAP, GAP_STEP = 24, 12  # samples between the two pulses of clap 0, and more of them for each number
LONGEST_GAP = SHORTEST_GAP + GAP_STEP * NUMBERS
WORD_S = 0.5  # s that a word lasts; it begins with a clap
PAUSE_S = 0.1  # s of silence at the end of every other word
HUM_HZ, HUM = 437.0, 0.1  # of the rest of a word; of full scale
OPEN = 0.01  # RMS of a frame from which the mouth is open

CELL, COLUMNS = 16, 16  # px, side of a cell; cells in a row
FIELDS = {"frame": 8, "clap": 4, "since": 12, "drawn": 16, "open": 1, "check": 7}  # bits each, most significant first
NEVER = 2 ** FIELDS["since"] - 1  # ms since the last clap: so long, or there was none
CHECK = 2 ** FIELDS["check"] - 3  # a prime: the check is the sum of the other fields modulo this


def described() -> dict[str, Any]:
    """What the page has to know of the character."""
    clap = {"loud": LOUD, "audible": AUDIBLE_LEVEL, "shortest": SHORTEST_GAP, "step": GAP_STEP, "numbers": NUMBERS}
    rows = sum(FIELDS.values()) // COLUMNS
    return {"cell": CELL, "columns": COLUMNS, "rows": rows, "fields": FIELDS, "check": CHECK, "clap": clap}


class ClapVoice:
    """Claps and hums: `WORD_S` a word. A TTS."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    async def speak(self, text: str, emotion: str = "neutral") -> AsyncIterator[Speech]:
        for word in text.split():
            number = next(self._numbers)
            yield Speech(self._clap(number), (Word(word, 0.0, WORD_S),))

    def _clap(self, number: int) -> Samples:
        n = round(WORD_S * RATE)
        sound = HUM * np.sin(2 * np.pi * HUM_HZ * np.arange(n) / RATE)
        sound[: 2 * LONGEST_GAP] = 0
        if number % 2:
            sound[n - round(PAUSE_S * RATE) :] = 0
        sound[[0, SHORTEST_GAP + GAP_STEP * (number % NUMBERS)]] = PULSE
        return sound.astype(np.float32)


class Claps:
    """Finds the claps in a sound that comes piece by piece."""

    def __init__(self) -> None:
        self._clock = 0  # samples that came
        self._first: int | None = None  # clock of a pulse that waits for its second
        self._last: tuple[int, int] | None = None  # clock and number

    def hear(self, sound: Samples) -> tuple[int, float]:
        """(n,) -> the number of the last clap, and the ms from its first pulse to the end of ``sound``; 0 and infinity
        before the first one."""
        for at in (np.flatnonzero(np.abs(sound) > LOUD) + self._clock).tolist():
            if self._first is not None and SHORTEST_GAP <= at - self._first < LONGEST_GAP:
                self._last, self._first = (self._first, (at - self._first - SHORTEST_GAP) // GAP_STEP), None
            else:
                self._first = at
        self._clock += len(sound)
        if self._last is None:
            return 0, np.inf
        return self._last[1], 1000 * (self._clock - self._last[0]) / RATE


class ClapFace(CartoonFace):
    """A disc as that of the fakes, with a strip at its lower edge that says in cells, row by row, the `FIELDS`: a count
    of the pictures, the last clap, the ms from there to the picture's end, the ms of the clock at which it was drawn,
    and whether the mouth is open."""

    def reset(self) -> None:
        super().reset()
        self._claps = Claps()

    def _draw(self, audio: Samples, control: Control) -> NDArray[np.uint8]:
        picture = super()._draw(audio, control)
        number, since = self._claps.hear(audio)
        fields = {
            "frame": self._frame % 2 ** FIELDS["frame"],
            "clap": number,
            "since": int(min(NEVER, since)),
            "drawn": int(1000 * time.time()) % 2 ** FIELDS["drawn"],
            "open": int(np.sqrt(np.mean(audio**2)) > OPEN),
        }
        cells = strip(fields)
        picture[-CELL * len(cells) :] = np.kron(cells, np.full((CELL, CELL), 255, np.uint8))[..., None]
        return picture


def strip(fields: dict[str, int]) -> NDArray[np.uint8]:
    """The values of all `FIELDS` but the check -> (rows, `COLUMNS`) of 0 and 1."""
    values = fields | {"check": sum(fields.values()) % CHECK}
    bits = "".join(f"{values[name]:0{width}b}" for name, width in FIELDS.items())
    return np.array([int(bit) for bit in bits], np.uint8).reshape(-1, COLUMNS)


class ClapAnimator:
    """Opens any portrait; the face is always `ClapFace`, drawn frame by frame."""

    size = CELL * COLUMNS

    def open(self, portrait: Any) -> ClapFace:
        return ClapFace(self.size, 1, 0)
