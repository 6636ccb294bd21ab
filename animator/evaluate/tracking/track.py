"""What a face in a video does, frame by frame, as the landmark networks see it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from animator.media.files import MediaError, opened
from animator.portrait.finding.landmarks import FaceLandmarks, Landmarker
from animator.portrait.geometry.pose import pose
from animator.portrait.geometry.topology import POINTS, RINGS

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]  # (height, width, 3) RGB
Watch = Callable[[int, Image, FaceLandmarks | None], None]  # number of the frame, its picture, its face

_COLUMN_COUNT = 10
SAMPLED_FRAMES = 100  # that tell the frame rate

_LIP_MIDDLES = (13, 14)
_MOUTH_CORNERS = (61, 291)
_LID_POINTS = ((386, 374, 362, 263), (159, 145, 33, 133))  # upper, lower, two corners; the subject's left eye first
_EYE_POINTS = tuple([*RINGS[f"eye_{side}_upper"], *RINGS[f"eye_{side}_lower"][1:-1]] for side in ("left", "right"))
_BROW_POINTS = (
    (276, 283, 282, 295, 285, 300, 293, 334, 296, 336),
    (46, 53, 52, 65, 55, 70, 63, 105, 66, 107),
)  # the subject's left one first


@dataclass(frozen=True, slots=True)
class Track:
    """One row a frame, NaN where no face was found. Lengths on the face are in distances of the eyes.

    ``opening``: gap of the inner lips. ``width``: of the mouth, corner to corner. ``lids`` (n, 2): lid gap over eye
    width, left and right of the subject. ``brows`` (n, 2): middle of the brow to middle of the eye, as in THEval
    (Quignon et al. 2025). ``head`` (n, 3): yaw, pitch, roll in degrees, signs as in `animator.control`. ``lift``:
    height of the middle of the face in the picture.
    """

    fps: float
    opening: Floats
    width: Floats
    lids: Floats
    brows: Floats
    head: Floats
    lift: Floats

    def __len__(self) -> int:
        return len(self.opening)


def track(video: Path, progress: Callable[[int], None] | None = None, watch: Watch | None = None) -> Track:
    """Follows the largest face of ``video``; ``progress`` hears how many frames are done, ``watch`` sees each.

    Raises `MediaError` when the file cannot be read or no frame shows a face.
    """
    found = tracked(*_open(video), Landmarker(), progress, watch)
    if np.isnan(found.opening).all():
        raise MediaError(f"No frame of {video} shows a face that the tracker finds.")
    return found


def tracked(
    fps: float,
    frames: Iterable[tuple[int, Image]],
    landmarker: Landmarker,
    progress: Callable[[int], None] | None = None,
    watch: Watch | None = None,
) -> Track:
    """As `track`, of ``frames`` at ``fps`` with their numbers, in which skipped ones are missing. It may be empty."""
    face: FaceLandmarks | None = None
    rows: list[Floats] = []
    for number, image in frames:
        rows += rows[-1:] * (number - len(rows))  # a skipped frame shows the one before it
        face = (face and landmarker.track(image, face)) or next(iter(landmarker.detect(image)), None)
        rows.append(_row(face.points) if face else np.full(_COLUMN_COUNT, np.nan, np.float32))
        if watch:
            watch(number, image, face)
        if progress:
            progress(len(rows))
    table = np.array(rows, np.float32).reshape(-1, _COLUMN_COUNT)
    return Track(fps, *(table[:, 0], table[:, 1], table[:, 2:4], table[:, 4:6], table[:, 6:9], table[:, 9]))


def lid_gaps(points: Floats) -> Floats:
    """(2,) gap of the lids over the width of the eye, the subject's left one first, by landmarks (478, 2 or 3)."""
    upper, lower, one, other = points[np.array(_LID_POINTS).T]
    gaps, widths = np.linalg.norm(upper - lower, axis=1), np.linalg.norm(one - other, axis=1)
    return (gaps / widths).astype(np.float32)


def _row(points: Floats) -> Floats:
    def between(a: int, b: int) -> float:
        return float(np.linalg.norm(points[a] - points[b]))

    eyes = [points[list(eye), :2].mean(axis=0) for eye in _EYE_POINTS]
    scale = float(np.linalg.norm(eyes[0] - eyes[1]))
    raised = [
        np.linalg.norm(points[list(brow), :2].mean(axis=0) - eye) for brow, eye in zip(_BROW_POINTS, eyes, strict=True)
    ]
    lips = [between(*_LIP_MIDDLES) / scale, between(*_MOUTH_CORNERS) / scale]
    lift = -float(points[:POINTS, 1].mean()) / scale
    return np.array([*lips, *lid_gaps(points), *(brow / scale for brow in raised), *pose(points), lift], np.float32)


def _open(video: Path) -> tuple[float, Iterator[tuple[int, Image]]]:
    """Frames a second, and the frames with their numbers, in which skipped ones are missing."""
    with opened(video, "pictures") as container:
        fps = _rate(container)
    return fps, _images(video, fps)


def _rate(container: InputContainer) -> float:
    """Frames a second where none is skipped: what containers claim counts fields, ticks or gaps."""
    packets = islice(container.demux(video=0), SAMPLED_FRAMES)
    times = sorted(float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None)
    steps = np.diff(times)
    steps = steps[steps > 0]
    return 1 / float(steps[steps < 1.5 * steps.min()].mean()) if len(steps) else 25.0


def _images(video: Path, fps: float) -> Iterator[tuple[int, Image]]:
    with opened(video, "pictures") as container:
        container.streams.video[0].thread_type = "AUTO"
        start: float | None = None
        for frame in container.decode(video=0):
            start = frame.time if start is None else start
            number = round(((frame.time or 0.0) - (start or 0.0)) * fps)
            yield number, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
