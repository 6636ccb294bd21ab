import numpy as np
import pytest

from animator.learn.clips.clips import load, load_all, save
from animator.learn.corpus.teacher import Segment, teach, tip
from animator.media.files import MediaError
from animator.motion.voice.mouth_net import CHANNELS

from .speaking import RATE, clip, spoken

JAW, CLOSE, PUCKER = (CHANNELS.index(name) for name in ("jawOpen", "mouthClose", "mouthPucker"))


def test_bilabials_close_and_vowels_open():
    sound, segments = spoken(" a m a ", 0.2, 120)
    mouth = teach(segments, sound, RATE)
    assert len(mouth) == 25
    middle = mouth[11:14]  # the second 0.4 to 0.6 s, a little early
    assert middle[:, CLOSE].max() > 0.95
    assert mouth[[7, 18], JAW].min() > 0.3 and mouth[[7, 18], CLOSE].max() < 0.1
    assert mouth[0].max() < 0.05


def test_a_long_vowel_is_held_to_its_end():
    sound, segments = spoken(" m a a a a a a a a m ", 0.2, 120)
    long = [segments[0], segments[1], Segment("a", 0.4, 2.0), *segments[10:]]
    jaw = teach(long, sound, RATE)[:, JAW]
    held = jaw[13:46]  # 0.5 to 1.85 s
    assert held.min() > 0.9 * held.max() > 0.3


def test_rounding_starts_before_the_sound():
    sound, _ = spoken(" a a a ", 0.2, 120)
    segments = [Segment("", 0, 0.2), Segment("t", 0.2, 0.4), Segment("u", 0.4, 0.8), Segment("", 0.8, 1.0)]
    pucker = teach(segments, sound, RATE)[:, PUCKER]
    assert pucker[8] > 0.1 > pucker[4]


def test_the_tip_of_the_tongue_is_raised_by_its_sounds_and_in_time():
    symbols = ["", "a", "l", "a", "θ", "a", "d", "a", "s", "m", "k", "u", ""]
    segments = [Segment(symbol, 0.2 * i, 0.2 * (i + 1)) for i, symbol in enumerate(symbols)]
    raised = tip(segments, 65).reshape(13, 5)
    held = {symbol: row[1:4].mean() for symbol, row in zip(symbols, raised, strict=True)}
    assert held["θ"] > held["l"] > held["d"] > 0.3
    assert max(held[symbol] for symbol in "asmku") < 0.1
    assert raised.max() <= 1 and raised[0].max() < 1e-6


def test_a_clip_comes_back_as_it_was(tmp_path):
    written = clip("heart", "one", True, 120)
    save(tmp_path / "a.npz", written)
    (read,) = load_all(tmp_path)
    assert (read.source, read.voice, read.held) == ("heart", "one", True)
    np.testing.assert_array_equal(read.power, written.power, strict=True)
    np.testing.assert_array_equal(read.mouth, written.mouth, strict=True)
    np.testing.assert_array_equal(read.tip, written.tip, strict=True)


def test_a_damaged_clip_is_named(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK but not a clip")
    with pytest.raises(MediaError, match=r"bad\.npz is not a clip of speech"):
        load(tmp_path / "bad.npz")
