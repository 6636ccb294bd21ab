"""A portrait and a sound file to an MP4: the same `Face.step` that a conversation runs, in a loop."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from animator.control import Control
from animator.face import SAMPLES_PER_FRAME, Face, Samples, Shown
from animator.media import Mp4Writer

Progress = Callable[[int, int], None]  # frames done, frames in all


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


def export(face: Face, audio: Samples, out: Path, control: Control, progress: Progress | None = None) -> int:
    """Writes the MP4 and returns its number of frames. Raises `animator.media.MediaError`; then no file is left."""
    total, done = frames_of(audio), 0
    with Mp4Writer(out, face.width, face.height) as writer:
        for shown in speak(face, audio, control):
            writer.write(shown.frames, shown.audio)
            done += len(shown.frames)
            if progress:
                progress(done, total)
    return done
