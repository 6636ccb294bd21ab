"""How fast faces are drawn on this machine: step by step on one core, and on all cores, encoding included."""

import os
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from animator.bench.footprint import Memory, Soak, memory, soak
from animator.control import Control
from animator.face import ChunkDrawer, Mover
from animator.live import Animator, LiveFace
from animator.media.encoder import VideoEncoder
from animator.motion.rows.space import SIZE
from animator.portrait.portrait import Portrait
from animator.units import FPS, RATE, SAMPLES_PER_FRAME, Samples

WARM_SECONDS = 1.0
BATCH_SIZES = (1, 4, 16, 32)  # frames that a GPU draws at a time
STANDARD_SIZE = 512  # px, the size that the figures about faces are of, if it is measured
MS_PER_S = 1000.0

Floats = NDArray[np.float64]
Percentiles = dict[str, float]


class SizeFigures(TypedDict):
    """``fps_one_core``: frames a second of one thread that does all; ``ms`` and ``steps`` are ms a frame."""

    fps_one_core: float
    ms: Percentiles
    steps: dict[str, Percentiles]


class Figures(TypedDict):
    """What the last line of ``animator bench`` says."""

    sizes: dict[str, SizeFigures]
    faces_at_25fps: int
    faces_on_one_core: int
    memory_mb: Memory
    prepare_s: float
    motion_core_share: float
    batch_ms: NotRequired[dict[str, float]]
    soak: NotRequired[Soak]


def measure(
    picture: Path, sizes: list[int], seconds: float, frames: int = 0, device: str = "cpu", behaviour: str = "processes"
) -> Figures:
    """All figures. Those that are not by size are of `STANDARD_SIZE`, or else of the first size. ``frames``: length
    of the soak test.

    Raises `animator.devices.DeviceError` and `animator.motion.behaviour.choice.BehaviourError` for what cannot be used.
    """
    from animator.portrait.portrait import load

    standard = STANDARD_SIZE if STANDARD_SIZE in sizes else sizes[0]
    prepare_s = prepare_seconds(picture, standard)
    animator = Animator(standard, device=device, behaviour=behaviour)
    used = memory(animator, load(picture, standard), voice(seconds))  # others would free what these take again
    by_size = {str(size): one_core(animator, load(picture, size), seconds) for size in sizes}
    portrait, of = load(picture, standard), by_size[str(standard)]
    with _pinned() as pinned:
        guess = int(of["fps_one_core"] / FPS)
        on_one_core = faces_at_25fps(animator, portrait, seconds, guess) if pinned else guess
    guess = int(of["fps_one_core"] * (os.cpu_count() or 1) / FPS)
    figures: Figures = {
        "sizes": by_size,
        "faces_at_25fps": faces_at_25fps(animator, portrait, seconds, guess),
        "faces_on_one_core": on_one_core,
        "memory_mb": used,
        "prepare_s": round(prepare_s, 2),
        "motion_core_share": round(of["steps"]["motion"]["mean"] * FPS / MS_PER_S, 4),
    }
    if device != "cpu":
        figures["batch_ms"] = {str(count): round(batch_ms(animator, portrait, count), 2) for count in BATCH_SIZES}
    if frames:
        figures["soak"] = soak(animator, portrait, voice(seconds), frames)
    return figures


def tables(figures: Figures) -> list[Table]:
    """The figures as a table for people to read."""
    speed = Table("size", "fps, one core", "ms p50 / p95 / p99", "motion", "render", "encode")
    for side, of in figures["sizes"].items():
        parts = (_slashed(of["ms"]), *(_slashed(of["steps"][step]) for step in ("motion", "render", "encode")))
        speed.add_row(side, f"{of['fps_one_core']}", *parts)
    rest = Table("what", "figure", show_header=False)
    used = figures["memory_mb"]
    rest.add_row("faces at 25 fps, one core / machine", f"{figures['faces_on_one_core']} / {figures['faces_at_25fps']}")
    rest.add_row("memory of a face, the first / each further one", f"{used['first_face']} / {used['per_face']} MB")
    rest.add_row("a new picture becomes a face", f"{figures['prepare_s']} s")
    rest.add_row("motion's share of a core", f"{figures['motion_core_share']:.1%}")
    if "batch_ms" in figures:
        each = ", ".join(f"{count}: {ms} ms" for count, ms in figures["batch_ms"].items())
        rest.add_row("a frame of so many drawn together", each)
    if "soak" in figures:
        of = figures["soak"]
        rest.add_row(f"memory over {of['frames']} frames", f"{of['rss_before_mb']} -> {of['rss_after_mb']} MB")
    return [speed, rest]


