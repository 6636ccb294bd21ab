import numpy as np
import pytest

from animator.media.mel import HOP_SAMPLES, MELS, LogMel
from animator.units import RATE


def tone(hertz: float, seconds: float = 0.5, peak: float = 0.5) -> np.ndarray:
    samples = int(seconds * RATE) // HOP_SAMPLES * HOP_SAMPLES
    return (peak * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)).astype(np.float32)


def test_the_stream_may_be_cut_anywhere():
    sound = np.random.default_rng(0).normal(0, 0.1, 40 * HOP_SAMPLES).astype(np.float32)
    whole = LogMel()(sound)
    mel = LogMel()
    cut = np.concatenate([mel(part) for part in np.split(sound, [HOP_SAMPLES, 5 * HOP_SAMPLES, 20 * HOP_SAMPLES])])
    np.testing.assert_allclose(cut, whole, atol=1e-5)


def test_silence_is_exactly_zero():
    assert not LogMel()(np.zeros(10 * HOP_SAMPLES, np.float32)).any()


def test_a_tone_lights_its_own_band_and_ten_times_the_level_is_a_quarter_of_the_range():
    low, high = (LogMel()(tone(hertz))[10:].mean(axis=0) for hertz in (200.0, 4000.0))
    assert low.argmax() < MELS // 3 < 2 * MELS // 3 < high.argmax()
    quiet = LogMel()(tone(200.0, peak=0.05))[10:].mean(axis=0)
    assert low.max() - quiet.max() == pytest.approx(20 / 80, abs=0.01)


def test_a_reset_stream_starts_anew():
    mel = LogMel()
    first = mel(tone(300.0))
    mel.reset()
    np.testing.assert_array_equal(mel(tone(300.0)), first)


def test_broken_samples_do_not_spread():
    mel = LogMel()
    mel(np.full(4 * HOP_SAMPLES, np.nan, np.float32))
    assert np.isfinite(mel(tone(300.0))).all()


def test_sound_that_is_not_whole_hops_is_refused():
    with pytest.raises(ValueError, match="multiples of 240"):
        LogMel()(np.zeros(100, np.float32))
