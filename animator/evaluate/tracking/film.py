"""Frames as a viewer gets them, encoded and decoded, with the face that the tracker finds in each."""

from collections.abc import Callable, Iterable, Iterator

import av
import numpy as np
from numpy.typing import NDArray

from animator.face import Drawer
from animator.media.encoder import VideoEncoder
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.portrait import Portrait
from animator.render import Renderer

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB


class Watch:
    """Draws a portrait and tracks what it drew; ``progress`` is called with the number of frames so far."""

    def __init__(self, portrait: Portrait, progress: Callable[[int], None] | None = None) -> None:
        self._size, self._progress = portrait.size, progress
        self._renderer, self._landmarker = Renderer(portrait), Landmarker()
        self._done = 0

    def __call__(self, rows: Floats) -> list[tuple[Image, FaceLandmarks | None]]:
        """(n, 64) rows -> the n frames, encoded and decoded, (size, size, 3) uint8 RGB, and the face found in each."""
        frames = list(film(self._renderer, rows, self._size))
        self._done += len(frames)
        if self._progress:
            self._progress(self._done)
        return list(zip(frames, follow(self._landmarker, frames), strict=True))


def film(drawer: Drawer, rows: Iterable[Floats], size: int) -> Iterator[Image]:
    """Draws ``rows`` (n, 64) and yields each frame, (size, size, 3) uint8 RGB, after the live encoder and a decoder."""
    encoder = VideoEncoder(size, size)
    decoder = av.VideoCodecContext.create("h264", "r")
    decoder.thread_count = 1
    for motion in rows:
        for packet in encoder.encode(drawer.draw(motion)):
            yield from map(_pixels, decoder.decode(av.Packet(packet.data)))
    yield from map(_pixels, decoder.decode(None))


def follow(landmarker: Landmarker, frames: Iterable[Image]) -> Iterator[FaceLandmarks | None]:
    """The largest face of every frame, None where there is none."""
    face: FaceLandmarks | None = None
    for image in frames:
        face = (face and landmarker.track(image, face)) or next(iter(landmarker.detect(image)), None)
        yield face


def _pixels(frame: av.VideoFrame) -> Image:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
