"""The motion network that ships, at work without torch."""

import numpy as np
import pytest

from animator.control import Control
from animator.evaluate.rows import motion_figures
from animator.live import Animator
from animator.motion.behaviour import conditions
from animator.motion.generator import Generator
from animator.motion.rows.space import INDEX

from .faces import lives
from .sounds import silence

SECONDS = 12


def network(seed: int) -> Generator:
    return Animator(seed=seed, behaviour="network").generator()


@pytest.fixture(scope="module")
def said(speech):
    """Four faces that say the same: what they do in 12 s differs, in blinks by a third."""
    sound = speech[: SECONDS * 24000]
    late = Generator.delay_frames
    heard = np.concatenate([sound, silence(late / 25)])
    return lives(range(3, 7), heard, Control("speaking"), face=network)[:, late:], sound


def mean(said, figure):
    rows, sound = said
    return np.mean([motion_figures(face, sound)[figure] for face in rows])


def test_it_says_what_it_hears(said):
    assert mean(said, "sync") > 0.4
    assert abs(mean(said, "offset_ms")) < 40
    assert mean(said, "mouth_jumps") == 0


def test_the_whole_face_takes_part(said):
    assert 0.15 < mean(said, "head_change") < 0.5
    assert mean(said, "head_jumps") == 0
    assert 5 < mean(said, "blinks_per_minute") < 45
    rows, _ = said
    assert rows[..., INDEX["browInnerUp"]].std() > 0.02
    assert np.abs(np.diff(rows[..., 58], axis=1)).max() > 1


def test_a_seed_repeats_and_another_differs(speech):
    one, same, other = (network(seed).step(speech[:48000], Control("speaking")) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other)[:, 52:55].max() > 0.5


def test_silence_shuts_the_mouth_and_the_face_lives_on():
    rows = network(1).step(silence(20), Control("idle"))[25:]
    assert rows[:, INDEX["jawOpen"]].max() < 0.02
    assert np.abs(np.diff(rows[:, 52:55], axis=0)).mean() > 0.04


def test_an_interruption_shuts_the_mouth_and_nothing_jumps(speech):
    face = network(2)
    before = face.step(speech[:96000], Control("speaking"))
    face.interrupt()
    after = face.step(silence(1), Control("listening"))
    assert after[5:, INDEX["jawOpen"]].max() < 0.03
    assert np.abs(after[0, 52:60] - before[-1, 52:60]).max() < 3


def test_a_wished_pose_is_met(speech):
    plain, turned = (network(6).step(silence(4), Control("idle", yaw_deg=yaw)) for yaw in (0.0, 12.0))
    np.testing.assert_allclose((turned - plain)[-1, 52], 12, atol=0.2)


def test_an_emotion_that_no_network_learned_is_neutral_to_it() -> None:
    assert conditions.emotion_row("happy", 0.5).tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0]
    assert not conditions.emotion_row("neutral", 1.0).any()
    assert not conditions.emotion_row("proud", 1.0).any()
