"""Whether a filmed clip shows the person of a picture speaking: measured, not judged.

Three things are compared: the lips with the sound (`animator.evaluate.sync`), the face's shape in the clip with that in
the picture, and, where the optional package for it is installed, the face itself (`tracking.identity`).
"""

import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from animator.evaluate import sync
from animator.evaluate.tracking.identity import Descriptor, weights
from animator.evaluate.tracking.track import tracked
from animator.media.decoding import TooLongError, decode
from animator.media.files import MediaError
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.geometry.pose import FLIP_Y, align
from animator.portrait.geometry.topology import BROW_LOWER_EDGES, BROW_UPPER_EDGES, POINTS, RINGS, canonical
from animator.units import FPS, RATE

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB

CONTAINERS = {"video/webm": "matroska", "video/mp4": "mov"}  # FFmpeg's demuxers, by media type
CODECS = {"vp8", "vp9", "h264", "av1", "opus", "vorbis", "aac"}
LARGEST_SIDE = 640  # px; larger frames are made smaller before they are looked at
LONGEST_S = 12.0
MOST_PIXELS = 1920 * 1920  # of a frame; the decoder refuses larger ones before it makes room for them
DESCRIBED_EVERY = 10  # frames between two whose identity is looked at
_NOSE_TIP, _UNDER_THE_NOSE = 4, 2  # landmarks


@dataclass(frozen=True, slots=True)
class Presence:
    """``seen``: share of the frames that show a face. ``moved``: standard deviation of the gap of the lips, in
    distances of the eyes. ``sync``: correlation of that gap with what the sound lets expect. ``shape``: how far the
    face's steady points are from the picture's on average, in cm of a common face. ``identity``: cosine of the face's
    descriptors in clip and picture, None without the package. ``sound`` (n,) is mono at `RATE`."""

    seen: float
    moved: float
    sync: float
    shape: float
    identity: float | None
    sound: Floats


def look(clip: bytes, kind: str, picture: Image, place: tuple[float, float]) -> Presence:
    """``clip`` is a file of the media type ``kind``, ``picture`` the one whose person it should show: of several the
    one nearest to ``place``, x and y in px. Takes about a third of the clip's length.

    Raises MediaError for a clip that cannot be read, that is too long or silent, and ValueError where the picture shows
    no face.
    """
    landmarker, descriptor = Landmarker(), _descriptor()
    wanted = _nearest(landmarker.detect(picture), place)
    sound = _sound(clip, kind)
    shapes: list[Floats] = []
    seen: list[Floats] = []

    def watch(number: int, image: Image, face: FaceLandmarks | None) -> None:
        if face is None:
            return
        shapes.append(shape(face.points))
        if descriptor and number % DESCRIBED_EVERY == 0:
            seen.append(descriptor(image, face.points))

    track = tracked(FPS, _frames(clip, kind), landmarker, watch=watch)
    if not shapes:
        return Presence(0.0, 0.0, 0.0, float("inf"), None, sound)
    lips = sync.lips(track)
    expected = sync.expected(sound, len(lips))
    return Presence(
        seen=float(1 - np.isnan(track.opening).mean()),
        moved=float(lips[:, 0].std()),
        sync=sync.correlation(lips[:, 0], expected[:, 0]),
        shape=_apart(np.median(shapes, axis=0), shape(wanted.points)),
        identity=_alike(seen, descriptor(picture, wanted.points)) if descriptor and seen else None,
        sound=sound,
    )


def shape(points: Floats) -> Floats:
    """Landmarks (478, 3) in px -> (468, 3) turned to the front, in cm of the canonical face, whose size it has."""
    face = canonical()
    upright = points[:POINTS] * FLIP_Y
    scale, turn, shift = align(upright, face.vertices, face.weights)
    return (scale * upright @ turn.T + shift).astype(np.float32)


@cache
def _steady() -> NDArray[np.intp]:
    """The points that speaking and looking around do not move: above the mouth, without lids and brows."""
    moving = {point for name, ring in RINGS.items() if name.startswith("eye") for point in ring}
    for edges in (BROW_LOWER_EDGES, BROW_UPPER_EDGES):
        moving.update(*edges.values())
    heights = canonical().vertices[:, 1]
    above = np.flatnonzero(heights > heights[_UNDER_THE_NOSE])
    return above[~np.isin(above, list(moving))]


def _apart(one: Floats, other: Floats) -> float:
    """The mean distance of two shapes."""
    return float(np.linalg.norm((one - other)[_steady()], axis=1).mean())


def _alike(seen: Sequence[Floats], wanted: Floats) -> float:
    """The median, which a few blurred frames do not change."""
    return float(np.median(np.array(seen) @ wanted))


def _descriptor() -> Descriptor | None:
    path = weights()
    return Descriptor(path) if path else None


def _nearest(faces: Sequence[FaceLandmarks], place: tuple[float, float]) -> FaceLandmarks:
    if not faces:
        raise ValueError("The picture shows no face that could be compared.")
    return min(faces, key=lambda face: float(np.hypot(*(face.points[_NOSE_TIP, :2] - place))))


@contextmanager
def _opened(clip: bytes, kind: str) -> Generator[InputContainer]:
    """The clip, if it has sound and pictures that a browser records. Raises MediaError."""
    try:
        with av.open(io.BytesIO(clip), "r", format=CONTAINERS[kind]) as container:
            if not (container.streams.video and container.streams.audio):
                raise MediaError("The clip needs sound and pictures.")
            for stream in (container.streams.video[0], container.streams.audio[0]):
                if stream.codec_context.name not in CODECS:
                    raise MediaError(f"The clip is coded as {stream.codec_context.name}, which is not read here.")
            container.streams.video[0].codec_context.options = {"max_pixels": str(MOST_PIXELS)}
            yield container
    except TooLongError as error:
        raise MediaError(str(error)) from error
    except (FFmpegError, IndexError, KeyError, ValueError) as error:
        raise MediaError("The clip cannot be read.") from error


def _sound(clip: bytes, kind: str) -> Floats:
    with _opened(clip, kind) as container:
        return decode(container, RATE, LONGEST_S).sound


def _frames(clip: bytes, kind: str) -> Iterator[tuple[int, Image]]:
    """Frames at `FPS` with their numbers, in which some may be missing: cameras keep no even time."""
    with _opened(clip, kind) as container:
        begun, last = (container.start_time or 0) / av.time_base, -1
        for frame in container.decode(video=0):
            number = int(((frame.time or 0.0) - begun) * FPS)
            if number >= LONGEST_S * FPS:
                raise MediaError(f"A clip has at most {LONGEST_S:g} s.")
            if number > last:
                last = number
                yield number, _smaller(frame)


def _smaller(frame: av.VideoFrame) -> Image:
    shrink = min(1.0, LARGEST_SIDE / max(frame.width, frame.height))
    width, height = round(frame.width * shrink), round(frame.height * shrink)
    return np.asarray(frame.to_ndarray(format="rgb24", width=width, height=height), np.uint8)
