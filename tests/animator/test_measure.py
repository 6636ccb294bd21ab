"""The figures on motion whose truth is known."""

import numpy as np
import pytest

from animator.evaluate.measure import blink_figures, head_figures, loudness, sound_figures
from animator.face import RATE

FPS = 25.0


def babble(seconds: int, seed: int = 0) -> np.ndarray:
    """(n,) sound whose loudness wanders, with a second of silence every five."""
    noise = np.random.default_rng(seed)
    level = np.repeat(noise.uniform(0.05, 0.5, seconds * 5), RATE // 5)
    level[(np.arange(len(level)) // RATE) % 5 == 4] = 0
    return (level * noise.normal(size=len(level))).astype(np.float32)


@pytest.mark.parametrize("late", [-3, 0, 2])
def test_a_mouth_that_follows_the_sound_is_found_with_its_lag(late: int) -> None:
    level = loudness(babble(20), FPS, 500)
    opening = np.roll(np.clip(level + 45, 0, None) / 200, late).astype(np.float32)
    figures = sound_figures(opening, level, FPS)
    assert figures["lag_frames"] == late
    assert figures["correlation_best"] > 0.8
    assert figures["pause_seconds"] == pytest.approx(4, abs=0.3)


def test_a_mouth_of_another_clip_is_not_taken_for_synchronous() -> None:
    level, other = loudness(babble(60), FPS, 1500), loudness(babble(60, seed=1), FPS, 1500)
    opening = np.roll(np.clip(other + 45, 0, None) / 200, 40).astype(np.float32)
    assert abs(sound_figures(opening, level, FPS)["correlation"]) < 0.3


def test_blinks_are_counted_and_timed() -> None:
    lids = np.full((1500, 2), 0.3, np.float32) + np.random.default_rng(0).normal(0, 0.005, (1500, 2)).astype(np.float32)
    for start in range(50, 1450, 75):
        lids[start : start + 6] *= np.array([0.6, 0.2, 0.05, 0.2, 0.4, 0.7])[:, None]
    figures = blink_figures(lids, FPS)
    assert figures["blinks_per_minute"] == pytest.approx(19, abs=1)
    assert figures["blink_ms"] == pytest.approx(160, abs=45)
    assert figures["lids_min"] < 0.1


def test_a_jump_of_the_head_is_seen_and_smooth_motion_is_not() -> None:
    t = np.arange(1000) / FPS
    head = np.stack([5 * np.sin(t), 3 * np.sin(1.3 * t), 2 * np.sin(0.7 * t)], 1).astype(np.float32)
    smooth = head_figures(head, FPS)
    assert smooth["head_jumps"] == 0
    assert smooth["sd_yaw"] == pytest.approx(3.5, abs=0.2)
    assert smooth["head_bands"][0] > 0.85
    head[500:] += 6
    assert head_figures(head, FPS)["head_jumps"] == 1
