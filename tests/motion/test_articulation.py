"""Lips with their own range: each sound has its shape, and they do not only follow the jaw."""

import numpy as np
import pytest

from animator.control import Control
from animator.evaluate.rows import observed
from animator.learn.corpus.synthesizers import Heart
from animator.motion.generator import Generator
from animator.motion.rows.space import INDEX
from animator.motion.voice.articulation import SHAPES, Articulation, Style
from animator.motion.voice.mouth_net import CHANNELS, WINDOW_HOPS
from animator.units import FPS, RATE

from .sounds import in_frames

SEEDS = range(4)
SPREAD = "These geese see each of the cheap teeth; he sees three seas and six keys."
ROUND = "Oh, who would go home? Romeo, who owned a row boat, woo, who would row?"
OPEN = "Ah, the large car parked far after the last dark archway."
CLOSED = "Mum may buy me paper maps by the big pub, maybe a bib."
MIXED = "The boy who found six shells by the old stone wall told everyone that he would sell five of them for money."


def said(text, seed=1, **wishes):
    """Motion rows at the times of the sound of ``text``, without its ends."""
    heart = Heart()
    sound, _ = heart(" ".join(heart.phonemes(text)), (1.0, 1.0, 1.0), np.random.default_rng(0))
    late = Generator.delay_frames
    line = np.concatenate([in_frames(sound), np.zeros(late * RATE // FPS, np.float32)])
    return Generator(seed).step(line, Control("speaking", **wishes))[late + 4 : -4]


def mean(rows, *names):
    return float(np.mean([rows[:, INDEX[name]] for name in names]))


@pytest.fixture(scope="module")
def sentences():
    return {
        name: np.concatenate([said(text, seed) for seed in SEEDS])
        for name, text in {"spread": SPREAD, "round": ROUND, "open": OPEN, "closed": CLOSED, "mixed": MIXED}.items()
    }


def test_spread_sounds_lift_the_upper_lip_and_round_ones_do_not(sentences):
    lifted = {name: mean(rows, "mouthUpperUpLeft", "mouthUpperUpRight") for name, rows in sentences.items()}
    assert lifted["spread"] > 1.5 * lifted["round"]
    assert lifted["spread"] > 1.5 * lifted["closed"]


def test_round_sounds_round_the_lips(sentences):
    rounded = {name: mean(rows, "mouthPucker", "mouthFunnel") for name, rows in sentences.items()}
    assert rounded["round"] > 1.7 * max(rounded["spread"], rounded["open"])


def test_the_lips_part_by_themselves_and_not_only_with_the_jaw(sentences):
    rows = sentences["mixed"]
    upper, jaw = rows[:, INDEX["mouthUpperUpLeft"]], rows[:, INDEX["jawOpen"]]
    assert np.corrcoef(upper, jaw)[0, 1] < 0.75
    assert np.percentile(upper, 95) > 0.15


def test_lips_stay_parted_between_the_vowels(sentences):
    """Of people who converse the median frame is half as open as the widest ones."""
    seen = observed(sentences["mixed"]).opening
    assert np.median(seen) > 0.345 * np.percentile(seen, 95)


def test_lips_that_are_not_round_part_further_and_widen_with_the_jaw():
    def made(jaw, **told):
        heard, shapes = np.zeros(len(CHANNELS), np.float32), np.zeros(len(SHAPES), np.float32)
        heard[CHANNELS.index("jawOpen")] = jaw
        shapes[[SHAPES.index(name) for name in told]] = list(told.values())
        row = Style(np.random.default_rng(1))(heard, heard, shapes)
        return dict(zip(CHANNELS, row.tolist(), strict=True))

    parted = {"mouthUpperUp": 0.3, "mouthLowerDown": 0.2}
    spread, round_ = made(0.2, **parted), made(0.2, **parted, mouthFunnel=0.6, mouthPucker=0.6)
    for name in parted:
        assert spread[name] > 1.3 * round_[name], name
    shut, half, wide = (made(jaw) for jaw in (0.0, 0.25, 0.6))
    assert shut["mouthStretch"] == 0 < half["mouthStretch"] < wide["mouthStretch"]
    assert shut["jawOpen"] == 0 and half["jawOpen"] / 0.25 > 1.12 * wide["jawOpen"] / 0.6


def test_clear_speech_moves_the_lips_further_and_leaves_closed_lips_closed():
    mumbled, clear = (said(CLOSED, articulation=wish) for wish in (0.5, 1.5))
    for name in ("mouthPucker", "jawOpen", "mouthUpperUpLeft"):
        low, high = (rows[:, INDEX[name]] for rows in (mumbled, clear))
        assert np.percentile(high - low, 95) > 0.08, name
        assert (high - low).min() > -0.02, name
    shut = [
        (rows[:, INDEX["mouthClose"]] > 0.9 * np.maximum(rows[:, INDEX["jawOpen"]], 0.02)).mean()
        for rows in (mumbled, clear)
    ]
    assert shut[1] == pytest.approx(shut[0], abs=0.03)


def test_no_two_seeds_articulate_alike_and_all_within_what_people_do():
    open_, ones = np.zeros(len(CHANNELS), np.float32), np.ones(len(SHAPES), np.float32)
    open_[CHANNELS.index("jawOpen")] = 0.4
    gains = np.stack([Style(np.random.default_rng(seed))(open_, open_, ones) for seed in range(200)])
    moved = gains[:, [CHANNELS.index(name) for name in (*SHAPES, "jawOpen")]]
    assert (np.log(moved).std(axis=0) > 0.1).all()
    assert (moved.max(axis=0) < 4 * moved.min(axis=0)).all()


def test_what_a_behaviour_changed_of_the_mouth_is_kept():
    style, random = Style(np.random.default_rng(1)), np.random.default_rng(2)
    heard, shapes = random.random(len(CHANNELS), np.float32), random.random(len(SHAPES), np.float32)
    plain, changed = style(heard, heard, shapes), style(heard + np.float32(0.1), heard, shapes)
    np.testing.assert_allclose(changed - plain, 0.1, atol=1e-6)


def test_silence_rests_and_forgets():
    articulation, window = Articulation(), np.zeros((WINDOW_HOPS, 64), np.float32)
    loud = np.random.default_rng(0).random((WINDOW_HOPS, 64), np.float32)
    first = articulation(loud, 1.0)
    articulation(loud, 1.0)
    assert not articulation(window, 0.0).any()
    np.testing.assert_array_equal(articulation(loud, 1.0), first)
