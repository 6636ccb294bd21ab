"""The face through loudspeakers, with the voice activity of the fakes, which takes every sound for speech."""

import numpy as np
import pytest

from companion.bench.echoes import hear_rate
from companion.bench.rooms import Scene, echo
from companion.hearing.audio.echo import Echo
from companion.hearing.audio.loudspeaker import Loudspeaker
from companion.hearing.audio.microphone import WINDOW
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE

SCENE = Scene(delay=0.12, gain=-12.0, room=0.4, direct=3.0, noise=-60.0)


def voice(seed: int, seconds: float, rate: int = HEAR_RATE) -> np.ndarray:
    """Noise in syllables, with pauses between them."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    rhythm = np.maximum(0, np.sin(2 * np.pi * (2.5 + 0.3 * seed) * t)) * (np.sin(2 * np.pi * 0.4 * t) > -0.8)
    smooth = np.convolve(rng.standard_normal(len(t)), np.exp(-np.arange(40) / 5), "same")
    return (0.04 * smooth * rhythm).astype(np.float32)


def listen(heard: np.ndarray, played: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Block by block -> what is left in dB of what was heard, and which blocks are taken for a user's."""
    canceller, left, users = Echo(), [], []
    for i in range(0, len(heard) - WINDOW, WINDOW):
        clean = canceller(heard[i : i + WINDOW], played[i : i + WINDOW])
        loud = float(np.mean(clean**2)) > 10 ** (-55 / 10)
        left.append(10 * np.log10(np.sum(clean**2) / np.sum(heard[i : i + WINDOW] ** 2)))
        users.append(canceller.of_user(float(loud), False) > 0.5)
    return np.array(left), np.array(users)


@pytest.mark.parametrize(("delay", "overdriven"), [(0.02, False), (0.25, False), (0.02, True)])
def test_an_echo_is_subtracted_and_taken_for_nobody(delay, overdriven):
    played = voice(1, 6.0)
    scene = Scene(delay, -12.0, 0.4, 3.0, -60.0, overdriven=overdriven)
    left, users = listen(echo(played, scene, np.random.default_rng(0)), played)
    assert np.median(left[100:]) < -5
    assert not users[40:].any(), "not after a second, nor later"


def test_a_user_over_an_echo_is_heard_at_once_and_whole():
    played, user = voice(1, 6.0), np.zeros(6 * HEAR_RATE, np.float32)
    user[4 * HEAR_RATE : 5 * HEAR_RATE] = voice(2, 1.0)
    _, users = listen(echo(played, SCENE, np.random.default_rng(0)) + user, played)
    at = 4 * HEAR_RATE // WINDOW
    assert users[at : at + 10].any()
    assert users[at : at + 31].mean() > 0.5


def test_a_user_with_headphones_is_left_as_they_are():
    played, user = voice(1, 3.0), voice(2, 3.0)
    canceller = Echo()
    for i in range(0, len(user) - WINDOW, WINDOW):
        clean = canceller(user[i : i + WINDOW], played[i : i + WINDOW])
        np.testing.assert_array_equal(clean, user[i : i + WINDOW])


def test_loudspeaker_and_microphone_stay_in_step_though_packets_jitter():
    """The sound is sent in chunks of 40 ms, some of them late, and heard in packets that come one by one or three at a
    time."""
    sound, rng = voice(3, 8.0, SPEAK_RATE), np.random.default_rng(0)
    expected = hear_rate(sound)
    loudspeaker, heard, clock, lags = Loudspeaker(), 0, 0, []
    while heard < 7 * HEAR_RATE:
        heard += 320 * int(rng.choice([1, 3]))
        late = int(rng.choice([0, 240])) if heard > 4 * HEAR_RATE else 0  # 15 ms
        clock = max(clock, ((heard - late) * SPEAK_RATE // HEAR_RATE // 960 + 1) * 960)
        loudspeaker.play(clock, sound[max(0, clock - 3 * SPEAK_RATE) : clock])
        loudspeaker.align(heard)
        block = loudspeaker.beside(heard)
        if heard > HEAR_RATE and np.mean(block**2) > 1e-5:
            around = np.lib.stride_tricks.sliding_window_view(expected[heard - WINDOW - 800 : heard + 1600], WINDOW)
            lags.append(np.sum((around - block) ** 2, 1).argmin())
    assert len(lags) > 20
    assert np.ptp(lags) <= 2, "the same delay at all times"


def test_the_end_of_an_echo_is_nobody_after_the_face_fell_silent():
    """What the voice activity goes on taking for speech, in the noise that is left, was never a user."""
    played = np.concatenate([voice(1, 3.0), np.zeros(2 * HEAR_RATE, np.float32)])
    heard, canceller, users = echo(played, SCENE, np.random.default_rng(0)), Echo(), []
    for i in range(0, len(heard) - WINDOW, WINDOW):
        canceller(heard[i : i + WINDOW], played[i : i + WINDOW])
        users.append(canceller.of_user(0.6, False) > 0.5)
    assert not any(users[HEAR_RATE // WINDOW :])


@pytest.mark.parametrize("gain", [-3.0, -12.0, -24.0])
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_an_echo_of_the_first_words_is_nobody(seed: int, gain: float):
    played = voice(seed, 1.5)
    scene = Scene(delay=0.06, gain=gain, room=0.4, direct=3.0, noise=-50.0)
    _, users = listen(echo(played, scene, np.random.default_rng(seed)), played)
    assert not users.any()


def pitched(seed: int, seconds: float) -> np.ndarray:
    """Syllables of a voice with a pitch, each on another note and of another colour; begins at once."""
    rng, n = np.random.default_rng(seed), round(seconds * HEAR_RATE)
    t = np.arange(n) / HEAR_RATE
    syllable = (t / 0.22).astype(int)
    pitch = (170 + 20 * (seed % 4)) * (1 + 0.12 * rng.standard_normal(syllable[-1] + 1))[syllable]
    buzz = 2 * (np.cumsum(pitch / HEAR_RATE) % 1) - 1
    colours = rng.standard_normal((syllable[-1] + 1, 12))
    coloured = np.stack([np.convolve(buzz, colour)[:n] for colour in colours])
    return (0.05 * coloured[syllable, np.arange(n)] * np.sin(np.pi * (t / 0.22 % 1)) ** 0.5).astype(np.float32)


def test_users_with_headphones_who_begin_within_the_first_words_are_heard_at_once():
    found = []
    for at in (0.1, 0.3, 0.5, 0.7):
        for seed in range(1, 9):
            heard = 0.001 * np.random.default_rng(0).standard_normal(2 * HEAR_RATE).astype(np.float32)
            start = round(at * HEAR_RATE)
            heard[start : start + HEAR_RATE] += pitched(seed, 1.0)
            _, users = listen(heard, pitched(0, 2.0))
            found.append(users[start // WINDOW : start // WINDOW + 6].any())
    assert np.mean(found) >= 0.9
