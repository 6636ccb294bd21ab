"""Sound out of any file, and frames with sound into an MP4."""

import contextlib
import errno
import io
import logging
import os
from collections.abc import Callable, Generator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from animator.media.decoding import decode
from animator.media.encoder import Packet, tag_colours, to_yuv420
from animator.units import FPS, RATE, Frames, Samples

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg")
MISSING_S = 0.3  # of sound that a file promises and does not hold, from which on it was cut off
AAC_RATE = 48_000  # Hz: AAC packets of 21 ms, so that the sound's length is within one frame of the picture's
AAC_BITRATE = 128_000
_READ_AS = {"sound": "sound", "pictures": "a video"}
_ADVICE = {"sound": "a WAV, FLAC, MP3, OGG or M4A file, or a video with sound", "pictures": "a video"}


class MediaError(Exception):
    """A file could not be read or written. The message says what happened and what to do."""


@contextlib.contextmanager
def opened(path: Path, wanted: Literal["sound", "pictures"]) -> Generator[InputContainer]:
    """An audio or video file that has what is ``wanted``. Raises `MediaError`, also for what cannot be decoded."""
    give = f"Give {_ADVICE[wanted]}."
    if not path.is_file():
        raise MediaError(f"There is no file {path}. {give}")
    try:
        with av.open(path) as container:
            if not (container.streams.audio if wanted == "sound" else container.streams.video):
                raise MediaError(f"{path} has no {wanted}. {give}")
            yield container
    except FFmpegError as error:
        raise MediaError(
            f"{path} cannot be read as {_READ_AS[wanted]}: {error.strerror}. {give} Is the file complete?"
        ) from error


def read_audio(path: Path, rate: int = RATE) -> Samples:
    """The first sound of an audio or video file, as (n,) mono samples in [-1, 1] at ``rate`` Hz.

    Channels that hold nothing do not count, nor do those that cancel the others. Sound that begins late in a video
    begins with silence. A truncated file gives what it has, with a warning.

    Raises `MediaError` when there is no such file, no sound in it, or nothing that can be decoded.
    """
    with opened(path, "sound") as container:
        decoded = decode(container, rate)
    if not len(decoded.sound):
        raise MediaError(f"{path} has an audio stream without sound in it. Is the file complete?")
    if decoded.missing > MISSING_S:
        log.warning("%s is cut off: %.1f s of its sound are missing.", path, decoded.missing)
    return decoded.sound


def read_tracks(path: Path, rate: int = RATE) -> list[Samples]:
    """As `read_audio`, of every sound of the file; none of one that has only pictures or cannot be read."""
    sounds: list[Samples] = []
    with contextlib.suppress(MediaError, FFmpegError, IndexError, ValueError):
        while True:
            with opened(path, "sound") as container:
                sounds.append(decode(container, rate, track=len(sounds)).sound)
    return sounds


def has_sound(path: Path) -> bool:
    """Whether a media file has an audio stream."""
    with av.open(path) as container:
        return bool(container.streams.audio)


def check_place(path: Path) -> None:
    """Raises `MediaError` if a file cannot be called ``path``; worth asking before work that takes minutes."""
    if path.is_dir():
        raise MediaError(f"{path} is a folder. Give the name of the file to write.")
    if not path.parent.is_dir():
        raise MediaError(f"There is no folder {path.parent}. Make it first, or write somewhere else.")


class Voice:
    """A track of AAC in a container that is being written; ``title`` is what players call it."""

    def __init__(self, container: OutputContainer, title: str = "") -> None:
        self._container = container
        self._stream: AudioStream = container.add_stream("aac", rate=AAC_RATE, layout="mono")
        self._stream.bit_rate = AAC_BITRATE
        if title:
            self._stream.metadata["handler_name"] = title
        self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=AAC_RATE)
        self._samples = 0

    def write(self, audio: Samples) -> None:
        """Mono sound at `RATE`, which goes on where the last one ended."""
        if not len(audio):
            return
        sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio[None], np.float32), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += len(audio)
        for frame in self._resampler.resample(sound):
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """No more comes."""
        for frame in self._resampler.resample(None):
            self._container.mux(self._stream.encode(frame))
        self._container.mux(self._stream.encode(None))


