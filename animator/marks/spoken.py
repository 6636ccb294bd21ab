"""The inaudible mark in synthetic speech: that of Perth (Resemble AI, MIT), which other programs find, too.

It says nothing but that it is there. A small network makes the spectrum below 2 kHz a little louder here and softer
there, where that is not heard; another one recognises it. Both read log magnitudes of 64 ms windows, 10 ms apart.
"""

import hashlib
import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from animator.storage import cache_folder
from animator.units import RATE, Samples

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complexfloating[Any, Any]]

FOUND = 0.7  # of `Perth.found`, from which speech counts as marked
PIECE = 6 * RATE  # samples that are looked at at a time
FETCHED = Path("perth", "perth_net_250000.pth.tar")  # where `companion setup` puts the networks, in the cache
_SHA256 = "a15bce457ebc53ce5e6c9c3f11df78cf7ee2bf9cdab0a798902135b4c4027670"
WINDOW, HOP = RATE * 64 // 1000, RATE // 100  # samples
BINS = 128  # 15.625 Hz each: all that the networks read and change
_LAYERS = 7
_LEAK = 0.01
_LOUDER = 4 / 3  # its networks learned from windows of 2,048 samples at 32 kHz, whose sums are so much larger
_FLOOR_DB, _ROOM_DB = -180.0, 15.0  # 0 and 1 of the magnitudes that they read
_SILENT_SHARE = 0.05  # of the loudest window, under which nothing is changed or read
_PACES = (("slow", 1.25), ("normal", 1.0), ("fast", 0.75))  # at which the mark is looked for
_SHAPE: Floats = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
_OVERLAP = float((_SHAPE**2).sum() / HOP)  # windows that add up at each sample


class Perth:
    """Its networks, from the file ``perth_net_250000.pth.tar`` of the package ``resemble-perth``."""

    def __init__(self, file: Path) -> None:
        """Reads only what is used. Raises OSError, and ValueError for a file that is no such one."""
        self._file = file
        self._encoder = _network(file, "encoder.layers")

    def mark(self, audio: Samples) -> Samples:
        """(n,) at `RATE`, one utterance -> the same with the mark."""
        if not audio.any():
            return audio
        spectrum = _spectrum(audio)
        read = _levels(spectrum)
        changes = _run(self._encoder, read[:BINS]) * _loud(read)
        gains = 10 ** (changes * (_ROOM_DB - _FLOOR_DB) / 20) - 1
        added = np.zeros_like(spectrum)
        added[:BINS] = gains * spectrum[:BINS]
        return np.clip(audio + _sound(added, len(audio)), -1, 1).astype(np.float32)

    def found(self, audio: Samples) -> float:
        """(n,) at `RATE` -> how surely it is marked, 0 to 1, also where it was made a quarter slower or faster."""
        if not audio.any():
            return 0.0
        read = _levels(_spectrum(audio))
        loud, length = _loud(read), read.shape[1]
        trust, marks = np.zeros(len(_PACES)), np.zeros(len(_PACES))
        for number, (name, pace) in enumerate(_PACES):
            places = np.linspace(0, length - 1, max(1, int(length * pace)))
            paced = np.stack([np.interp(places, np.arange(length), line) for line in read[:BINS]]).astype(np.float32)
            counted = loud[np.round(places).astype(int)]
            said = _run(_network(self._file, f"decoder.{name}_layers"), paced) @ counted / max(counted.sum(), 1.0)
            trust[number], marks[number] = said
        weights = np.exp(trust - trust.max())
        return float(np.clip(weights @ marks / weights.sum(), 0, 1))


def fetched() -> Perth | None:
    """Those that `companion setup` has fetched; None where it has not, or they are damaged."""
    file = cache_folder() / FETCHED
    try:
        with file.open("rb") as content:
            return Perth(file) if hashlib.file_digest(content, "sha256").hexdigest() == _SHA256 else None
    except OSError:
        return None


def heard(perth: Perth, audio: Samples) -> float:
    """(n,) at `RATE`, of any length -> `Perth.found` of the piece in which it is surest."""
    pieces = (audio[start : start + PIECE] for start in range(0, max(len(audio) - PIECE // 2, 1), PIECE))
    return max(map(perth.found, pieces))


def _spectrum(audio: Samples) -> Spectrum:
    """(WINDOW / 2 + 1, windows)"""
    padded = np.pad(audio, WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * _SHAPE
    return np.fft.rfft(windows, axis=1).T


def _sound(spectrum: Spectrum, length: int) -> Samples:
    windows = np.fft.irfft(spectrum.T, WINDOW, axis=1) * (_SHAPE / _OVERLAP)
    out = np.zeros(WINDOW + HOP * (len(windows) - 1))
    for number, window in enumerate(windows):
        out[number * HOP : number * HOP + WINDOW] += window
    return out[WINDOW // 2 : WINDOW // 2 + length].astype(np.float32)


def _levels(spectrum: Spectrum) -> Floats:
    """Magnitudes as the networks read them."""
    decibels = 20 * np.log10(np.maximum(_LOUDER * np.abs(spectrum), 10 ** (_FLOOR_DB / 20)))
    return ((decibels - _FLOOR_DB) / (_ROOM_DB - _FLOOR_DB)).astype(np.float32)


def _loud(levels: Floats) -> Floats:
    """(windows,) 1 where something is heard, else 0."""
    sums = levels.sum(axis=0)
    return (sums > _SILENT_SHARE * sums.max()).astype(np.float32)


Network = list[tuple[Floats, Floats]]  # (out, in, width) and (out,) of each layer


def _run(network: Network, values: Floats) -> Floats:
    """(in, windows) -> (out, windows)"""
    for number, (weights, bias) in enumerate(network):
        out, size, width = weights.shape
        padded = np.pad(values, ((0, 0), (width // 2, width // 2)))
        seen = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
        columns = seen.transpose(0, 2, 1).reshape(size * width, -1)
        values = weights.reshape(out, -1) @ columns + bias[:, None]
        if number < _LAYERS - 1:
            values = np.maximum(values, np.float32(_LEAK) * values)
    return values


@lru_cache(8)
def _network(file: Path, name: str) -> Network:
    with zipfile.ZipFile(file) as archive:
        tensors = _Tensors(archive).load()["model"]
        layers = range(_LAYERS)
        return [(tensors[f"{name}.{i}.conv.weight"](), tensors[f"{name}.{i}.conv.bias"]()) for i in layers]


class _Tensors(pickle.Unpickler):
    """A file of PyTorch, without PyTorch: numbers, and nothing that could be run. Each tensor is a function that reads
    it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self._archive = archive

    def find_class(self, module_name: str, global_name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): self._tensor,
            ("torch", "FloatStorage"): np.float32,
        }
        if (module_name, global_name) not in known:
            raise ValueError(f"{module_name}.{global_name} has no place in a file of weights.")
        return known[module_name, global_name]

    def persistent_load(self, pid: Any) -> Any:
        return str(pid[2])

    def _tensor(self, storage: str, start: int, shape: tuple[int, ...], *_: Any) -> Callable[[], Floats]:
        def read() -> Floats:
            numbers = np.frombuffer(self._archive.read(f"archive/data/{storage}"), np.float32)
            return numbers[start : start + int(np.prod(shape))].reshape(shape)

        return read
