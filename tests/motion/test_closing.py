"""Lips that touch where they must: for p, b, m each other, for f and v the teeth; and nowhere else."""

import numpy as np
import pytest

from animator.control import Control
from animator.evaluate.rows import observed
from animator.evaluate.tracking.lip_figures import closures
from animator.learn.corpus.synthesizers import Heart
from animator.motion.generator import Generator
from animator.motion.rows.space import INDEX
from animator.motion.voice.closing import NO_TOUCHES, TEETH_TOUCH, touched
from animator.motion.voice.mouth_net import CHANNELS, to_weights
from animator.units import FPS, RATE

from .sounds import in_frames

SPEAKING = Control("speaking")
LABIAL = (
    "The plumber put a bumpy melon between my books.",
    "Imagine a happy camel by the lamp, chewing maple bark.",
    "We bought cheap paper cups, then became members of a club.",
)
TEETHED = ("Five funny elephants live over the valley.", "Never leave a coffee on the stove for the whole evening.")
TONGUE = (
    "The night train is late, so Jason stays at the station.",
    "She said that the lake is still and as clear as glass.",
)


def said(texts):
    """Motion at the times of its sound, and the phonemes of it."""
    heart, random, sounds, phonemes = Heart(), np.random.default_rng(0), [], []
    for text in texts:
        sound, segments = heart(" ".join(heart.phonemes(text)), (1.0, 1.0, 1.0), random)
        start = sum(map(len, sounds)) / RATE
        phonemes += [(segment.symbol, start + segment.start, start + segment.end) for segment in segments]
        sounds.append(in_frames(sound))
    late = Generator.delay_frames
    rows = Generator(1).step(np.concatenate([*sounds, np.zeros(late * RATE // FPS, np.float32)]), SPEAKING)[late:]
    return rows, phonemes


def shut(rows):
    return rows[:, INDEX["mouthClose"]] > 0.9 * np.maximum(rows[:, INDEX["jawOpen"]], 0.02)


def test_lips_close_for_every_p_b_and_m():
    rows, phonemes = said(LABIAL)
    figures = closures(observed(rows).opening, phonemes, FPS)
    assert figures["bilabials"] > 20
    assert figures["bilabials_closed"] > 0.9


def test_the_lower_lip_comes_to_the_teeth_for_f_and_v():
    rows, phonemes = said(TEETHED)
    figures = closures(observed(rows).opening, phonemes, FPS)
    assert figures["labiodentals"] > 8
    assert figures["labiodentals_closed"] > 0.75
    assert shut(rows[10:]).mean() < 0.15


def test_sounds_of_the_tongue_leave_them_apart():
    rows, _ = said(TONGUE)
    assert shut(rows[8:-12]).mean() < 0.1


def test_only_lips_of_which_the_mouth_network_is_sure_are_shut_without_a_touch():
    """It is half sure at t, d and n, where people part the lips (.11 eye distances on film)."""
    row = np.full(len(CHANNELS), 0.3, np.float32)
    left = {}
    for asked in (0.0, 0.3, 0.7, 1.0):
        row[CHANNELS.index("mouthClose")] = asked
        left[asked] = 1 - to_weights(touched(row, NO_TOUCHES), 1.0)[INDEX["mouthClose"]]
    assert left[0.0] == left[0.3] == left[0.7] == 1
    assert left[1.0] == 0


def test_the_jaw_comes_up_behind_lips_that_shut():
    wide, narrow = np.full(len(CHANNELS), 0.4, np.float32), np.full(len(CHANNELS), 0.05, np.float32)
    touches, jaw = np.array([1, 0, 0], np.float32), CHANNELS.index("jawOpen")
    assert 0.1 < touched(wide, touches)[jaw] < 0.25
    assert touched(narrow, touches)[jaw] == narrow[jaw]


@pytest.mark.parametrize("pitch", [110, 220, 440])
def test_a_vowel_that_is_held_does_not_chatter(pitch):
    """Harmonics through the formants of an "a", with vibrato."""
    t = np.arange(4 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.03 * np.sin(2 * np.pi * 5.5 * t))) / RATE
    partials = np.arange(1, int(5000 / pitch))
    gains = sum(np.exp(-(((partials * pitch - hertz) / 120) ** 2)) for hertz in (750, 1200, 2600)) + 0.02
    sound = sum(gain * np.sin(n * phase) for n, gain in zip(partials, gains, strict=True)) / partials.size
    sound = 0.1 * sound / np.abs(sound).max() * np.clip(t / 0.05, 0, 1)
    rows = Generator(1).step(in_frames(sound.astype(np.float32)), SPEAKING)[15:-3]
    assert not shut(rows).any()


def test_what_touches_changes_nothing_else():
    row = np.linspace(0.1, 0.4, len(CHANNELS), dtype=np.float32)
    row[CHANNELS.index("mouthClose")] = 0
    touches = NO_TOUCHES.copy()
    np.testing.assert_array_equal(touched(row, touches), row)
    touches[TEETH_TOUCH] = 1
    rolled = to_weights(touched(row, touches), 1.0)
    assert rolled[INDEX["mouthRollLower"]] > 0.4 and rolled[INDEX["jawOpen"]] < 0.15
    touches[:] = 1
    closed = to_weights(touched(row, touches), 1.0)
    assert (
        closed[INDEX["mouthClose"]] == 1 and closed[INDEX["mouthPucker"]] == to_weights(row, 1.0)[INDEX["mouthPucker"]]
    )
