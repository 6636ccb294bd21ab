"""Faces for the tests of motion."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.motion import generator
from animator.motion.behaviour.channels import CHANNELS
from animator.motion.generator import Generator
from animator.motion.voice.voices import Other, OtherVoice, Own, OwnVoice
from animator.units import SAMPLES_PER_FRAME

from .sounds import Sound

Row = TypeVar("Row", Own, Other)


def still(seed: int) -> Generator:
    """One that does nothing by itself: what moves, the generator adds."""
    return Generator(seed, lambda random: lambda own, other, control: np.zeros(len(CHANNELS), np.float32))


def lives(
    seeds: Iterable[int],
    sound: Sound,
    control: Control,
    other: Sound | None = None,
    face: Callable[[int], Generator] = Generator,
) -> NDArray[np.float32]:
    """The motion of many faces that hear the same: (seeds, frames, 64). The networks hear it but once."""
    frames = sound.reshape(-1, SAMPLES_PER_FRAME)
    own, voice = OwnVoice(), OtherVoice()
    said = [own(frame) for frame in frames]
    heard = [] if other is None else [voice(frame) for frame in other.reshape(-1, SAMPLES_PER_FRAME)]
    return np.stack([deaf(seed, said, heard, face).step(sound, control, other) for seed in seeds])


def deaf(seed: int, own: list[Own], other: list[Other], face: Callable[[int], Generator] = Generator) -> Generator:
    """One that hears what it is told here, frame by frame, whatever the sound."""
    with (
        mock.patch.object(generator, "OwnVoice", lambda: _Heard(own)),
        mock.patch.object(generator, "OtherVoice", lambda: _Heard(other)),
    ):
        return face(seed)


class _Heard(Generic[Row]):
    """A voice that was listened to before."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self.reset()

    def __call__(self, audio: Sound) -> Row:
        return next(self._left)

    def reset(self) -> None:
        self._left = iter(self._rows)
