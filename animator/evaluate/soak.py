"""A soak test: does the motion of a long conversation drift or jump, does memory grow?"""

from collections.abc import Callable, Iterator
from itertools import cycle, repeat
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from animator.bench.footprint import resident_mb
from animator.bench.frames import voice
from animator.control import Control, State
from animator.evaluate import evaluate
from animator.evaluate.measure import jumps
from animator.evaluate.rows import motion_figures, observed
from animator.evaluate.tracking.lip_figures import Figures
from animator.export import replay, write
from animator.face import Mover
from animator.live import Animator
from animator.motion.rows import space
from animator.portrait.portrait import Portrait
from animator.render import Renderer
from animator.units import FPS, SAMPLES_PER_FRAME, Motion, Samples

CHUNK_FRAMES = 2  # frames
TURNS: tuple[tuple[State, float], ...] = (("speaking", 12.0), ("listening", 8.0), ("thinking", 2.0))  # seconds
DRAWN_SECONDS = 12.0
SETTLED_SECONDS = 30.0
_END_FIGURES = ("sync", "offset_ms", "pause_mad", "identity_mean", "identity_min", "sharpness", "picture_jumps")
Progress = Callable[[int], None]


def soak(
    animator: Animator, portrait: Portrait, minutes: float, audio: Samples | None = None,
    progress: Progress | None = None,
) -> Figures:  # fmt: skip
    """A conversation of ``minutes`` in which the face repeats ``audio``; its last seconds are drawn and tracked.

    ``drift_deg`` and ``drift_opening``: by how much the middle of the head's angles (the largest of three), and of the
    opening of the mouth while it speaks, differs between the first and the second half. ``grown_mb``: memory that was
    taken after `SETTLED_SECONDS`. What begins with ``end_`` is tracked in the video of the last seconds.
    """
    rows, sound, speaking, grown = _converse(animator.generator(), minutes, audio, progress)
    halves = np.array_split(np.arange(len(rows)), 2)
    head = [np.median(rows[half, space.HEAD_YAW : space.HEAD_ROLL + 1], axis=0) for half in halves]
    opening = observed(rows).opening
    open_by_half = [float(opening[half][speaking[half]].mean()) for half in halves]
    figures = motion_figures(rows, sound)
    kept = ("head_change_speaking", "head_jumps", "mouth_jumps", "blinks_per_minute", "blink_interval_log_sd")
    return {
        "minutes": len(rows) / FPS / 60,
        "drift_deg": float(np.abs(head[1] - head[0]).max()),
        "drift_opening": abs(open_by_half[1] - open_by_half[0]),
        "gaze_jumps": jumps(rows[:, 58:60]),
        "grown_mb": grown,
        **{name: figures[name] for name in kept},
        **_end(portrait, rows, sound),
    }


def _converse(
    mover: Mover, minutes: float, audio: Samples | None, progress: Progress | None
) -> tuple[Motion, Samples, NDArray[np.bool_], float]:
    """Motion (n, 64), its sound, (n,) which rows speak, and by how many MB memory grew after `SETTLED_SECONDS`."""
    said = _pieces(voice(60.0) if audio is None else audio)
    turns = _turns(int(minutes * 60 * FPS / CHUNK_FRAMES))
    # Filled once, so that what is written into them later takes no more memory.
    rows = np.full((len(turns), CHUNK_FRAMES, space.SIZE), 0, np.float32)
    sound = np.full((len(turns), CHUNK_FRAMES * SAMPLES_PER_FRAME), 0, np.float32)
    before = 0.0
    for i, state in enumerate(turns):
        if state == "speaking":
            sound[i] = next(said)
        rows[i] = mover.step(sound[i], Control(state))
        if i == int(SETTLED_SECONDS * FPS / CHUNK_FRAMES):
            before = resident_mb()
        if progress:
            progress((i + 1) * CHUNK_FRAMES)
    grown = resident_mb() - before if before else 0.0
    late = mover.delay_frames
    speaking = np.repeat([state == "speaking" for state in turns], CHUNK_FRAMES)
    shown = slice(0, -late * SAMPLES_PER_FRAME or None)
    return rows.reshape(-1, space.SIZE)[late:], sound.reshape(-1)[shown], speaking[: -late or None], grown


def _turns(chunks: int) -> list[State]:
    """The states of the face, chunk by chunk."""
    turns: list[State] = []
    for state, seconds in cycle(TURNS):
        turns.extend(repeat(state, int(seconds * FPS / CHUNK_FRAMES)))
        if len(turns) >= chunks:
            break
    return turns[:chunks]


def _pieces(audio: Samples) -> Iterator[Samples]:
    size = CHUNK_FRAMES * SAMPLES_PER_FRAME
    return cycle(audio[: len(audio) // size * size].reshape(-1, size))


def _end(portrait: Portrait, rows: Motion, sound: Samples) -> Figures:
    frames = min(len(rows), int(DRAWN_SECONDS * FPS))
    with TemporaryDirectory() as folder:
        video = Path(folder, "end.mp4")
        last = replay(Renderer(portrait), rows[-frames:], sound[-frames * SAMPLES_PER_FRAME :])
        write(last, portrait.size, video)
        figures = evaluate(video, None, portrait)
    return {f"end_{name}": figures.get(name) for name in _END_FIGURES}
