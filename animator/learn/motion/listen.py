"""Clips of motion with the conditions that the network is given, computed once and cached."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from animator.control import EMOTIONS
from animator.learn.clips import shards
from animator.learn.clips.augment import augment
from animator.learn.clips.augment import features as to_features
from animator.learn.clips.shards import Shard
from animator.learn.motion.behaviour import frames_of, heard, moods
from animator.motion.behaviour import conditions
from animator.motion.behaviour.channels import BLINK_AT
from animator.motion.behaviour.flow import BLINK_THRESHOLD
from animator.motion.voice.mouth_net import LOOK_AHEAD, MODEL, MouthNet
from animator.motion.voice.prosody import Prosody
from animator.motion.voice.voices import Own
from animator.storage import whole
from animator.units import FPS

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """A clip as the network is trained on it.

    ``motion`` (frames, channels) f32 in natural units, without what the requested emotions add; ``sounds`` (variants,
    frames, n) f16: the condition groups own and other side by side, each variant with other voices, rooms and noises;
    ``wishes`` (frames, m) f32: the requested emotion, gaze and distance; ``state`` (frames,) u1; ``since`` (frames,)
    f32: `conditions.since_blink` before the frame.
    """

    motion: Floats
    known: NDArray[np.bool_]
    sounds: NDArray[np.float16]
    wishes: Floats
    state: NDArray[np.uint8]
    since: Floats
    held: bool
    source: str

    def __len__(self) -> int:
        return len(self.motion)


def listen(folder: Path, variants: int, seed: int, progress: Callable[[int, int], None]) -> list[Heard]:
    """All clips of ``folder``, each with ``variants`` of its sound, of which the first is unchanged. Results are
    cached in the folder's ``heard/``. ``progress`` is called with how many clips are done, and how many there are.

    Raises `animator.media.files.MediaError` for a folder without clips and for a broken one.
    """
    kept = folder / "heard"
    kept.mkdir(exist_ok=True)
    version = hashlib.sha256(MODEL.read_bytes()).hexdigest()[:8]
    paths = shards.files(folder)
    clips: list[Heard] = []
    for number, path in enumerate(paths):
        shard = shards.load(path)
        sounds = [
            _sound(shard, kept / f"{path.stem}-{version}-{seed}-{v}.npy", v, seed + number) for v in range(variants)
        ]
        clips.append(_heard(shard, np.stack(sounds)))
        progress(number + 1, len(paths))
    return clips


def _sound(shard: Shard, place: Path, variant: int, seed: int) -> NDArray[np.float16]:
    """(frames, own + other). Variant 0 is the sound without augmentation."""
    if place.is_file():
        return np.load(place)
    torch.manual_seed(1000 * seed + variant)
    power = torch.from_numpy(10.0 ** np.stack([shard.power, shard.other]).astype(np.float32))
    own, other = (augment(power) if variant else to_features(power)).numpy()
    rows = np.concatenate([_own(own), _other(other)], axis=1).astype(np.float16)
    with whole(place) as file:
        np.save(file, rows)
    return rows


def _own(columns: Floats) -> Floats:
    """(frames * 4, MELS) -> per frame, the row of what is known of its sound `LOOK_AHEAD` frames later, when the frame
    is made."""
    network, prosody = MouthNet(), Prosody()
    rows: list[Floats] = []
    for features in frames_of(columns):
        mouth = network(features)
        rows.append(conditions.own_row(Own(mouth, network.heard, prosody(features))))
    return np.stack(rows[LOOK_AHEAD:])


def _other(columns: Floats) -> Floats:
    return np.stack([conditions.other_row(frame) for frame in heard(columns)])


def _heard(shard: Shard, sounds: NDArray[np.float16]) -> Heard:
    felt = zip(shard.emotion.tolist(), shard.strength.astype(np.float32).tolist(), strict=True)
    emotion = np.stack([conditions.emotion_row(EMOTIONS[which], strength) for which, strength in felt])
    gaze = np.stack([conditions.gaze_row(yaw, pitch) for yaw, pitch in shard.gaze.astype(np.float32).tolist()])
    distance = np.stack([conditions.distance_row(far) for far in shard.distance.astype(np.float32).tolist()])
    wishes = np.concatenate([emotion, gaze, distance], axis=1)
    motion = shard.motion.astype(np.float32) - moods(shard.emotion, shard.strength) * shard.known
    return Heard(motion, shard.known, sounds, wishes, shard.state, _since_blink(motion), shard.held, shard.source)


def _since_blink(motion: Floats) -> Floats:
    """(frames,): how long before each frame the lids were last closed, as `conditions.since_blink`."""
    rows, seconds = np.empty(len(motion), np.float32), 2.0
    for i, closed in enumerate(motion[:, BLINK_AT.start]):
        rows[i] = conditions.since_blink(seconds)
        seconds = 0.0 if closed > BLINK_THRESHOLD else seconds + 1 / FPS
    return rows
