"""The interface of a face: `Face.step` turns the next chunk of sound into the next frames."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.units import Frames, Motion, Samples


@dataclass(frozen=True, slots=True)
class Shown:
    """One chunk as it leaves the face: picture and sound that belong together.

    The sound is the input delayed by the face's look-ahead, so that ``audio[i * 960:(i + 1) * 960]`` is what
    ``motion[i]`` does, and what ``frames[i]`` shows if every frame was drawn.
    """

    frames: Frames
    audio: Samples
    motion: Motion


class Face(Protocol):
    """One session's face. Called from one thread at a time."""

    width: int
    height: int
    chunk_frames: int
    delay_frames: int  # look-ahead: how much later than its input a chunk leaves

    def step(self, audio: Samples, control: Control, other: Samples | None = None, every: int = 1) -> Shown:
        """(chunk_frames * 960,) of sound, zeros where nobody speaks -> chunk_frames frames.

        ``other``, of the same length, is the voice of the person to whom the face listens. With ``every`` = n only the
        first of each n frames is drawn, which costs that much less; the face moves on by the whole chunk.
        """
        ...

    def interrupt(self) -> None:
        """Forget the sound that was taken in but not yet shown; the face moves on from where it is."""
        ...

    def reset(self) -> None:
        """Back to the first frame of a new session."""
        ...


class Mover(Protocol):
    """Sound and control in, motion out (`animator.motion.generator.Generator`)."""

    @property
    def delay_frames(self) -> int: ...
    def step(self, audio: Samples, control: Control, other: Samples | None = None) -> Motion: ...
    def interrupt(self) -> None: ...
    def reset(self) -> None: ...


class Drawer(Protocol):
    """Motion in, picture out (`animator.render.Renderer`)."""

    def draw(self, motion: NDArray[np.float32], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]: ...


class ChunkDrawer(Protocol):
    """The motion of a chunk in, its pictures out."""

    def draw_many(self, motions: Motion, out: Frames | None = None) -> Frames: ...
