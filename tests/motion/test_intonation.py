"""Brows that rise with the melody of a voice. What raises them now and then of no cause that is heard is left out."""

import numpy as np
import pytest

from animator.control import Control
from animator.motion.behaviour import bouts
from animator.motion.rows.space import INDEX
from animator.motion.voice.intonation import pitches
from animator.units import RATE

from .faces import lives, still

BROW = INDEX["browInnerUp"]
SECONDS = 4.0
PEAK = 2.5  # s


def voice(semitones):
    """A voice of even loudness; its height over 130 Hz at each sample."""
    phase = 2 * np.pi * np.cumsum(130 * 2 ** (semitones / 12)) / RATE
    return sum(0.1 / k * np.sin(k * phase) for k in range(1, 12)).astype(np.float32)


def brows(semitones):
    """-> (40 seeds, frames): how far they rise on a face that does nothing by itself."""
    return lives(range(40), voice(semitones), Control("speaking"), face=still)[:, :, BROW]


@pytest.fixture(autouse=True)
def _heard_causes_alone(monkeypatch):
    monkeypatch.setattr(bouts, "_RAISES_PER_MINUTE", 0.0)


@pytest.fixture(scope="module")
def time():
    return np.arange(int(SECONDS * RATE)) / RATE


def test_brows_rise_with_a_peak_of_the_melody_and_fall_again(time):
    raised = brows(7 * np.exp(-(((time - PEAK) / 0.12) ** 2)))
    assert raised[:, : int(25 * (PEAK - 0.1))].max() == 0
    lifted = raised.max(axis=1) > 0.1
    assert 0.4 < lifted.mean() < 1, "most peaks, not all"
    top = (raised[lifted] > 0.95 * raised[lifted].max(axis=1, keepdims=True)).argmax(axis=1) / 25
    assert (np.abs(top - PEAK) < 0.4).all(), "they are up soon, and stay for a while"
    assert raised[:, -5:].max() < 0.05


@pytest.mark.parametrize("wobble", [0.0, 0.8])
def test_a_level_voice_or_one_with_vibrato_leaves_them_alone(time, wobble):
    assert brows(wobble * np.sin(2 * np.pi * 5.5 * time)).max() == 0


@pytest.mark.parametrize("hertz", [80, 130, 240, 380])
def test_the_pitch_of_a_voice(hertz):
    time = np.arange(720) / 12_000
    window = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 6))
    found = pitches(window[None], 12_000)
    assert found.periodic[0] > 0.9
    assert abs(12 * np.log2(found.hertz[0] / hertz)) < 0.5
