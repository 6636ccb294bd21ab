"""Films of people who talk -> clips for the articulation network. The mouth is solved in the blendshapes of a fitted
head, so that a rendered face shows the lips as the film does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.evaluate.tracking.solving import solver
from animator.evaluate.tracking.track import Image, track
from animator.learn.clips.clips import FRAME_SAMPLES
from animator.learn.clips.fitting import rest_of
from animator.learn.clips.videos import late
from animator.media.files import VIDEO_SUFFIXES, MediaError, read_audio
from animator.motion.rows.space import ARKIT, INDEX
from animator.motion.voice.mouth_net import CHANNELS, from_weights
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.pose import FLIP_Y, align
from animator.portrait.geometry.topology import POINTS, RINGS, canonical
from animator.units import FPS

Floats = NDArray[np.float32]

LEAST_SEEN = 0.9  # share of the frames that must show the face
_SHAPES = [name for name in ARKIT if name in CHANNELS or name.removesuffix("Left").removesuffix("Right") in CHANNELS]
_SOLVED_SHAPES = [INDEX[name] for name in (*_SHAPES, "mouthLeft", "mouthRight")]
_CHIN_POINTS = (152, 148, 377, 176, 400)
_NOSE_TIP = 1  # landmark; what lies above it does not take part in speech


@dataclass(frozen=True, slots=True)
class Take:
    """A filmed sentence: ``sound`` (n,) at 24 kHz, ``mouth`` (frames, len(CHANNELS)) at 25 fps."""

    speaker: str
    name: str
    sound: Floats
    mouth: Floats


def takes(folder: Path, done: Callable[[str], bool], progress: Callable[[str, int, int], None]) -> Iterator[Take]:
    """The take of every video in ``folder`` and its subfolders, except those whose name is ``done`` and those without a
    face. Each folder directly in ``folder`` is a speaker. ``progress`` is called with "film", how many videos are done,
    and how many there are. Raises `MediaError` when there are no videos.
    """
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not videos:
        raise MediaError(f"{folder} has no videos. Give a folder with files such as speaker/sentence.mp4.")
    for number, video in enumerate(videos, 1):
        parts = video.relative_to(folder).with_suffix("").parts
        name = "-".join(parts)
        if not done(name) and (found := _take(video)):
            yield Take(parts[0] if len(parts) > 1 else "", name, *found)
        progress("film", number, len(videos))


def _take(video: Path) -> tuple[Floats, Floats] | None:
    seen: dict[int, FaceLandmarks] = {}

    def watch(number: int, _: Image, face: FaceLandmarks | None) -> None:
        if face:
            seen[number] = face

    try:
        tracked, sound = track(video, watch=watch), read_audio(video)
    except MediaError:
        return None
    if len(seen) < LEAST_SEEN * len(tracked):
        return None
    rows = mouths(list(seen.values()))
    times = (np.array(list(seen)) + 0.5) / tracked.fps
    frames = int(len(tracked) / tracked.fps * FPS)
    every = (np.arange(frames) + 0.5) / FPS
    begun = late(video)
    heard = np.concatenate([np.zeros(max(0, begun), np.float32), sound[max(0, -begun) :]])
    heard = np.pad(heard, (0, max(0, frames * FRAME_SAMPLES - len(heard))))[: frames * FRAME_SAMPLES].astype(np.float32)
    return heard, np.stack([np.interp(every, times, column) for column in rows.T], axis=1).astype(np.float32)


def mouths(faces: Sequence[FaceLandmarks]) -> Floats:
    """Faces of one clip -> (frames, len(CHANNELS)) float32, relative to its calmest faces; means of both sides.

    The lips count most, then the chin; the rest of the lower face merely regularises the solution.
    """
    rest = rest_of(faces)
    count = np.full(POINTS, 0.16, np.float32)
    lips = {
        name: sorted(set(RINGS[f"lips_{name}_upper"]) | set(RINGS[f"lips_{name}_lower"])) for name in ("inner", "outer")
    }
    count[lips["outer"]], count[lips["inner"]], count[list(_CHIN_POINTS)] = 4.0, 9.0, 2.2
    count[rest.points[:, 1] > rest.points[_NOSE_TIP, 1]] = 0.0025
    solve = solver(rest.shapes[_SOLVED_SHAPES], rest.width, count)
    rows = np.zeros((len(faces), len(ARKIT)), np.float32)
    for row, face in zip(rows, faces, strict=True):
        scale, turn, shift = align(rest.points, face.points[:POINTS] * FLIP_Y, canonical().weights)
        row[_SOLVED_SHAPES] = solve(
            ((face.points[:POINTS] * FLIP_Y - shift) @ turn / scale - rest.points).astype(np.float32)
        )
    return np.stack([from_weights(row) for row in rows])
