import numpy as np
import pytest

from animator.control import Control
from animator.motion.rows.space import INDEX, SIZE
from animator.portrait.characters import find
from animator.portrait.portrait import load
from animator.portrait.shaping.lip_shapes import OPENING, ROUNDINGS
from animator.render.neutral.parted import HOLD_SHARE, LEAST_ROUNDNESS, PartedLips, parting, roundness

JAW, CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]
GAP = 0.3


def opening(rows, gap=GAP):
    """Of the lips, in weights of jawOpen, as the renderer reads it."""
    jaw, close = rows[:, JAW], rows[:, CLOSE]
    seal = np.clip(1.1 * close / (jaw + 0.01), 0, 1) * np.clip(close / 0.05, 0, 1)
    hole = ROUNDINGS["mouthFunnel"].hole / OPENING * rows[:, INDEX["mouthFunnel"]]
    return (1 - seal) * (gap + jaw - close + hole)


def test_a_smiling_picture_smiles_until_it_speaks_and_again_afterwards():
    lips, silence = PartedLips(GAP), np.zeros((50, SIZE), np.float32)
    assert not lips(silence, Control("listening")).any()
    speaking = lips(silence, Control("speaking"))
    assert opening(speaking)[-1] == pytest.approx((1 - HOLD_SHARE) * GAP, abs=0.01)
    assert np.abs(np.diff(opening(speaking), prepend=GAP)).max() < 0.12  # no jump at the border
    assert opening(speaking)[7] < 0.12 * GAP  # a voice does not wait
    after = lips(silence, Control("idle"))
    assert after[-1, CLOSE] < 0.001 and after[-1, JAW] < 0.001


def test_a_voice_opens_parted_lips_as_far_as_closed_ones():
    spoken = np.zeros((100, SIZE), np.float32)
    spoken[:, JAW] = 0.25 + 0.2 * np.sin(np.arange(100) / 3)
    spoken[:, CLOSE] = spoken[:, JAW] * (0.5 + 0.5 * np.sin(np.arange(100) / 5))
    theirs, ours = opening(spoken, gap=0.0), opening(PartedLips(GAP)(spoken, Control("speaking")))
    assert np.abs(ours - theirs)[40:].max() < 0.05


def test_sounds_that_close_the_lips_still_close_them():
    lips, closed = PartedLips(GAP), np.zeros((50, SIZE), np.float32)
    closed[:, JAW] = closed[:, CLOSE] = 0.2
    assert np.allclose(opening(lips(closed, Control("speaking"))), 0, atol=1e-6)


def test_rounded_lips_leave_a_hole_as_those_of_other_pictures_do():
    rounded = np.zeros((50, SIZE), np.float32)
    rounded[:, JAW], rounded[:, INDEX["mouthFunnel"]] = 0.05, np.linspace(0, 0.6, 50)
    theirs, ours = opening(rounded, gap=0.0), opening(PartedLips(GAP)(rounded, Control("speaking")))
    assert np.abs(ours - theirs - (1 - HOLD_SHARE) * GAP)[10:].max() < 0.015


def test_other_motion_passes_unchanged():
    motion = np.random.default_rng(1).random((10, SIZE), np.float32)
    before = motion.copy()
    out = PartedLips(GAP)(motion, Control("speaking"))
    others = np.delete(np.arange(SIZE), [JAW, CLOSE])
    assert np.array_equal(out[:, others], before[:, others]) and np.array_equal(motion, before)


def test_a_smiling_picture_is_sad_with_its_mouth_shut_but_speaks():
    lips, silence = PartedLips(GAP), np.zeros((50, SIZE), np.float32)
    assert opening(lips(silence, Control("listening", "sad")))[-1] < 0.1 * GAP
    assert opening(lips(silence, Control("listening", "happy")))[-1] == pytest.approx(GAP, abs=0.01)
    spoken = silence.copy()
    spoken[:, JAW] = 0.4
    assert opening(lips(spoken, Control("speaking", "sad", 1.5)))[-1] > 0.35


@pytest.mark.model
def test_how_far_a_picture_parts_its_lips():
    assert parting(load(find("mona_lisa").picture, 256)) == 0
    assert 0.15 < parting(load(find("astronaut").picture, 256)) < 0.4


def test_a_wide_smile_rounds_less_than_other_lips():
    astronaut, mona = (load(find(name).picture) for name in ("astronaut", "mona_lisa"))
    assert LEAST_ROUNDNESS <= roundness(astronaut) < 0.9
    assert roundness(mona) == 1
    motion = np.zeros((60, SIZE), np.float32)
    motion[:, [INDEX["mouthFunnel"], INDEX["mouthPucker"]]] = 0.4
    motion[:, INDEX["mouthStretchLeft"]] = 0.2
    out = PartedLips(GAP, 0.25)(motion, Control("speaking"))
    assert out[:, INDEX["mouthPucker"]] == pytest.approx(0.1)
    assert out[:, INDEX["mouthFunnel"]] == pytest.approx(0.1)
    np.testing.assert_array_equal(out[:, INDEX["mouthStretchLeft"]], motion[:, INDEX["mouthStretchLeft"]])
