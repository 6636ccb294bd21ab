"""How the video of one client follows what its network carries."""

import numpy as np
import pytest

from animator.media.encoder import VideoEncoder
from companion.avatar.elastic import AGAIN, ElasticEncoder
from companion.avatar.thrift import (
    CALM_S,
    CALMEST_S,
    EFFECT_S,
    LATE_S,
    LEAST,
    STEP,
    USUAL_OVER_S,
    USUAL_S,
    WORSE_S,
    WORST,
    Thrift,
)


def told(thrift: Thrift, seconds: float, behind: float, start: float = 0.0) -> float:
    """Five reports a second -> the time after them."""
    for i in range(round(5 * seconds)):
        thrift.report(behind, start + i / 5)
    return start + seconds


@pytest.mark.parametrize("behind", [0.12, LATE_S, 1.5])
def test_who_is_as_far_behind_as_usual_gets_everything(behind):
    thrift = Thrift()
    told(thrift, 60, behind)
    assert (thrift.share, thrift.every) == (1.0, 1)
    assert all(thrift.sends(frame) for frame in range(10))


def test_frames_are_left_out_at_once_and_come_back_at_once():
    thrift = Thrift()
    now = told(thrift, 2, 0.04)
    for behind, sent in ((LATE_S + 0.01, 5), (LATE_S + WORSE_S + 0.01, 10 // WORST), (0.04, 10)):
        thrift.report(behind, now)
        assert sum(thrift.sends(frame) for frame in range(10)) == sent


def test_the_bitrate_falls_by_steps_while_it_lasts_and_never_below_the_least():
    thrift = Thrift()
    now = told(thrift, 2, 0.04)
    now = told(thrift, 2 * EFFECT_S - 0.1, 0.5, now)
    assert thrift.share == pytest.approx(STEP**2)
    told(thrift, 12 * EFFECT_S, 0.5, now)
    assert thrift.share == LEAST


def test_it_rises_when_it_has_been_calm_and_waits_longer_where_that_was_too_much():
    thrift = Thrift()
    now = told(thrift, 2, 0.04)
    waits = []
    for _ in range(6):
        thrift.report(0.5, now)
        assert thrift.share == pytest.approx(STEP)
        begun = now
        while thrift.share < 1:
            now = told(thrift, 0.2, 0.04, now + 0.2)
        waits.append(now - begun)
        now = told(thrift, EFFECT_S, 0.04, now)
    assert waits == pytest.approx([CALM_S, *[min(CALMEST_S, CALM_S * 2**n) for n in range(1, 6)]], abs=1.0)


def test_a_longer_journey_is_the_usual_after_a_while():
    thrift = Thrift()
    now = told(thrift, 10, 0.04)
    now = told(thrift, USUAL_OVER_S, LATE_S + USUAL_S, now)
    assert thrift.every == 2
    told(thrift, 5, LATE_S + USUAL_S, now)
    assert thrift.every == 1


def test_another_bitrate_comes_with_the_keyframe_that_is_due_anyway():
    made: list[int] = []

    def make(bitrate: int) -> VideoEncoder:
        made.append(bitrate)
        return VideoEncoder(64, 64, bitrate=bitrate)

    rng = np.random.default_rng(0)
    texture = rng.integers(0, 250, (64, 64, 3))
    encoder = ElasticEncoder(make, 1_000_000)
    keys = []
    for number in range(3 * (AGAIN + 1) + 1):
        encoder.share = 0.2 if number > 10 else 1.0
        (packet,) = encoder.encode((texture + rng.integers(0, 5)).astype(np.uint8))
        keys += [number] if packet.keyframe else []
        assert len(made) == 1 + (number > AGAIN)
    assert made == [1_000_000, 200_000]
    assert keys == [0, AGAIN + 1, 2 * (AGAIN + 1), 3 * (AGAIN + 1)]


def test_no_share_is_less_than_an_encoder_takes():
    made = []
    encoder = ElasticEncoder(lambda bitrate: made.append(bitrate) or VideoEncoder(32, 32, bitrate=bitrate), 200_000)
    encoder.share = LEAST
    encoder.encode(np.zeros((32, 32, 3), np.uint8), force_keyframe=True)
    assert made == [200_000, 100_000]
    encoder.close()
