"""How fast faces are on this machine: one core, step by step, and all cores together, encoding included."""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.face import FPS, RATE, SAMPLES_PER_FRAME, Animator, Drawer, LiveFace, Mover, Samples
from animator.portrait.portrait import Portrait
from animator.video import VideoEncoder

WARM_SECONDS = 1.0
MS = 1000.0

Floats = NDArray[np.float64]


class SizeFigures(TypedDict):
    """``fps_one_core``: frames a second of one thread that does all; ``ms`` and ``steps`` are ms a frame."""

    fps_one_core: float
    ms: dict[str, float]
    steps: dict[str, float]


class Figures(TypedDict):
    """What the last line of ``animator bench`` says."""

    sizes: dict[str, SizeFigures]
    faces_at_25fps: int
    prepare_s: float
    motion_core_share: float


def measure(picture: Path, sizes: list[int], seconds: float) -> Figures:
    """All figures; the number of faces, the preparation and the share of motion are those of the first size."""
    from animator.portrait.portrait import load

    prepare_s = prepare_seconds(picture, sizes[0])
    portraits = [load(picture, size) for size in sizes]
    by_size = {str(size): one_core(portrait, seconds) for size, portrait in zip(sizes, portraits, strict=True)}
    first = by_size[str(sizes[0])]
    guess = int(first["fps_one_core"] * (os.cpu_count() or 1) / FPS)
    return {
        "sizes": by_size,
        "faces_at_25fps": faces_at_25fps(portraits[0], seconds, guess),
        "prepare_s": round(prepare_s, 2),
        "motion_core_share": round(first["steps"]["motion"] * FPS / MS, 4),
    }


def voice(seconds: float) -> Samples:
    """Sound with the rhythm of speech: a buzz in syllables of about 5 Hz, with pauses."""
    t = np.arange(int(seconds * RATE)) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 4.7 * t), 0, 1) * (np.sin(2 * np.pi * 0.4 * t) > -0.7)
    return (0.2 * syllables * np.sign(np.sin(2 * np.pi * 140 * t))).astype(np.float32)


class _Timed:
    """A mover or drawer with a stopwatch."""

    def __init__(self, mover: Mover, drawer: Drawer) -> None:
        self._mover, self._drawer = mover, drawer
        self.delay_frames = mover.delay_frames
        self.interrupt, self.reset = mover.interrupt, mover.reset
        self.motion_s = self.render_s = 0.0

    def step(self, audio: Samples, control: Control) -> NDArray[np.float32]:
        start = time.perf_counter()
        motion = self._mover.step(audio, control)
        self.motion_s += time.perf_counter() - start
        return motion

    def draw(self, motion: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        start = time.perf_counter()
        frame = self._drawer.draw(motion, out)
        self.render_s += time.perf_counter() - start
        return frame


def prepare_seconds(picture: Path, size: int) -> float:
    """Seconds from a picture to a portrait, with an empty cache and all code loaded."""
    from animator.portrait.portrait import load

    before = os.environ.get("VASARI_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VASARI_CACHE"] = folder
        try:
            load(picture, max(64, size // 2))  # loads networks and compiled code, under another cache key
            start = time.perf_counter()
            load(picture, size)
            return time.perf_counter() - start
        finally:
            os.environ.pop("VASARI_CACHE")
            if before is not None:
                os.environ["VASARI_CACHE"] = before


def one_core(portrait: Portrait, seconds: float, seed: int = 0) -> SizeFigures:
    """One face on one thread, as fast as it goes: motion, drawing and H.264."""
    from animator.motion.generator import Generator
    from animator.render import Renderer

    timed = _Timed(Generator(seed), Renderer(portrait))
    face = LiveFace(timed, timed, portrait.size)
    encoder = VideoEncoder(portrait.size, portrait.size)
    _talk(face, encoder, WARM_SECONDS)
    timed.motion_s = timed.render_s = 0.0
    step_s, encode_s = _talk(face, encoder, seconds)
    whole = (step_s + encode_s) * MS / face.chunk_frames
    frames = len(whole) * face.chunk_frames
    seconds_by_step = {"motion": timed.motion_s, "render": timed.render_s, "encode": float(encode_s.sum())}
    p50, p95, p99 = np.percentile(whole, [50, 95, 99])
    return {
        "fps_one_core": round(MS / float(whole.mean()), 1),
        "ms": {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "p99": round(float(p99), 2)},
        "steps": {name: round(value * MS / frames, 2) for name, value in seconds_by_step.items()},
    }


def _talk(face: LiveFace, encoder: VideoEncoder, seconds: float) -> tuple[Floats, Floats]:
    """Seconds that each chunk took in `Face.step` and in the encoder."""
    taken: list[tuple[float, float]] = []
    for chunk in _chunks(face.chunk_frames, seconds):
        start = time.perf_counter()
        shown = face.step(chunk, Control(state="speaking"))
        middle = time.perf_counter()
        for frame in shown.frames:
            encoder.encode(frame)
        taken.append((middle - start, time.perf_counter() - middle))
    table = np.array(taken)
    return table[:, 0], table[:, 1]


def faces_at_25fps(portrait: Portrait, seconds: float, guess: int) -> int:
    """The largest number of faces, each in its own thread and paced by the clock, that all keep 25 frames a second.

    Tries ``guess`` faces first and then what was really reached, until none is late at the end by more than a chunk.
    """
    animator = Animator(portrait.size)
    count = max(1, guess)
    while count:
        faces = [animator.open(portrait) for _ in range(count)]
        barrier = threading.Barrier(count)
        with ThreadPoolExecutor(count) as pool:
            late = max(pool.map(_paced, faces, repeat(seconds), repeat(barrier)))
        if late <= faces[0].chunk_frames / FPS:
            return count
        count = min(count - 1, int(count * seconds / (seconds + late)))
    return 0


def _paced(face: LiveFace, seconds: float, barrier: threading.Barrier) -> float:
    """How many seconds behind the clock the last chunk was ready."""
    encoder = VideoEncoder(face.width, face.height)
    chunks = list(_chunks(face.chunk_frames, seconds))
    face.step(chunks[0], Control())
    barrier.wait()
    due = time.perf_counter()
    for chunk in chunks:
        for frame in face.step(chunk, Control(state="speaking")).frames:
            encoder.encode(frame)
        due += face.chunk_frames / FPS
        time.sleep(max(0.0, due - time.perf_counter()))
    return max(0.0, time.perf_counter() - due)


def _chunks(chunk_frames: int, seconds: float) -> Iterator[Samples]:
    size = chunk_frames * SAMPLES_PER_FRAME
    sound = voice(seconds)
    for start in range(0, len(sound) - size + 1, size):
        yield sound[start : start + size]
