"""Videos of a face: speaking, by the same `Face.step` as in conversations, or replaying recorded motion."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.face import Drawer, Face, Shown
from animator.media.files import Mp4Writer
from animator.media.loudness import gain_to_speech
from animator.units import SAMPLES_PER_FRAME, Motion, Samples

Progress = Callable[[int], None]  # frames done

_FAINT_SHARE = 0.03  # of the loudest sound: less is a pause
_BREATH_FRAMES = 10  # frames before and after a voice in which it has the floor


def frames_of(audio: Samples) -> int:
    """How many frames a sound lasts, the last one begun included."""
    return -(-len(audio) // SAMPLES_PER_FRAME)


def speak(face: Face, audio: Samples, control: Control, other: Samples | None = None) -> Iterator[Shown]:
    """The chunks of a face that says ``audio``, with the face's look-ahead cut off.

    The sound of all chunks joined is ``audio``, padded with zeros to whole frames; the face hears it as loud as a voice
    usually is. With ``other`` both are heard, and the face listens to that person wherever it is silent itself, until
    both are done.
    """
    total, chunk = max(frames_of(audio), frames_of(other) if other is not None else 0), face.chunk_frames
    fed = -(-(total + face.delay_frames) // chunk) * chunk
    own, heard = _frames(audio, fed), None if other is None else _frames(other, fed)
    voice = own * np.float32(gain_to_speech(audio))
    talking = _talking(own)
    for start in range(0, fed, chunk):
        now = slice(start, start + chunk)
        if heard is None:
            shown = face.step(voice[now].reshape(-1), control)
        else:
            told = replace(control, state="speaking" if talking[now].any() else "listening")
            shown = face.step(voice[now].reshape(-1), told, heard[now].reshape(-1))
        first = max(0, face.delay_frames - start)
        last = min(chunk, face.delay_frames + total - start)
        if first < last:
            at = start - face.delay_frames
            sound = own[at + first : at + last].reshape(-1)
            if heard is not None:
                sound = np.clip(sound + heard[at + first : at + last].reshape(-1), -1.0, 1.0)
            yield Shown(shown.frames[first:last], sound, shown.motion[first:last])


def _frames(audio: Samples, count: int) -> NDArray[np.float32]:
    """(count, samples) of ``audio``, filled up with silence."""
    frames = np.zeros((count, SAMPLES_PER_FRAME), np.float32)
    frames.reshape(-1)[: len(audio)] = audio
    return frames


def _talking(frames: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(frames, samples) of a voice -> (frames,): whether it has the floor, short pauses included."""
    peaks = np.abs(frames).max(axis=1)
    loud = peaks > max(_FAINT_SHARE * float(peaks.max()), 1e-4)
    return np.convolve(loud, np.ones(2 * _BREATH_FRAMES + 1))[_BREATH_FRAMES : _BREATH_FRAMES + len(frames)] > 0


def replay(drawer: Drawer, motion: Motion, audio: Samples) -> Iterator[Shown]:
    """One chunk a row of ``motion`` (n, 64), drawn as it is; ``audio`` is cut, or filled up with silence."""
    sound = np.zeros(len(motion) * SAMPLES_PER_FRAME, np.float32)
    heard = audio[: len(sound)]
    sound[: len(heard)] = heard
    for row, samples in zip(motion, sound.reshape(-1, SAMPLES_PER_FRAME), strict=True):
        yield Shown(drawer.draw(row)[None], samples, row[None])


def write(
    shown: Iterable[Shown], size: int, out: Path, progress: Progress | None = None,
    finish: Callable[[Path], None] | None = None,
) -> Motion:  # fmt: skip
    """Writes chunks of frames of ``size`` px to the MP4 ``out`` and returns their motion (n, 64). With ``finish`` the
    complete file is finished in place, such as by `animator.marks.credentials.Signature`.

    Raises `animator.media.files.MediaError`; then no file is left.
    """
    rows: list[Motion] = []
    done = 0
    with Mp4Writer(out, size, size, finish=finish) as writer:
        for chunk in shown:
            writer.write(chunk.frames, chunk.audio)
            rows.append(chunk.motion)
            done += len(chunk.frames)
            if progress:
                progress(done)
    return np.concatenate(rows)
