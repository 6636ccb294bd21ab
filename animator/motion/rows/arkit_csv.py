"""Motion in CSV files: what Live Link Face records, what Audio2Face exports, and what `write_motion` makes.

Live Link Face: ``Timecode`` (hours:minutes:seconds:frame.part), ``BlendShapeCount``, and the columns of
`animator.motion.rows.arkit`. Audio2Face: ``timeCode`` in seconds, and the same shapes behind ``blendShapes.``. Capitals
do not matter.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.media.files import MediaError, check_place
from animator.motion.rows.arkit import COLUMNS, SHAPES, from_motion, to_motion
from animator.storage import whole
from animator.units import FPS, Motion

Times = NDArray[np.float64]

LARGEST_WEIGHT = 2.0  # a larger weight is a percentage, or no weight at all
LIVE_LINK_RATE = 60  # frames a second that the app records unless told otherwise
_RATES = (24, 25, 30, 48, 50, 60)
_NAMES = {name.lower(): name for name in COLUMNS}
_TIME_COLUMNS = ("timecode", "time_code", "time")
_COUNT_COLUMNS = ("blendshapecount", "frame", "")  # columns that say nothing new


@dataclass(frozen=True, slots=True)
class Recorded:
    """``motion`` (n, 64) at 25 frames a second, and the columns of the file that mean nothing to a face."""

    motion: Motion
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The values of a file as they stand: ``header``, and cells with the numbers of their lines."""

    path: Path
    header: list[str]
    lines: list[tuple[int, list[str]]]

    def names(self) -> list[str]:
        return [cell.strip().split(".")[-1].lower() for cell in self.header]


def read_motion(path: Path, fps: float | None = None) -> Recorded:
    """The motion in a CSV file of any frame rate; missing columns are zero. ``fps`` overrules the file's own times.

    Lines without values, which Live Link Face writes while it sees no face, are bridged. Raises `MediaError`, which
    names the column and the line of what is wrong.
    """
    sheet = _read(path)
    names = sheet.names()
    known = {at: _NAMES[name] for at, name in enumerate(names) if name in _NAMES}
    if not known:
        raise MediaError(
            f"{path} has none of the columns EyeBlinkLeft, JawOpen, HeadYaw and so on in its first line. "
            "Give a CSV file as Live Link Face or Audio2Face writes it."
        )
    table = np.array([[_number(sheet, number, cells, at) for at in known] for number, cells in sheet.lines])
    columns = dict(zip(known.values(), table.T, strict=True))
    for name in SHAPES:
        if name in columns and np.abs(columns[name]).max() > LARGEST_WEIGHT:
            raise MediaError(f"{path}: {name} reaches {np.abs(columns[name]).max():g}; weights are from 0 to 1.")
    times = _times(sheet, fps)
    every = np.arange(round((times[-1] - times[0]) * FPS) + 1) / FPS + times[0]
    ignored = [
        cell
        for cell, name in zip(sheet.header, names, strict=True)
        if name not in (*_NAMES, *_TIME_COLUMNS, *_COUNT_COLUMNS)
    ]
    return Recorded(to_motion({name: np.interp(every, times, of) for name, of in columns.items()}), tuple(ignored))


def write_motion(path: Path, motion: Motion) -> None:
    """Writes (n, 64) at 25 frames a second as Live Link Face does. Raises `MediaError`; then no file is left."""
    check_place(path)
    columns = from_motion(motion)
    table = np.column_stack([columns[name] for name in COLUMNS])
    try:
        with whole(path) as binary, io.TextIOWrapper(binary, "ascii", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Timecode", "BlendShapeCount", *COLUMNS])
            for frame, row in enumerate(table):
                writer.writerow([_stamp(frame), len(COLUMNS), *(f"{value:.6f}" for value in row)])
    except OSError as error:
        raise MediaError(f"{path} cannot be written: {error.strerror}. Choose another place for it.") from error


def _read(path: Path) -> _Sheet:
    if not path.is_file():
        raise MediaError(f"There is no file {path}. Give a CSV file with ARKit motion.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MediaError(f"{path} cannot be read as CSV: {error}. Give a text file with commas.") from error
    full = [(number, cells) for number, cells in lines if any(cells[2:])]
    if not full:
        raise MediaError(f"{path} has no line with values.")
    for number, cells in full:
        if len(cells) != len(header):
            raise MediaError(f"{path}, line {number}: {len(cells)} values for {len(header)} columns.")
    return _Sheet(path, header, full)


def _number(sheet: _Sheet, number: int, cells: list[str], at: int) -> float:
    try:
        value = float(cells[at])
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise MediaError(f"{sheet.path}, line {number}: {sheet.header[at].strip()} is {cells[at]!r}, not a number.")
    return value


def _times(sheet: _Sheet, fps: float | None) -> Times:
    """Seconds of every line."""
    names = sheet.names()
    if fps:
        return np.arange(len(sheet.lines)) / fps
    at = next((names.index(name) for name in _TIME_COLUMNS if name in names), None)
    if at is None:
        raise MediaError(f"{sheet.path} has no column Timecode or timeCode. Say how many lines a second it has.")
    stamps = [(number, cells[at]) for number, cells in sheet.lines]
    times = _of_clock(sheet, stamps) if ":" in stamps[0][1] else [_number(sheet, n, c, at) for n, c in sheet.lines]
    for (number, stamp), before, now in zip(stamps[1:], times, times[1:], strict=False):
        if now < before:
            raise MediaError(f"{sheet.path}, line {number}: the time {stamp} is before that of the line above.")
    return np.array(times)


def _of_clock(sheet: _Sheet, stamps: list[tuple[int, str]]) -> list[float]:
    """Seconds of ``hours:minutes:seconds:frame.part``, whose rate shows in the highest number of a frame."""
    fields: list[tuple[float, ...]] = []
    for number, stamp in stamps:
        try:
            hours, minutes, seconds, frame = map(float, stamp.replace(";", ":").split(":"))
        except ValueError:
            raise MediaError(
                f"{sheet.path}, line {number}: the time {stamp!r} is not hours:minutes:seconds:frame."
            ) from None
        fields.append((3600 * hours + 60 * minutes + seconds, frame))
    highest = max(frame for _, frame in fields)
    rate = _rate(highest) if fields[-1][0] > fields[0][0] else LIVE_LINK_RATE
    return [seconds + frame / rate for seconds, frame in fields]


def _rate(highest: float) -> int:
    return next((rate for rate in _RATES if highest < rate), 120)


def _stamp(frame: int) -> str:
    seconds, rest = divmod(frame, FPS)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}.000"
