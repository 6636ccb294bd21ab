"""The figures on motion whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from animator.evaluate.measure import blink_figures, head_figures, jumps, measure, seam_roughness
from animator.evaluate.rows import motion_figures
from animator.evaluate.tracking.lip_figures import closures, loudness, sound_figures
from animator.evaluate.tracking.track import Track
from animator.motion.rows.space import INDEX, SIZE
from animator.units import RATE

FPS = 25.0


def babble(seconds: int, seed: int = 0) -> np.ndarray:
    """(n,) sound whose loudness wanders, with a second of silence every five."""
    noise = np.random.default_rng(seed)
    level = np.repeat(noise.uniform(0.05, 0.5, seconds * 5), RATE // 5)
    level[(np.arange(len(level)) // RATE) % 5 == 4] = 0
    return (level * noise.normal(size=len(level))).astype(np.float32)


def mouth(opening: np.ndarray) -> Track:
    """A face that moves nothing but its lips."""
    n = len(opening)
    still = np.ones((n, 2), np.float32)
    width = np.ones(n, np.float32)
    return Track(FPS, opening, width, still, still, np.zeros((n, 3), np.float32), width)


def test_pauses_and_loudness_are_compared_with_the_lips() -> None:
    sound = babble(20)
    opening = np.clip(loudness(sound, FPS, 500) + 45, 0, None) / 200
    figures = sound_figures(mouth(opening.astype(np.float32)), sound)
    assert figures["pause_seconds"] == pytest.approx(4, abs=0.3)
    assert figures["pause_mad"] < 0.01
    assert figures["loudness_difference"] < 0.3
    restless = opening + np.random.default_rng(0).uniform(0, 0.2, 500)
    assert sound_figures(mouth(restless.astype(np.float32)), sound)["pause_mad"] > 0.03


def test_blinks_are_counted_and_timed() -> None:
    lids = np.full((1500, 2), 0.3, np.float32) + np.random.default_rng(0).normal(0, 0.005, (1500, 2)).astype(np.float32)
    for start in range(50, 1450, 75):
        lids[start : start + 6] *= np.array([0.6, 0.2, 0.05, 0.2, 0.4, 0.7])[:, None]
    figures = blink_figures(lids, FPS)
    assert figures["blinks_per_minute"] == pytest.approx(19, abs=1)
    assert figures["blink_ms"] == pytest.approx(160, abs=45)
    assert figures["lids_min"] < 0.1
    assert figures["blink_depth"] == pytest.approx(0.95, abs=0.03)


def test_eyes_that_are_hidden_do_not_count_for_blinks() -> None:
    lids = np.full((500, 2), 0.3, np.float32)
    lids[100:106, 0] = 0.05
    seen = replace(mouth(np.zeros(500, np.float32)), lids=lids)
    assert measure(seen, None, eyes=(True, False))["blinks_per_minute"] == pytest.approx(3)
    assert measure(seen, None, eyes=(False, True))["blinks_per_minute"] == 0
    assert "blinks_per_minute" not in measure(seen, None, eyes=(False, False))


def test_a_jump_of_the_head_is_seen_and_smooth_motion_is_not() -> None:
    t = np.arange(1000) / FPS
    head = np.stack([5 * np.sin(t), 3 * np.sin(1.3 * t), 2 * np.sin(0.7 * t)], 1).astype(np.float32)
    smooth = head_figures(head, FPS)
    assert smooth["head_jumps"] == 0
    assert smooth["sd_yaw"] == pytest.approx(3.5, abs=0.2)
    assert smooth["head_bands"][0] > 0.85
    assert smooth["head_bands_off"] == pytest.approx(smooth["head_bands"][0] - 0.21, abs=0.01)
    head[500:] += 6
    assert head_figures(head, FPS)["head_jumps"] == 1


def test_the_spectrum_of_a_head_is_the_same_in_short_clips_and_blind_to_what_lips_do_to_its_pitch() -> None:
    """Velocity with equal power at .3, .7, 1.4, 2.8 and 5 Hz."""
    t = np.arange(2000) / FPS
    phases = np.random.default_rng(0).uniform(0, 6, (5, 3))
    waves = [np.sin(2 * np.pi * hertz * t[:, None] + phase) / hertz for hertz, phase in
             zip((0.3, 0.7, 1.4, 2.8, 5.0), phases, strict=True)]  # fmt: skip
    head = np.sum(waves, axis=0).astype(np.float32)
    long, short = (head_figures(head[:frames], FPS)["head_bands"] for frames in (2000, 175))
    np.testing.assert_allclose(long[:4], 0.22, atol=0.05)
    np.testing.assert_allclose(short, long, atol=0.06)
    head[:, 1] += 2 * np.sin(2 * np.pi * 3 * t)
    assert head_figures(head, FPS)["head_bands"] == long


def test_lips_that_stay_apart_at_a_p_are_counted() -> None:
    opening = np.full(50, 0.12, np.float32)
    opening[25] = 0.0
    said = [("a", 0.5, 1.0), ("p", 1.0, 1.06), ("b", 1.6, 1.7), ("f", 1.0, 1.1)]
    figures = closures(opening, said, FPS)
    assert figures["bilabials"] == 2
    assert figures["bilabials_closed"] == 0.5
    assert figures["labiodentals_closed"] == 1.0


def smooth_rows(frames: int = 1000) -> np.ndarray:
    t = np.arange(frames)[:, None] / FPS
    return np.sin(t * np.linspace(0.5, 3, SIZE)).astype(np.float32)


def test_windows_that_do_not_join_are_seen_in_the_motion() -> None:
    rows = smooth_rows()
    assert seam_roughness(rows, 8) == pytest.approx(1.0, abs=0.05)
    off = np.repeat(np.random.default_rng(0).normal(0, 0.01, (125, SIZE)), 8, axis=0).astype(np.float32)
    assert seam_roughness(rows + off, 8) > 2


def test_a_lone_step_is_a_jump_and_a_fast_but_even_motion_is_none() -> None:
    values = smooth_rows()[:, 40]
    assert jumps(values) == 0
    values[500:] += 2.0
    assert jumps(values) == 1


def test_motion_is_measured_without_drawing_it() -> None:
    sound = babble(20)
    rows = np.zeros((500, SIZE), np.float32)
    rows[:, INDEX["jawOpen"]] = np.clip(loudness(sound, FPS, 500) + 45, 0, None) / 100
    rows[:, 52] = 6 * np.sin(np.arange(500) / 20)
    for start in range(30, 480, 60):
        rows[start : start + 5, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
    figures = motion_figures(rows, sound, [("m", 1.0, 1.1)], window=5)
    assert figures["blinks_per_minute"] == pytest.approx(24, abs=1)
    assert figures["sd_yaw"] == pytest.approx(4.2, abs=0.3)
    assert figures["bilabials"] == 1
    assert figures["head_jumps"] == 0
    rows[:, INDEX["mouthClose"]] = rows[:, INDEX["jawOpen"]]
    assert motion_figures(rows, sound)["opening_p95"] == 0
