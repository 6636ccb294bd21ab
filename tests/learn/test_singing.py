import numpy as np
import pytest

from animator.learn.corpus.singing import sing, speak_softly, speak_up
from animator.learn.corpus.teacher import Segment, teach
from animator.motion.voice.mouth_net import CHANNELS

from .speaking import RATE, spoken

pytest.importorskip("pyworld")
JAW = CHANNELS.index("jawOpen")


def lengths(segments: list[Segment], symbol: str) -> np.ndarray:
    return np.array([segment.end - segment.start for segment in segments if segment.symbol == symbol])


@pytest.fixture(scope="module")
def speech():
    return spoken(" m a m a m i m a m a m a m i m a ", 0.12, 130)


def test_vowels_are_held_and_consonants_keep_their_length(speech):
    sung = sing(*speech, np.random.default_rng(3))
    assert abs(sung.segments[-1].end - len(sung.sound) / RATE) < 0.02
    np.testing.assert_allclose(lengths(sung.segments, "m"), 0.12, atol=1e-6)
    assert lengths(sung.segments, "a").max() > 0.25


def test_the_mouth_stays_open_through_a_held_vowel(speech):
    sung = sing(*speech, np.random.default_rng(3))
    longest = max((s for s in sung.segments if s.symbol == "a"), key=lambda s: s.end - s.start)
    jaw = teach(sung.segments, sung.sound, RATE)[:, JAW]
    held = jaw[int(longest.start * 25) + 3 : int(longest.end * 25) - 3]
    assert len(held) > 3 and held.min() > 0.8 * held.max() > 0.25


def test_effort_changes_the_jaw_and_the_level_but_not_the_words(speech):
    loud, soft = speak_up(*speech, np.random.default_rng(1)), speak_softly(*speech, np.random.default_rng(1))
    assert loud.segments == soft.segments == speech[1]
    assert loud.opening > 1 > soft.opening and loud.level > 0 > soft.level
