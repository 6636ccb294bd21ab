import numpy as np
import pytest

from animator.control import Control
from animator.motion.generator import Generator
from animator.motion.rows.space import INDEX
from animator.units import RATE, SAMPLES_PER_FRAME

from .faces import lives
from .sounds import in_frames, silence

JAW, CLOSE = INDEX["jawOpen"], INDEX["mouthClose"]
SPEAKING = Control("speaking")


def opening(motion):
    """How far the lips are apart, in units of the jaw's weight."""
    return motion[:, JAW] - motion[:, CLOSE]


def loudness(sound):
    return np.sqrt(np.mean(sound.reshape(-1, SAMPLES_PER_FRAME) ** 2, axis=1))


@pytest.mark.parametrize("frames", [2, 4])
def test_how_the_sound_is_cut_does_not_matter(speech, frames):
    sound = speech[: 80 * SAMPLES_PER_FRAME]
    one, several = Generator(7), Generator(7)
    by_one = np.concatenate([one.step(part, SPEAKING) for part in np.split(sound, 80)])
    by_several = np.concatenate([several.step(part, SPEAKING) for part in np.split(sound, 80 // frames)])
    np.testing.assert_allclose(by_several, by_one, atol=1e-5)


def test_the_mouth_opens_with_the_voice_and_at_the_promised_delay(speech):
    generator = Generator(1)
    motion, level = generator.step(speech, SPEAKING), loudness(speech)
    fits = {lag: np.corrcoef(opening(motion)[lag:], level[: len(level) - lag])[0, 1] for lag in range(7)}
    assert fits[generator.delay_frames] > 0.35  # real speakers: 0.41
    assert abs(max(fits, key=fits.__getitem__) - generator.delay_frames) <= 1


def test_the_mouth_opens_as_far_as_people_do(speech):
    """In the mean of speakers, whose jaws differ."""
    widest = [np.percentile(opening(rows), 95) for rows in lives(range(8), speech, SPEAKING)]
    assert 0.15 < np.mean(widest) < 0.5


def test_a_deep_voice_moves_the_mouth_like_a_high_one(speech):
    slow = np.interp(np.arange(0, len(speech), 0.75), np.arange(len(speech)), speech)
    deep = in_frames(slow.astype(np.float32))
    motion = Generator(1).step(deep, SPEAKING)
    assert np.corrcoef(opening(motion)[2:], loudness(deep)[:-2])[0, 1] > 0.4


@pytest.mark.parametrize("decibels", [-12, 6])
def test_a_quiet_or_a_loud_voice_moves_it_too(speech, decibels):
    usual = opening(Generator(1).step(speech, SPEAKING))
    other = opening(Generator(1).step(speech * np.float32(10 ** (decibels / 20)), SPEAKING))
    assert np.corrcoef(usual, other)[0, 1] > 0.85


def test_lips_meet_for_m_b_and_p_far_more_than_in_a_sentence_without(speech):
    from hibari import Hibari

    voice = Hibari()
    labial = ("Papa, bobby, mama, baby. My papa may buy Bob a map.", "Peter Piper picked a pepper by my pub.")
    tongue = (
        "Ted had ten dull kids. He said she sat in a green kit.",
        "The sun shines on a still lake. Nine kings sing as it gets dark.",
        "Dan is tall and thin. She sees the sea, then sits on the sand.",
    )

    def closures(texts):
        sound = in_frames(np.concatenate([voice(text, seed=0) for text in texts]))
        motion = Generator(1).step(sound, SPEAKING)[2:]
        talking = loudness(sound)[:-2] > 0.01
        jaw, close = motion[talking, JAW], motion[talking, CLOSE]
        return np.mean(close > 0.8 * np.maximum(jaw, 0.01))

    assert closures(labial) > 0.12
    assert closures(labial) > 2 * closures(tongue)


def test_lips_that_close_do_so_in_every_emotion(speech):
    calm = Generator(1).step(speech, SPEAKING)
    wild = Generator(1).step(speech, Control("speaking", "surprised", 1.5))
    closed = calm[:, CLOSE] > 0.99 * np.maximum(calm[:, JAW], 0.02)
    assert closed.sum() > 10
    assert opening(wild)[closed].max() < 0.02
    assert wild[closed][:, INDEX["mouthFunnel"]].max() < 0.05


def test_silence_closes_the_mouth_and_keeps_it_still(speech):
    motion = Generator(1).step(np.concatenate([speech, silence(3)]), SPEAKING)
    rest = motion[len(speech) // SAMPLES_PER_FRAME + 15 :]
    assert rest[:, JAW].max() < 0.02
    assert np.abs(np.diff(rest[:, JAW])).max() < 0.01


def hum(seconds, random):
    t = np.arange(int(seconds * RATE)) / RATE
    return 0.01 * np.sin(2 * np.pi * 50 * t) + 0.004 * np.sin(2 * np.pi * 150 * t)


def fan(seconds, random):
    return random.normal(0, 0.004, int(seconds * RATE))


@pytest.mark.parametrize("noise", [hum, fan])
def test_steady_noise_keeps_it_closed(noise):
    sound = in_frames(noise(6, np.random.default_rng(0)).astype(np.float32))
    assert opening(Generator(1).step(sound, Control("listening")))[25:].max() < 0.06


def test_an_interruption_closes_the_mouth_at_once_but_not_with_a_jump(speech):
    widest = int(opening(Generator(5).step(speech, SPEAKING)).argmax())
    generator = Generator(5)
    before = generator.step(speech[: (widest + 1) * SAMPLES_PER_FRAME], SPEAKING)
    generator.interrupt()
    after = generator.step(silence(1), Control("listening"))
    assert after[4:, JAW].max() < 0.02
    path = np.concatenate([before[-1:, JAW], after[:, JAW]])
    assert np.abs(np.diff(path)).max() < 0.6 * before[-1, JAW]
    assert np.abs(np.diff(np.concatenate([before[-1:], after])[:, 52:55], axis=0)).max() < 2.5


def test_what_is_said_after_an_interruption_is_spoken(speech):
    generator = Generator(5)
    generator.step(speech[: 50 * SAMPLES_PER_FRAME], SPEAKING)
    generator.interrupt()
    motion = generator.step(speech, SPEAKING)
    assert np.corrcoef(opening(motion)[6:], loudness(speech)[4:-2])[0, 1] > 0.35


def test_amplitude_scales_what_is_said(speech):
    whisper, shout = (Generator(1).step(speech, Control("speaking", amplitude=a)) for a in (0.5, 1.4))
    assert np.percentile(opening(shout)[25:], 95) > 2 * np.percentile(opening(whisper)[25:], 95)


def test_sound_that_is_not_whole_frames_is_refused():
    with pytest.raises(ValueError, match="multiples of 960"):
        Generator(1).step(np.zeros(1000, np.float32), SPEAKING)
