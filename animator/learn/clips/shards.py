"""Training data of the motion network: one .npz file a clip, its sound and the motion of the whole face."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from animator.control import EMOTIONS, STATES
from animator.media.files import MediaError
from animator.media.mel import MELS
from animator.motion.behaviour.channels import CHANNELS
from animator.motion.voice.mouth_net import HOPS_PER_FRAME
from animator.storage import whole

Halves = NDArray[np.float16]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shard:
    """One clip at 25 frames a second.

    | field | shape | what |
    |---|---|---|
    | ``power`` | (frames * 4, MELS) f16 | log10 of the mel power of the face's own voice, -10 in silence |
    | ``other`` | the same | the voice of the person it talks with |
    | ``motion`` | (frames, len(CHANNELS)) f16 | see `animator.motion.behaviour.channels` |
    | ``known`` | (len(CHANNELS),) bool | the channels that were observed; the others do not count in the loss |
    | ``state``, ``emotion`` | (frames,) u1 | indices into `animator.control`'s STATES and EMOTIONS |
    | ``strength``, ``distance`` | (frames,) f16 | as wished, see `animator.control.Control` |
    | ``gaze`` | (frames, 2) f16 | the wished gaze in degrees: yaw, pitch |
    | ``held`` | bool | for validation only |
    | ``source`` | str | where the clip comes from |
    """

    power: Halves
    other: Halves
    motion: Halves
    known: NDArray[np.bool_]
    state: Bytes
    emotion: Bytes
    strength: Halves
    gaze: Halves
    distance: Halves
    held: bool
    source: str

    def __len__(self) -> int:
        return len(self.motion)


def save(path: Path, shard: Shard) -> None:
    """Writes one clip. The file appears only once it is complete."""
    with whole(path) as file:
        np.savez(file, allow_pickle=False, **{field.name: getattr(shard, field.name) for field in fields(Shard)})


def load(path: Path) -> Shard:
    """One clip. Raises `MediaError` for a file that is missing, damaged, or of another format."""
    try:
        with path.open("rb") as file, np.load(file) as data:
            values: dict[str, Any] = {field.name: data[field.name] for field in fields(Shard)}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise MediaError(f"{path} is not a clip of motion ({error}). Remove it, and make it again.") from error
    values |= {"held": bool(values["held"]), "source": str(values["source"])}
    shard = Shard(**values)
    _check(path, shard)
    return shard


def files(folder: Path) -> list[Path]:
    """The clips in ``folder``. Raises `MediaError` when there is none."""
    found = sorted(folder.glob("*.npz"))
    if not found:
        raise MediaError(f"{folder} has no clips of motion. Make some with animator data dialogues or videos.")
    return found


def _check(path: Path, shard: Shard) -> None:
    frames = len(shard)
    shapes = {
        "power": (frames * HOPS_PER_FRAME, MELS), "other": (frames * HOPS_PER_FRAME, MELS),
        "motion": (frames, len(CHANNELS)), "known": (len(CHANNELS),), "state": (frames,), "emotion": (frames,),
        "strength": (frames,), "gaze": (frames, 2), "distance": (frames,),
    }  # fmt: skip
    for name, expected in shapes.items():
        array = getattr(shard, name)
        if array.shape != expected or (array.dtype == np.float16 and not np.isfinite(array).all()):
            raise MediaError(
                f"{path}: {name} has shape {array.shape}, or values that are not finite; expected {expected}. "
                "Remove the file, and make it again."
            )
    if not frames or shard.state.max() >= len(STATES) or shard.emotion.max() >= len(EMOTIONS):
        raise MediaError(f"{path} is empty, or holds unknown states or emotions. Make it again.")
