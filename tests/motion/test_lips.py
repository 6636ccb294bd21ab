"""Lips go from sound to sound as fast as people's, and the tongue goes where it is seen."""

import numpy as np
import pytest

from animator.control import Control
from animator.learn.corpus.synthesizers import Heart
from animator.motion.generator import Generator
from animator.motion.rows.space import INDEX
from animator.motion.voice.closing import LIP_TOUCH, NO_TOUCHES, TEETH_TOUCH, TIP_TOUCH
from animator.motion.voice.lips import Lips
from animator.motion.voice.mouth_net import CHANNELS, to_weights
from animator.units import FPS, RATE

from .sounds import in_frames

TONGUED = "Lally will tell all the ladies that lonely Nelly and her nanny live in the little hall, with nothing in it."
TONGUELESS = "Maybe a farmer, who owes him a buffalo, may have a big happy bear in a cave."
VOICES = ((1.0, 1.0, 1.0), (0.9, 0.6, 0.85), (1.1, 1.2, 1.1))  # pace, pitch, vocal tract


def said(text, voice, seed=1):
    """Motion rows at the times of the sound of ``text``, and its phonemes."""
    heart = Heart()
    sound, segments = heart(" ".join(heart.phonemes(text)), voice, np.random.default_rng(0))
    late = Generator.delay_frames
    line = np.concatenate([in_frames(sound), np.zeros(late * RATE // FPS, np.float32)])
    return Generator(seed).step(line, Control("speaking"))[late:], segments


def gaps(rows):
    """What the lips are apart, in weights of jawOpen: mouthClose leaves the square of what it leaves of the jaw."""
    jaw, close = rows[:, INDEX["jawOpen"]], rows[:, INDEX["mouthClose"]]
    return jaw * (1 - np.minimum(close / np.maximum(jaw, 0.02), 1)) ** 2


@pytest.fixture(scope="module")
def spoken():
    return {text: [said(text, voice) for voice in VOICES] for text in (TONGUED, TONGUELESS)}


def test_the_tip_of_the_tongue_is_up_at_l_n_and_th_and_down_where_lips_and_throat_speak(spoken):
    up = [tongue for said in spoken[TONGUED] for tongue in tongues(*said, "lnθð")]
    down = [tongue for said in spoken[TONGUELESS] for tongue in tongues(*said, "pbmfvkhɑæɛʌ")]
    assert len(up) > 60 and len(down) > 50
    assert np.mean(up) > 3 * np.mean(down)
    assert np.mean(up) > 0.1
    assert max(up) < 0.25  # from there on it is put out


def tongues(rows, segments, symbols):
    """tongueOut in the middle of every one of ``symbols``."""
    times = [int((one.start + one.end) / 2 * FPS) for one in segments if one.symbol and one.symbol in symbols]
    return [rows[at, INDEX["tongueOut"]] for at in times if at < len(rows)]


def test_silence_leaves_the_tongue_where_it_is():
    rows = Generator(1).step(np.zeros(RATE, np.float32), Control("speaking"))
    assert not rows[:, INDEX["tongueOut"]].any()


@pytest.mark.parametrize("text", [TONGUED, TONGUELESS])
def test_lips_part_as_fast_as_on_film_and_no_faster(spoken, text):
    """.10 eye distances, which 95 % of film's frames keep, are .27 of a jawOpen."""
    changes = [np.abs(np.diff(gaps(rows))) for rows, _ in spoken[text]]
    assert 0.08 < np.mean([np.percentile(change, 95) for change in changes]) < 0.27


def test_a_touch_takes_two_frames_and_three_to_part():
    lips, wide = Lips(), np.full(len(CHANNELS), 0.3, np.float32)
    wide[CHANNELS.index("mouthClose")] = 0
    touch = NO_TOUCHES.copy()
    touch[LIP_TOUCH] = 1
    left = []
    for touches in [NO_TOUCHES] * 3 + [touch] * 3 + [NO_TOUCHES] * 5:
        weights = to_weights(lips(wide, touches)[0], 1.0)
        left.append((1 - weights[INDEX["mouthClose"]]) ** 2)
    np.testing.assert_allclose(left, [1, 1, 1, 0.44, 0, 0, 0.27, 0.64, 1, 1, 1], atol=0.01)


def test_a_touch_of_a_single_frame_is_whole_in_the_next_and_that_of_the_teeth_in_another():
    def touched(which, shape):
        lips, still, touch = Lips(), np.zeros(len(CHANNELS), np.float32), NO_TOUCHES.copy()
        touch[which] = 1
        rows = [lips(still, touches)[0] for touches in [NO_TOUCHES, touch, *[NO_TOUCHES] * 5]]
        return [float(to_weights(row, 1.0)[INDEX[shape]]) for row in rows]

    shut, rolled = touched(LIP_TOUCH, "mouthClose"), touched(TEETH_TOUCH, "mouthRollLower")
    assert shut[2] == 1 and 0 < shut[1] < 0.5 and 0 < shut[3] < 0.6 and shut[5] == 0
    assert 0 < rolled[1] < rolled[2] == rolled[3] > rolled[4] > rolled[6] == 0


def test_lips_part_at_once_and_stay_parted_and_corners_are_slower_unless_lips_round():
    def after(frames, name, rounding=0.0):
        """How much of a shape is left so many frames after it was asked for."""
        lips, asked, let_go = Lips(), np.zeros(len(CHANNELS), np.float32), np.zeros(len(CHANNELS), np.float32)
        asked[CHANNELS.index(name)], let_go[CHANNELS.index("mouthPucker")] = 0.4, rounding
        rows = [lips(row, NO_TOUCHES)[0] for row in [asked] * 12 + [let_go] * frames]
        return float(rows[-1][CHANNELS.index(name)]) / 0.4

    assert after(0, "jawOpen") == pytest.approx(1, abs=1e-3)
    assert 0.4 < after(2, "jawOpen") < 0.6 and after(12, "jawOpen") < 0.02
    assert after(3, "mouthSmile") > after(3, "jawOpen") + 0.1
    assert after(3, "mouthSmile", rounding=0.8) < 0.1


def test_the_tip_follows_as_lips_do():
    lips, still, raised = Lips(), np.zeros(len(CHANNELS), np.float32), NO_TOUCHES.copy()
    raised[TIP_TOUCH] = 0.8
    tips = [
        lips(still, touches)[1] for touches in [NO_TOUCHES, raised, raised, raised, NO_TOUCHES, NO_TOUCHES, NO_TOUCHES]
    ]
    np.testing.assert_allclose(tips, [0, 0.5, 0.8, 0.8, 0.46, 0.12, 0], atol=1e-6)
