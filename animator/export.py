"""A face to an MP4: speaking by the `Face.step` that conversations run, or moved by rows that somebody recorded."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from animator.control import Control
from animator.face import SAMPLES_PER_FRAME, Drawer, Face, Motion, Samples, Shown
from animator.media import Mp4Writer

Progress = Callable[[int], None]  # frames done


def frames_of(audio: Samples) -> int:
    """How many frames a sound lasts, the last one begun included."""
    return -(-len(audio) // SAMPLES_PER_FRAME)


def speak(face: Face, audio: Samples, control: Control) -> Iterator[Shown]:
    """The chunks of a face that says ``audio``, with the face's look-ahead cut off.

    The sound of all chunks joined is ``audio``, padded with zeros to whole frames.
    """
    total, chunk = frames_of(audio), face.chunk_frames
    fed = np.zeros((-(-(total + face.delay_frames) // chunk) * chunk, SAMPLES_PER_FRAME), np.float32)
    fed.reshape(-1)[: len(audio)] = audio
    for start in range(0, len(fed), chunk):
        shown = face.step(fed[start : start + chunk].reshape(-1), control)
        first = max(0, face.delay_frames - start)
        last = min(chunk, face.delay_frames + total - start)
        if first < last:
            sound = shown.audio[first * SAMPLES_PER_FRAME : last * SAMPLES_PER_FRAME]
            yield Shown(shown.frames[first:last], sound, shown.motion[first:last])


def replay(drawer: Drawer, motion: Motion, audio: Samples) -> Iterator[Shown]:
    """One chunk a row of ``motion`` (n, 64), drawn as it is; ``audio`` is cut, or filled up with silence."""
    sound = np.zeros(len(motion) * SAMPLES_PER_FRAME, np.float32)
    heard = audio[: len(sound)]
    sound[: len(heard)] = heard
    for row, samples in zip(motion, sound.reshape(-1, SAMPLES_PER_FRAME), strict=True):
        yield Shown(drawer.draw(row)[None], samples, row[None])


def write(shown: Iterable[Shown], size: int, out: Path, progress: Progress | None = None) -> Motion:
    """Writes chunks of frames of ``size`` px to the MP4 ``out`` and returns their motion (n, 64).

    Raises `animator.media.MediaError`; then no file is left.
    """
    rows: list[Motion] = []
    done = 0
    with Mp4Writer(out, size, size) as writer:
        for chunk in shown:
            writer.write(chunk.frames, chunk.audio)
            rows.append(chunk.motion)
            done += len(chunk.frames)
            if progress:
                progress(done)
    return np.concatenate(rows)
