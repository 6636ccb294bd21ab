"""The live face of conversations, and the factory that opens one on a portrait."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from animator.control import Control
from animator.face import ChunkDrawer, Mover, Shown
from animator.motion.rows.space import ARKIT, SIZE
from animator.units import RATE, SAMPLES_PER_FRAME, Motion, Samples

if TYPE_CHECKING:
    from animator.marks.marked import Marked
    from animator.motion.generator import Generator
    from animator.motion.rows.parts import Part
    from animator.portrait.picture.named import Landmarks
    from animator.portrait.portrait import Portrait
    from animator.render.gpu.pool import Pool
    from animator.render.neutral.drooping import LiftedLids
    from animator.render.neutral.parted import PartedLips

WAKING_FRAMES = 20  # frames

_MOUTH_COLUMNS = np.array(
    [name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT] + [False] * (SIZE - len(ARKIT))
)


class LiveFace:
    """A `Face`: a generator of motion, a renderer, and a queue of the sound whose frames are not yet drawn.

    It begins as its picture and comes to life within `WAKING_FRAMES` frames; its mouth speaks from the first one.
    """

    def __init__(
        self, mover: Mover, drawer: ChunkDrawer, size: int, chunk_frames: int = 2,
        lips: "PartedLips | None" = None, lids: "LiftedLids | None" = None,
    ) -> None:  # fmt: skip
        self.width = self.height = size
        self.chunk_frames = chunk_frames
        self.delay_frames = mover.delay_frames
        self._mover, self._drawer, self._lips, self._lids = mover, drawer, lips, lids
        self._waiting = np.zeros(self.delay_frames * SAMPLES_PER_FRAME, np.float32)
        self._age = -self.delay_frames  # frames since the first one with sound

    def step(self, audio: Samples, control: Control, other: Samples | None = None, every: int = 1) -> Shown:
        """See `Face.step`. Raises ValueError for a chunk of another length."""
        expected = self.chunk_frames * SAMPLES_PER_FRAME
        if audio.shape != (expected,):
            raise ValueError(
                f"A chunk is {expected} samples of mono sound at {RATE} Hz; got an array of {audio.shape}."
            )
        motion = self._mover.step(audio.astype(np.float32, copy=False), control, other)
        motion = self._lips(motion, control) if self._lips else motion
        motion = self._wake(self._lids(motion) if self._lids else motion)
        line = np.concatenate([self._waiting, audio], dtype=np.float32)
        self._waiting = line[expected:]
        return Shown(self._drawer.draw_many(motion[::every]), line[:expected], motion)

    def interrupt(self) -> None:
        """See `Face.interrupt`."""
        self._waiting = np.zeros_like(self._waiting)
        self._mover.interrupt()

    def reset(self) -> None:
        """See `Face.reset`."""
        self._waiting = np.zeros_like(self._waiting)
        self._age = -self.delay_frames
        self._mover.reset()
        if self._lips:
            self._lips.reset()

    def _wake(self, motion: Motion) -> Motion:
        age = np.arange(self._age, self._age + len(motion))[:, None]
        self._age = min(self._age + len(motion), WAKING_FRAMES)
        share = np.clip(age / WAKING_FRAMES, 0, 1)
        return np.where(_MOUTH_COLUMNS, motion, motion * (share * share * (3 - 2 * share))).astype(np.float32)


class Animator:
    """What all faces of a process share. ``size`` is the side of the square frames in pixels.

    With a ``seed`` every face that is opened moves the same way on the same sound; without one no two do. They are
    drawn on ``device``, such as ``cuda``, all faces together: see `animator.devices`, whose `DeviceError` is
    raised when it cannot be used. They behave by ``behaviour``: see `animator.motion.behaviour.choice`, likewise.
    Frames carry ``marks``: see `animator.marks.marked`.
    """

    def __init__(
        self, size: int = 512, chunk_frames: int = 2, seed: int | None = None, device: str = "cpu",
        behaviour: str = "processes", marks: Sequence[str] = ("label", "watermark"),
    ) -> None:  # fmt: skip
        import cv2

        from animator.motion.behaviour.choice import behaviour as by_name

        cv2.setNumThreads(1)  # OpenCV's own threads would fight with those of the faces for the same cores
        self.size, self.chunk_frames, self.seed = size, chunk_frames, seed
        self._marks = marks
        self._behaviour = by_name(behaviour)
        self._pool = None if device == "cpu" else _pool(device)

    def prepare(self, source: Path | bytes, given: "Landmarks | None" = None) -> "Portrait":
        """A picture -> the portrait that `open` takes; seconds the first time, then from the disk cache.

        The face goes through the ``given`` points, and is treated as a flat drawing or not if that is given. Raises
        `animator.portrait.picture.reading.PortraitError` for a picture that cannot become a face.
        """
        from animator.portrait.portrait import load

        return load(source, self.size, given)

    def open(self, portrait: "Portrait", part: "Part" = "all") -> LiveFace:
        """A new face of this person, at the first frame of a session; ``part`` of it moves."""
        from animator.motion.rows.parts import Only
        from animator.render.neutral.drooping import LiftedLids, drooping
        from animator.render.neutral.parted import PartedLips, parting, roundness

        mover = self.generator() if part == "all" else Only(self.generator(), part)
        gap = parting(portrait)
        lips = PartedLips(gap, roundness(portrait)) if gap and part != "pose" else None
        lift = drooping(portrait)
        lids = LiftedLids(lift) if any(lift) and part != "pose" else None
        return LiveFace(mover, self.drawer(portrait), portrait.size, self.chunk_frames, lips, lids)

    def generator(self) -> "Generator":
        """The motion of a new face."""
        from animator.motion.generator import Generator

        return Generator(self.seed, self._behaviour)

    def drawer(self, portrait: "Portrait") -> "Marked":
        """A renderer of ``portrait`` that marks its frames and adds no motion of its own."""
        from animator.marks.marked import Marked
        from animator.render import Renderer

        drawer = self._pool.open(portrait) if self._pool else Renderer(portrait)
        return Marked(drawer, portrait, self._marks)


def _pool(device: str) -> "Pool":
    from animator.devices import pool

    return pool(device)
