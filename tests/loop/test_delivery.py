"""How far a speaker is: the phases and what may follow them, and the arithmetic of pauses."""

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.avatar.buffers import LookAhead, Murmur, Playback
from companion.avatar.delivery import FADE_SAMPLES, FOLLOWS, Delivery, Phase
from companion.speech.playout import Cue, Line

CHUNK = 960
ONES = np.ones(CHUNK, np.float32)


@dataclass
class Nobody:
    """A speaker who notes what it is told."""

    id: str = "resp_1"
    told: list[Cue] = field(default_factory=list)

    def cue(self, cue: Cue) -> None:
        self.told.append(cue)

    def sound(self, audio: object, pts_ms: float) -> None: ...
    def seen(self, begun: float, drawn: float) -> None: ...
    def ended(self) -> None: ...


def in_phase(phase: Phase) -> Delivery:
    """A delivery that has come so far, its sound begun at 0."""
    delivery = Delivery()
    steps = {
        Phase.WAITING: lambda: delivery.begin(Nobody()),
        Phase.SPEAKING: lambda: delivery.start(0),
        Phase.PAUSING: delivery.hold,
        Phase.PAUSED: lambda: delivery.faded(ONES, CHUNK),
        Phase.RESUMING: delivery.release,
    }
    if phase is not Phase.SILENT:
        for step, act in steps.items():
            act()
            if step is phase:
                break
    assert delivery.phase is phase
    return delivery


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Phase, Phase)))
def test_a_phase_is_followed_by_those_that_may_follow_it_alone(before: Phase, after: Phase):
    delivery = in_phase(before)
    if after in FOLLOWS[before]:
        delivery._go(after)
        assert delivery.phase is after
    else:
        with pytest.raises(AssertionError, match=f"{before.value} -> {after.value}"):
            delivery._go(after)
        assert delivery.phase is before


@pytest.mark.parametrize("phase", Phase)
def test_a_speaker_is_there_unless_it_is_silent(phase: Phase):
    delivery = in_phase(phase)
    assert (delivery.speaker is None) == (phase is Phase.SILENT)
    delivery.end()
    assert delivery.phase is Phase.SILENT
    assert delivery.speaker is None


def test_a_pause_is_neither_sound_nor_time_of_the_item():
    delivery = in_phase(Phase.PAUSED)  # after two chunks, the second of which faded
    assert delivery.paused_at == CHUNK
    for chunk in range(2, 5):
        delivery.wait(chunk * CHUNK, CHUNK)
    assert delivery.span(5 * CHUNK, CHUNK, ends_at=2 * CHUNK + 100) == (0, 100)
    assert delivery.heard(2 * CHUNK) == 2 * CHUNK
    assert delivery.heard(4 * CHUNK) == 2 * CHUNK, "what is heard during the pause is silence"
    assert delivery.heard(6 * CHUNK) == 3 * CHUNK
    assert not delivery.over(5 * CHUNK, 2 * CHUNK + 1)
    assert delivery.over(5 * CHUNK, 2 * CHUNK)


def test_a_speaker_who_has_nothing_to_say_is_done():
    delivery = in_phase(Phase.WAITING)
    assert delivery.over(0, 0)
    assert not delivery.over(10 * CHUNK, None)
    assert not delivery.over(10 * CHUNK, CHUNK), "its sound has not begun"


def test_sound_fades_out_and_in_without_a_step():
    delivery = in_phase(Phase.PAUSING)
    out = delivery.faded(ONES, 0)
    assert out[0] == 1
    assert not out[FADE_SAMPLES:].any()
    delivery.release()
    back = delivery.faded(ONES, CHUNK)
    assert back[0] == 0
    assert (back[FADE_SAMPLES:] == 1).all()
    assert max(np.abs(np.diff(out)).max(), np.abs(np.diff(back)).max()) < 1.5 / FADE_SAMPLES
    assert (delivery.faded(ONES, 2 * CHUNK) == ONES).all()


def test_cues_come_once_and_with_what_was_repeated_later():
    delivery, line = in_phase(Phase.SPEAKING), Line("One two.")
    delivery.add([Cue(0, line), Cue(500, line), Cue(2000, line)])
    assert [cue.at for cue in delivery.due(CHUNK)] == [0, 500]
    delivery.again(1000)
    assert [cue.at for cue in delivery.due(3000)] == []
    assert [cue.at for cue in delivery.due(3001)] == [3000]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_what_a_face_looks_ahead_loses_nothing(delays: list[int], seed: int):
    rng, ahead, sent, given_in = np.random.default_rng(seed), LookAhead(), [], []
    deepest = max(delays)
    ahead.resize(deepest * CHUNK)
    for _ in range(6):
        given_in.append(rng.standard_normal(CHUNK).astype(np.float32))
        sent.append(ahead.push(given_in[-1]))
    whole = np.concatenate([np.zeros(deepest * CHUNK, np.float32), *given_in])[: 6 * CHUNK]
    assert (np.concatenate(sent) == whole).all()
    assert sum(ahead.resize(delay * CHUNK) for delay in delays) == (delays[-1] - deepest) * CHUNK
    assert len(ahead) == delays[-1] * CHUNK


def test_a_murmur_takes_turns_with_itself():
    murmur = Murmur()
    murmur.begin(np.ones(1500, np.float32), 0)
    assert not murmur.lasts(0), "nothing of it is on its way"
    first, second = murmur.take(CHUNK, 100), murmur.take(CHUNK, 100 + CHUNK)
    assert first is not None
    assert second is not None
    assert (first.sum(), second.sum(), len(second)) == (960, 540, CHUNK)
    assert murmur.take(CHUNK, 3000) is None
    assert murmur.lasts(100 + 2 * CHUNK - 1)
    murmur.begin(ONES, 100 + CHUNK)
    assert murmur.take(CHUNK, 0) is None, "another one lasts"
    murmur.begin(ONES, 100 + 2 * CHUNK)
    murmur.stop()
    assert murmur.take(CHUNK, 0) is None


def test_what_is_heard_is_what_the_client_says_while_that_is_fresh():
    now = [10.0]
    playback = Playback(lambda: now[0])
    assert playback.heard(24_000) == 24_000 - 3600, "a client that says nothing buffers 150 ms"
    playback.report(500.0)
    now[0] = 10.25
    assert playback.heard(24_000) == 18_000
    assert playback.heard(12_000) == 12_000, "nobody hears what was not sent"
    now[0] = 12.0
    assert playback.heard(48_000) == 48_000 - 3600
