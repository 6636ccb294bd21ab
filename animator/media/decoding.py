"""The sound of a media file mixed down to mono: empty channels, opposite phases and changes of format included."""

import math
import wave
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, groupby

import av
import numpy as np
from av.container import InputContainer
from av.error import InvalidDataError
from numpy.typing import NDArray

Channels = NDArray[np.float32]  # (channels, n)
Mono = NDArray[np.float32]  # (n,)

MEASURED_S = 120.0  # of sound, summed over the channels, from which the weights of the mix are taken
FAINT_SHARE = 0.01  # of the power of the loudest channel, under which another one is empty
CANCELLED_SHARE = 0.1  # of that power, under which the mix has cancelled out: the channels are in opposite phase
LATE_S = 0.1  # a longer gap between the first picture and the first sound is silence; shorter ones are codec delay
EXACT_FORMATS = {"mov", "flac", "matroska"}  # formats whose length is known; that of an MP3 is a guess
UNKNOWN_LENGTH = 1 << 28  # frames of a WAV whose length was not known when it was begun


@dataclass(frozen=True, slots=True)
class Decoded:
    """``sound`` (n,) at the rate that was asked for; ``missing``: s that the file promises and does not hold."""

    sound: Mono
    missing: float


class TooLongError(ValueError):
    """A file holds more sound than is wanted."""


def decode(container: InputContainer, rate: int, longest: float = math.inf, track: int = 0) -> Decoded:
    """The sound of one ``track`` of an open file. Raises what PyAV raises, and `TooLongError` as soon as more than
    ``longest`` s of sound are decoded."""
    pieces = [np.zeros(0, np.float32)]
    size = 0
    for piece in _pieces(container, rate, track):
        pieces.append(piece)
        size += len(piece)
        if size > longest * rate:
            raise TooLongError(f"The file has more than {longest:g} s of sound.")
    sound = np.clip(np.nan_to_num(np.concatenate(pieces)), -1, 1)
    return Decoded(sound, max(0.0, _promised(container, track) - len(sound) / rate))


def _pieces(container: InputContainer, rate: int, track: int) -> Iterator[Mono]:
    """Its sound, as it is decoded. Files that were joined have several runs of frames of one rate and kind."""
    frames = _frames(container, track)
    first = next(frames, None)
    if first is None:
        return
    if container.streams.video:
        yield np.zeros(round(_late(first, container) * rate), np.float32)
    for _, alike in groupby(chain([first], frames), _kind):
        yield from _mixed(_resampled(alike, rate), rate)


def _promised(container: InputContainer, track: int) -> float:
    """How many seconds of sound the file says it has; 0 where it does not know."""
    if container.format.name == "wav":  # FFmpeg believes the file's size, not what it says
        with suppress(wave.Error, EOFError, OSError), wave.open(container.name, "rb") as file:
            return file.getnframes() / file.getframerate() if file.getnframes() < UNKNOWN_LENGTH else 0.0
    stream = container.streams.audio[track]
    exact = EXACT_FORMATS & set(container.format.name.split(","))
    return float(stream.duration * stream.time_base) if exact and stream.duration and stream.time_base else 0.0


def _frames(container: InputContainer, track: int) -> Iterator[av.AudioFrame]:
    for packet in container.demux(container.streams.audio[track]):
        try:
            yield from packet.decode()
        except InvalidDataError:  # one broken packet, such as a tag inside an MP3: players skip it too
            continue


def _kind(frame: av.AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.layout.name, frame.format.name


def _late(frame: av.AudioFrame, container: InputContainer) -> float:
    """Seconds by which the sound begins after the file."""
    late = (frame.time or 0.0) - (container.start_time or 0) / av.time_base
    return late if late > LATE_S else 0.0


def _resampled(frames: Iterator[av.AudioFrame], rate: int) -> Iterator[Channels]:
    resampler = av.AudioResampler(format="fltp", rate=rate)
    for frame in chain(frames, [None]):
        yield from (np.asarray(out.to_ndarray(), np.float32) for out in resampler.resample(frame))


def _mixed(pieces: Iterator[Channels], rate: int) -> Iterator[Mono]:
    """Channels -> one, by weights that the beginning of the sound has."""
    first: list[Channels] = []
    weights: Mono | None = None
    for piece in pieces:
        if weights is not None:
            yield weights @ piece
            continue
        first.append(piece)
        if sum(part.size for part in first) >= MEASURED_S * rate:
            weights = _weights(np.concatenate(first, 1))
            yield weights @ np.concatenate(first, 1)
    if weights is None and first:
        whole = np.concatenate(first, 1)
        yield _weights(whole) @ whole


def _weights(channels: Channels) -> Mono:
    """Weights of the mix: the mean of all channels that are not empty, or the loudest alone where they cancel."""
    finite = np.nan_to_num(channels)
    powers = np.mean(finite.astype(np.float64) ** 2, 1)
    holds = (powers >= FAINT_SHARE * powers.max()).astype(np.float32)
    mean = holds / holds.sum()
    if np.mean((mean @ finite) ** 2) < CANCELLED_SHARE * powers.max():
        mean = np.eye(len(powers), dtype=np.float32)[int(np.argmax(powers))]
    return mean
