"""Clips that a tiny network can learn from in seconds: a voice that comes and goes, and a jaw that follows it."""

from pathlib import Path

import numpy as np
import pytest

from animator.learn.clips.shards import Shard, save
from animator.media.mel import MELS
from animator.motion.behaviour.channels import CHANNELS
from animator.motion.voice.mouth_net import HOPS_PER_FRAME

FRAMES = 150


def clip(seed: int, held: bool) -> Shard:
    """Six seconds of bursts of voice; the jaw is open while there is one, the head sways, all else rests."""
    random = np.random.default_rng(seed)
    voiced = np.zeros(FRAMES, bool)
    for start in random.integers(5, FRAMES - 20, 5):
        voiced[start : start + random.integers(6, 16)] = True
    power = np.full((FRAMES, HOPS_PER_FRAME, MELS), -10.0)
    power[voiced, :, 4:30] = random.normal(-2.0, 0.3, (voiced.sum(), HOPS_PER_FRAME, 26))
    motion = np.zeros((FRAMES, len(CHANNELS)))
    motion[:, CHANNELS.index("speech.jawOpen")] = 0.5 * voiced
    motion[:, CHANNELS.index("yaw")] = 4 * np.sin(np.arange(FRAMES) / 9 + random.uniform(0, 6))
    ones, silence = np.ones(FRAMES, np.float16), np.full((FRAMES * HOPS_PER_FRAME, MELS), -10, np.float16)
    return Shard(
        power.reshape(-1, MELS).astype(np.float16), silence, motion.astype(np.float16), np.ones(len(CHANNELS), bool),
        np.full(FRAMES, 3, np.uint8), np.zeros(FRAMES, np.uint8), ones, np.zeros((FRAMES, 2), np.float16), ones,
        held, "bursts",
    )  # fmt: skip


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    for number in range(14):
        save(folder / f"bursts-{number:02d}.npz", clip(number, held=number >= 12))
    return folder
