"""The lip-sync scorer learns which sound opens a mouth."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from animator.evaluate.sync import MOST_LAG, by_lag, correlation, heard  # noqa: E402
from animator.learn.scorer import Clip, fit  # noqa: E402
from animator.media.mel import HOP_SAMPLES, WINDOW_SAMPLES, mel_power, to_features  # noqa: E402
from animator.units import RATE  # noqa: E402

FRAMES = 150


def clip(name: str, seed: int, real: bool) -> Clip:
    """A buzz whose loudness wanders, and a mouth that is as open as it is loud."""
    random = np.random.default_rng(seed)
    level = np.interp(np.arange(FRAMES * 960) / 3840, np.arange(FRAMES // 4 + 2), random.uniform(0, 1, FRAMES // 4 + 2))
    sound = (0.3 * level**2 * np.sign(np.sin(2 * np.pi * 130 * np.arange(len(level)) / RATE))).astype(np.float32)
    mouth = level.reshape(FRAMES, 960).mean(axis=1).astype(np.float32)
    power = mel_power(np.concatenate([np.zeros(WINDOW_SAMPLES - HOP_SAMPLES, np.float32), sound]))
    return Clip(name, real, sound, power, np.stack([mouth, -mouth], axis=1))


def test_it_learns_which_sound_opens_a_mouth_and_when() -> None:
    torch.set_num_threads(1)
    network = fit([clip(str(seed), seed, seed % 2 == 0) for seed in range(4)], 40, 0)
    unheard = clip("other", 9, True)
    with torch.no_grad():
        said = network(torch.from_numpy(heard(to_features(unheard.power)))[None])[0].numpy()
    assert said.shape == (FRAMES, 2)
    assert correlation(unheard.mouth[:, 0], said[:, 0]) > 0.6
    assert abs(int(by_lag(unheard.mouth, said).argmax()) - MOST_LAG) <= 1
