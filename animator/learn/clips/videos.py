"""Shards of tracked videos of real people, from any tree of video files, such as VoxCeleb2's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from animator.control import STATES
from animator.evaluate.tracking.irises import Gaze
from animator.evaluate.tracking.track import Image, track
from animator.learn.clips.clips import FRAME_SAMPLES, SILENCE_POWER, to_power
from animator.learn.clips.fitting import KNOWN_COLUMNS, Floats, channels
from animator.learn.clips.shards import Shard, load, save
from animator.media.files import VIDEO_SUFFIXES, MediaError, read_audio
from animator.media.mel import MELS
from animator.motion.voice.mouth_net import HOPS_PER_FRAME
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.units import FPS, RATE, Samples

SHORTEST_CLIP = 25  # frames
LEAST_SEEN = 0.9  # share of the frames that must show the face
MOST_BLANK = 2  # frames that may pass before the face appears: a search for it takes long
QUIET_AMPLITUDE = 1e-3  # a sound that never exceeds this amplitude has nobody speaking in it


@dataclass(frozen=True, slots=True)
class Made:
    """``skipped``: videos that made no clip, and why."""

    clips: int
    seconds: float
    skipped: list[tuple[Path, str]]


def convert(folder: Path, out: Path, held: float, progress: Callable[[str, int, int], None]) -> Made:
    """Writes a shard for every video in ``folder`` and its subfolders; shards that ``out`` already has are kept.

    ``held``, 0 to 1: the share of people who are held out for validation; each folder directly in ``folder`` is a
    person. ``progress`` is called with "videos", how many are done, and how many there are. Raises `MediaError` when
    there are no videos.
    """
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not videos:
        raise MediaError(f"{folder} has no videos. Give a folder with files such as id/clip/0001.mp4.")
    out.mkdir(parents=True, exist_ok=True)
    clips, frames, skipped = 0, 0, list[tuple[Path, str]]()
    for number, video in enumerate(videos, 1):
        parts = video.relative_to(folder).with_suffix("").parts
        path = out / f"video-{'-'.join(parts)}.npz"
        try:
            if not path.exists():
                save(path, _shard(video, _share(parts[0]) < held))
            clips, frames = clips + 1, frames + len(load(path))
        except MediaError as error:
            skipped.append((video, str(error)))
        progress("videos", number, len(videos))
    return Made(clips, frames / FPS, skipped)


def _shard(video: Path, held: bool) -> Shard:
    sound = read_audio(video)
    if np.abs(sound).max(initial=0) < QUIET_AMPLITUDE:
        raise MediaError("Its sound is silent.")
    motion = _motion(video)
    frames = min(len(motion), int((len(sound) + late(video)) / FRAME_SAMPLES))
    if frames < SHORTEST_CLIP:
        raise MediaError(f"It is shorter than {SHORTEST_CLIP / FPS:g} s.")
    one = np.ones(frames, np.float16)
    return Shard(
        to_power(_aligned(sound, late(video), frames)),
        np.full((frames * HOPS_PER_FRAME, MELS), SILENCE_POWER, np.float16),
        motion[:frames].astype(np.float16), KNOWN_COLUMNS, np.full(frames, STATES.index("speaking"), np.uint8),
        np.zeros(frames, np.uint8), one, np.zeros((frames, 2), np.float16), one, held, "video",
    )  # fmt: skip


def _motion(video: Path) -> Floats:
    """(frames, channels) at 25 frames a second."""
    seen: list[tuple[int, FaceLandmarks, tuple[float, float]]] = []
    gaze: list[Gaze] = []

    def watch(number: int, image: Image, face: FaceLandmarks | None) -> None:
        if face:
            gaze[:] = gaze or [Gaze(face.points)]
            seen.append((number, face, gaze[0](image, face.points)))
        elif number >= MOST_BLANK and not seen:
            raise MediaError(f"None of its first {number + 1} frames shows a face.")

    tracked = track(video, watch=watch)
    if len(seen) < max(SHORTEST_CLIP / 2, LEAST_SEEN * len(tracked)):
        raise MediaError(f"Only {len(seen)} of its {len(tracked)} frames show a face.")
    rows = channels([face for _, face, _ in seen], np.array([look for *_, look in seen], np.float32))
    times = (np.array([number for number, *_ in seen]) + 0.5) / tracked.fps
    every = (np.arange(int(len(tracked) / tracked.fps * FPS)) + 0.5) / FPS
    return np.stack([np.interp(every, times, column) for column in rows.T], axis=1).astype(np.float32)


def late(video: Path) -> int:
    """Samples at 24 kHz by which the sound starts after the picture; negative if it starts before."""
    try:
        with av.open(video) as container:
            sound = next(container.decode(audio=0)).time or 0.0
        with av.open(video) as container:
            picture = next(container.decode(video=0)).time or 0.0
    except (FFmpegError, StopIteration):
        return 0
    return round((sound - picture) * RATE)


def _aligned(sound: Samples, late: int, frames: int) -> Samples:
    """(frames * FRAME_SAMPLES,) float32: the sound cut or padded to begin and end with the picture."""
    begun = np.concatenate([np.zeros(max(0, late), np.float32), sound[max(0, -late) :]])
    return np.pad(begun, (0, max(0, frames * FRAME_SAMPLES - len(begun))))[: frames * FRAME_SAMPLES].astype(np.float32)


def _share(person: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:4], "big") / 2**32