def _slashed(of: Percentiles) -> str:
    return " / ".join(f"{of[name]:.1f}" for name in ("p50", "p95", "p99"))


@contextmanager
def _pinned() -> Generator[bool]:
    """This thread and those that it starts share one core; says whether the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)


def voice(seconds: float) -> Samples:
    """Sound with the rhythm of speech: a buzz in syllables of about 5 Hz, with pauses."""
    t = np.arange(int(seconds * RATE)) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 4.7 * t), 0, 1) * (np.sin(2 * np.pi * 0.4 * t) > -0.7)
    return (0.2 * syllables * np.sign(np.sin(2 * np.pi * 140 * t))).astype(np.float32)


class _Timed:
    """A mover or drawer with a stopwatch."""

    def __init__(self, mover: Mover, drawer: ChunkDrawer) -> None:
        self._mover, self._drawer = mover, drawer
        self.delay_frames = mover.delay_frames
        self.interrupt, self.reset = mover.interrupt, mover.reset
        self.motion_s: list[float] = []
        self.render_s: list[float] = []

    def step(self, audio: Samples, control: Control, other: Samples | None = None) -> NDArray[np.float32]:
        start = time.perf_counter()
        motion = self._mover.step(audio, control, other)
        self.motion_s.append(time.perf_counter() - start)
        return motion

    def draw_many(self, motions: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        start = time.perf_counter()
        frames = self._drawer.draw_many(motions, out)
        self.render_s.append(time.perf_counter() - start)
        return frames


def prepare_seconds(picture: Path, size: int) -> float:
    """Seconds that it takes to make a portrait of a picture, with an empty cache and all code loaded."""
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


def one_core(animator: Animator, portrait: Portrait, seconds: float) -> SizeFigures:
    """One face on one thread, as fast as it goes: motion, drawing and H.264."""
    timed = _Timed(animator.generator(), animator.drawer(portrait))
    face = LiveFace(timed, timed, portrait.size)
    encoder = VideoEncoder(portrait.size, portrait.size)
    _talk(face, encoder, WARM_SECONDS)
    timed.motion_s.clear()
    timed.render_s.clear()
    step_s, encode_s = _talk(face, encoder, seconds)
    whole = (step_s + encode_s) / face.chunk_frames
    steps = {
        "motion": np.array(timed.motion_s) / face.chunk_frames,
        "render": np.array(timed.render_s) / face.chunk_frames,
        "encode": encode_s / face.chunk_frames,
    }
    return {
        "fps_one_core": round(1 / float(whole.mean()), 1),
        "ms": _percentiles(whole),
        "steps": {
            name: {"mean": round(float(of.mean()) * MS_PER_S, 2), **_percentiles(of)} for name, of in steps.items()
        },
    }


def batch_ms(animator: Animator, portrait: Portrait, count: int, runs: int = 7) -> float:
    """Median ms a frame when this many are drawn at once."""
    drawer, random = animator.drawer(portrait), np.random.default_rng(0)
    motions = 0.3 * random.random((count, SIZE), np.float32)
    taken: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        drawer.draw_many(motions)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) / count * MS_PER_S


def _percentiles(seconds: Floats) -> Percentiles:
    """In ms."""
    p50, p95, p99 = np.percentile(seconds * MS_PER_S, [50, 95, 99])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "p99": round(float(p99), 2)}


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


def faces_at_25fps(animator: Animator, portrait: Portrait, seconds: float, guess: int) -> int:
    """The largest number of faces, each in its own thread and paced by the clock, that all keep 25 frames a second.

    Tries ``guess`` faces first and then what was really reached, until none is late at the end by more than a chunk.
    """
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
