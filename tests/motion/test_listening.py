"""What the face does about the voice of the person who is listened to."""

import numpy as np
import pytest
from hibari import Hibari

from animator.control import Control, State
from animator.motion.generator import Generator
from animator.motion.rows.space import GAZE_LEFT_YAW, HEAD_PITCH, INDEX
from animator.motion.voice.voices import OtherVoice
from animator.units import SAMPLES_PER_FRAME

from .faces import lives, still
from .sounds import silence

SEEDS = 24
PHRASE, PAUSE = 2.2, 3.0  # s
ENDS = [int(25 * (at + PHRASE)) for at in (2.0, 7.2, 12.4)]  # frames


@pytest.fixture(scope="module")
def other():
    """Three phrases of somebody else, each with a pause after it."""
    voice = Hibari()("My mother baked some apple pie for everybody.", seed=0).astype(np.float32)
    spoken = np.flatnonzero(np.abs(voice) > 0.02)
    end = spoken[-1]
    voice = voice[end - int(24000 * PHRASE) : end]
    return np.concatenate([silence(2.0), *[voice, silence(PAUSE)] * 3])


def listen(other, state: State = "listening", face=Generator, seeds=SEEDS):
    """-> (seeds, frames, 64)"""
    return lives(range(seeds), np.zeros_like(other), Control(state), other, face)


@pytest.fixture(scope="module")
def rows(other):
    return listen(other)


def dips(rows, first, last):
    """The farthest that the head sinks within 0.24 s, in so many seconds after each phrase, in degrees."""
    fall = rows[:, :-6, HEAD_PITCH] - rows[:, 6:, HEAD_PITCH]
    return np.concatenate([fall[:, end + int(25 * first) : end + int(25 * last)].max(axis=1) for end in ENDS])


def test_a_listener_nods_at_the_end_of_a_phrase_and_not_elsewhere(rows):
    assert (dips(rows, 0.3, 1.1) > 2.0).mean() > 0.45
    assert (dips(rows, -1.2, 0.1) > 2.0).mean() < 0.15, "not while the phrase goes on"
    assert (dips(rows, 2.2, 2.9) > 2.0).mean() < 0.1


def test_whatever_else_moves_a_face_it_nods(other):
    """As a network that has not learned to."""
    rows = listen(other, face=still)
    nods = dips(rows, 0.3, 1.1)
    assert 0.5 < (nods > 2.0).mean() < 1
    assert ((nods > 1.5) | (nods < 0.01)).all(), "or not at all"
    assert dips(rows, -1.2, 0.0).max() < 0.01
    assert dips(rows, 2.5, 2.9).max() < 0.01


def test_who_is_not_addressed_does_not_nod(other):
    assert (dips(listen(other, "idle", seeds=10), 0.3, 1.1) > 2.0).mean() < 0.2


def test_a_word_or_two_are_not_nodded_at(other):
    short = other.copy()
    for end in ENDS:
        short[(end * 960 - int(1.6 * 24000)) : end * 960] = 0
    assert (dips(listen(short, seeds=10), -1.3, 0.0) > 2.0).mean() < 0.2


def test_the_eyes_come_to_who_begins_to_speak_and_stay(rows):
    starts = [end - int(25 * PHRASE) for end in ENDS]
    contact = np.abs(rows[:, :, GAZE_LEFT_YAW]) < 3
    soon = np.mean([contact[:, at + 15 : at + 35].mean() for at in starts])
    assert soon > 0.93
    assert soon > np.mean([contact[:, end + 25 : end + 70].mean() for end in ENDS]) + 0.1


def test_brows_rise_at_the_accents_of_the_voice_a_little(rows, other):
    voice, brow = OtherVoice(), INDEX["browInnerUp"]
    accents = [i for i, frame in enumerate(other.reshape(-1, SAMPLES_PER_FRAME)) if voice(frame).prosody.accent]
    before, after = (rows[:, np.add.outer(accents, np.arange(*span)), brow] for span in ((-3, 1), (4, 9)))
    assert after.mean() > before.mean()
