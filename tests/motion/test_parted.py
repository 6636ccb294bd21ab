import numpy as np

from animator.control import Control
from animator.motion.parted import HOLD, PartedLips
from animator.motion.space import INDEX, SIZE

JAW, CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]


def shut(rows):
    """How far the lips are shut, 0 to 1, as the renderer reads it."""
    return rows[:, CLOSE] / np.maximum(rows[:, JAW], 1e-6)


def test_a_smiling_picture_smiles_until_it_speaks_and_again_afterwards():
    lips, silence = PartedLips(), np.zeros((50, SIZE), np.float32)
    assert not lips(silence, Control("listening")).any()
    speaking = lips(silence, Control("speaking"))
    assert abs(shut(speaking)[-1] - HOLD) < 0.01
    assert np.abs(np.diff(speaking[:, CLOSE])).max() < 0.02  # no jump at the border
    after = lips(silence, Control("idle"))
    assert after[-1, CLOSE] < 0.001 and after[-1, JAW] < 0.001


def test_sounds_that_close_the_lips_still_close_them():
    lips, closed = PartedLips(), np.zeros((50, SIZE), np.float32)
    closed[:, JAW] = closed[:, CLOSE] = 0.2
    assert np.allclose(shut(lips(closed, Control("speaking"))), 1.0)


def test_other_motion_passes_unchanged():
    motion = np.random.default_rng(1).random((10, SIZE), np.float32)
    before = motion.copy()
    out = PartedLips()(motion, Control("speaking"))
    others = np.delete(np.arange(SIZE), [JAW, CLOSE])
    assert np.array_equal(out[:, others], before[:, others]) and np.array_equal(motion, before)


def test_a_smiling_picture_is_sad_with_its_mouth_shut_but_speaks():
    lips, silence = PartedLips(), np.zeros((50, SIZE), np.float32)
    assert shut(lips(silence, Control("listening", "sad")))[-1] > 0.9
    assert shut(lips(silence, Control("listening", "happy")))[-1] < 0.01
    spoken = silence.copy()
    spoken[:, JAW] = 0.4
    assert shut(lips(spoken, Control("speaking", "sad", 1.5)))[-1] < 0.7