def encoded_stream(container: OutputContainer, first: Packet, fps: int) -> VideoStream:
    """A track for H.264 that a `VideoEncoder` has made, whose ``first`` packet is a keyframe."""
    with av.open(io.BytesIO(first.data), format="h264") as stream:
        video = container.add_stream_from_template(stream.streams.video[0])
    video.time_base = Fraction(1, fps)
    return video


def put(container: OutputContainer, video: VideoStream, packet: Packet, number: int, fps: int) -> None:
    """``packet`` is frame ``number`` of the track."""
    out = av.Packet(packet.data)
    out.stream, out.is_keyframe = video, packet.keyframe
    out.pts = out.dts = number
    out.duration, out.time_base = 1, Fraction(1, fps)
    container.mux(out)


class Mp4Writer:
    """H.264 and AAC to an MP4 file, as a context manager.

    The file appears under its name when all is written; after an error or an interruption nothing is left.
    Raises `MediaError` when the place cannot be written or the disk is full. ``width`` and ``height`` are even. With
    ``finish`` the complete file is finished in place before it gets its name.
    """

    def __init__(
        self, path: Path, width: int, height: int, fps: int = FPS, finish: Callable[[Path], None] | None = None
    ) -> None:
        self.path = path
        self._finishing = finish
        self._partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.mp4")
        self._width, self._height, self._fps = width, height, fps
        self._frames = 0
        check_place(path)
        with self._explained():
            self._container = av.open(self._partial, "w", format="mp4", options={"movflags": "+faststart"})
        self._video: VideoStream | None = None
        self._encodes = False
        self._audio: Voice | None = None

    def write(self, frames: Frames, audio: Samples) -> None:
        """(n, height, width, 3) RGB frames, and mono sound at `RATE`; both go on where the last call ended."""
        with self._explained():
            video = self._video or self._begin(self._encoder())
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(to_yuv420(frame), format="yuv420p")
                picture.pts, picture.time_base = self._frames, Fraction(1, self._fps)
                self._frames += 1
                self._container.mux(video.encode(picture))
            self._write_sound(audio)

    def write_encoded(self, packets: Sequence[Packet], numbers: Sequence[int], audio: Samples) -> None:
        """As `write`, for frames that a `VideoEncoder` has already made H.264 of; the first is a keyframe.

        ``numbers``: which frame of the video each is, rising from 0; the frame before a gap stays for its length.
        """
        with self._explained():
            for packet, number in zip(packets, numbers, strict=True):
                video = self._video or self._begin(encoded_stream(self._container, packet, self._fps))
                put(self._container, video, packet, number, self._fps)
            self._write_sound(audio)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with self._explained():
                    self._finish()
        finally:
            with contextlib.suppress(OSError):  # a full disk, which the caller is told already
                self._container.close()
            self._partial.unlink(missing_ok=True)

    def _encoder(self) -> VideoStream:
        video = self._container.add_stream("libx264", rate=self._fps)
        video.width, video.height, video.pix_fmt = self._width, self._height, "yuv420p"
        video.codec_context.time_base = Fraction(1, self._fps)
        video.options = {"preset": "veryfast", "crf": "14"}
        tag_colours(video.codec_context)
        self._encodes = True
        return video

    def _begin(self, video: VideoStream) -> VideoStream:
        self._video = video
        self._audio = Voice(self._container)
        return video

    def _write_sound(self, audio: Samples) -> None:
        if self._audio is not None:
            self._audio.write(audio)

    def _finish(self) -> None:
        if self._video is None or self._audio is None:
            raise MediaError(f"{self.path} was not written: it would have no frames.")
        if self._encodes:
            self._container.mux(self._video.encode(None))
        self._audio.finish()
        self._container.close()
        if self._finishing:
            self._finishing(self._partial)
        self._partial.replace(self.path)

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise MediaError(f"The disk is full; {self.path} was not written. Free space and try again.") from error
            reason = error.strerror or error
            raise MediaError(f"{self.path} cannot be written: {reason}. Choose another place for it.") from error
