import numpy as np
import pytest
from scipy.signal import welch

from animator.control import EMOTIONS, STATES, Control
from animator.evaluate.measure import PEOPLE_BANDS
from animator.evaluate.tracking.runs import runs_of
from animator.motion.behaviour.channels import CHANNELS
from animator.motion.behaviour.head_motion import steady_head
from animator.motion.generator import Generator
from animator.motion.rows.space import (
    GAZE_LEFT_PITCH,
    GAZE_LEFT_YAW,
    HEAD_X,
    HEAD_Y,
    HEAD_YAW,
    HEAD_Z,
    INDEX,
    SIZE,
    TORSO_Y,
)
from animator.motion.voice.mouth_net import CHANNELS as MOUTH
from animator.motion.voice.mouth_net import HIDDEN_SIZE
from animator.motion.voice.prosody import Heard
from animator.motion.voice.voices import NOBODY, Other, Own

from .conftest import SECONDS, SEEDS
from .faces import deaf, lives
from .sounds import silence

ANGLES = slice(52, 55)
BLINK = INDEX["eyeBlinkLeft"]


FASTEST = 2.5  # degrees a frame


def change(motion):
    """Mean absolute change of the head's angles, degrees a frame."""
    return np.abs(np.diff(motion[..., ANGLES], axis=-2)).mean()


def fastest(motion):
    """Degrees that an angle changes by in a frame, at most. (..., frames, 64), or angles alone, (..., frames, 3)."""
    angles = motion[..., ANGLES] if motion.shape[-1] == SIZE else motion
    return np.abs(np.diff(angles, axis=-2)).max()


def starts(flags):
    return np.flatnonzero(flags[1:] & ~flags[:-1]) + 1


def test_a_seed_repeats_and_another_differs(speech):
    one, same, other = (Generator(seed).step(speech[:96000], Control("speaking")) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other)[:, ANGLES].max() > 0.5


def test_without_a_seed_no_two_sessions_are_alike():
    one, other = (Generator().step(silence(4), Control("idle")) for _ in range(2))
    assert np.abs(one - other)[:, ANGLES].max() > 0.1


def test_reset_starts_the_session_again(speech):
    generator = Generator(2)
    first = generator.step(speech[:96000], Control("speaking"))
    generator.reset()
    np.testing.assert_array_equal(generator.step(speech[:96000], Control("speaking")), first)


def test_a_session_starts_with_the_face_of_the_picture():
    first = Generator(1).step(silence(0.04), Control("idle"))[0]
    assert np.abs(first[ANGLES]).max() < 0.3
    assert np.abs(first[HEAD_X : HEAD_Z + 1]).max() < 0.005
    assert first[:52].max() < 0.03


@pytest.mark.parametrize("state", STATES)
def test_rows_are_in_range_and_never_frozen(days, state):
    motion = days(state)
    assert motion.shape == (SEEDS, SECONDS * 25, SIZE)
    assert motion.dtype == np.float32
    assert np.isfinite(motion).all()
    assert motion[..., :52].min() >= 0
    assert motion[..., :52].max() <= 1.2
    assert (np.abs(motion[..., ANGLES]).max(axis=(0, 1)) <= (10, 8, 8)).all()
    assert np.abs(np.diff(motion[..., ANGLES], axis=1)).max(axis=2).min() > 0


@pytest.mark.parametrize(("state", "low", "high"), [("speaking", 0.30, 0.40), ("listening", 0.08, 0.20)])
def test_the_head_moves_as_much_as_peoples_do(days, state, low, high):
    assert low <= change(days(state)) <= high


def test_the_speaking_head_wanders_as_far_as_peoples(days):
    yaw, pitch, roll = days("speaking")[..., ANGLES].std(axis=1).mean(axis=0)
    assert 3 < yaw < 6
    assert 3 < pitch < 4.5
    assert 2 < roll < 4.5


def test_a_speaking_head_nods_as_far_as_peoples_within_a_sentence_or_two(days):
    pieces = days("speaking")[:, : SECONDS // 7 * 175, 53].reshape(-1, 175)
    assert 3.2 < pieces.std(axis=1).mean() < 4


def test_the_speaking_head_has_the_spectrum_of_peoples(days):
    speed = np.diff(days("speaking")[..., ANGLES], axis=1)
    hertz, power = welch(speed, 25, nperseg=256, axis=1)
    power = power.sum(axis=(0, 2)) / power.sum()
    share = [power[(hertz >= a) & (hertz < b)].sum() for a, b in ((0, 0.5), (0.5, 1), (1, 2), (2, 4))]
    np.testing.assert_allclose(share, PEOPLE_BANDS[:-1], atol=0.05)
    assert power[hertz >= 4].sum() < 0.07


@pytest.mark.parametrize("state", STATES)
def test_the_head_never_jumps(days, state):
    assert fastest(days(state)) < FASTEST


def test_the_head_never_jumps_whatever_it_hears_and_is_told():
    """Each accent at its loudest, phrases that end and begin at any time, and wishes that change twice a second."""
    random = np.random.default_rng(0)

    def wish() -> Control:
        yaw, pitch, roll = random.uniform(-20, 20, 3)
        return Control(
            STATES[random.integers(len(STATES))], EMOTIONS[random.integers(len(EMOTIONS))], 1.5,
            distance=random.choice([0.8, 1.2]), yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll, amplitude=1.5,
        )  # fmt: skip

    def heard(frame: int) -> Heard:
        accents = 1.0 * (frame % 7 == 0), 1.0 * (frame % 10 == 0)
        return Heard(True, 1.0, accents[0], random.random() < 0.1, random.random() < 0.1, accents[1])

    own = [Own(np.zeros(len(MOUTH), np.float32), np.ones(2 * HIDDEN_SIZE, np.float32), heard(i)) for i in range(250)]
    other = [Other(NOBODY.features, heard(i)) for i in range(250)]
    for seed in range(8):
        face = deaf(seed, own, other)
        rows = np.concatenate([face.step(silence(0.48), wish(), silence(0.48)) for _ in range(20)])
        assert fastest(rows) < FASTEST
        assert np.abs(np.diff(rows[:, ANGLES], 2, axis=0)).max() < 1.3


def test_a_head_is_held_back_only_where_it_would_jump():
    """A way as fast as heads go is gone exactly; one that leaps is gone smoothly, to its end and not beyond."""
    point, time = steady_head(), np.arange(100) / 25
    way = (1 - np.cos(time[:, None] * [6.0, 9.0, 5.0])) * [4, 3, 2]
    assert 1.0 < fastest(way) < 1.5
    np.testing.assert_allclose([point(place) for place in way], way, atol=1e-9)
    point, goal = steady_head(), np.array([30.0, 0.0, -20.0])
    gone = np.array([point(goal) for _ in range(60)])
    assert fastest(gone) < FASTEST
    assert (gone[:, 0].max() <= 30.0) and (np.diff(gone[:, 0]) >= 0).all()
    np.testing.assert_allclose(gone[-1], goal, atol=0.01)


def test_the_head_sinks_when_it_nods(days):
    fits = [np.corrcoef(motion[:, 53], motion[:, HEAD_Y])[0, 1] for motion in days("speaking")]
    assert 0.5 < np.mean(fits) < 0.9


def test_motion_does_not_repeat_itself(days):
    fits = []
    for yaw in days("idle")[:, :, HEAD_YAW]:
        piece = yaw[:250] - yaw[:250].mean()
        others = np.lib.stride_tricks.sliding_window_view(yaw[250:], 250)
        others = others - others.mean(axis=1, keepdims=True)
        fits.append((others @ piece / (np.linalg.norm(others, axis=1) * np.linalg.norm(piece))).max())
    assert np.mean(fits) < 0.8  # the best of 500 places; one that repeats is at 1


@pytest.mark.parametrize(("state", "low", "high"), [("speaking", 18, 34), ("listening", 13, 26), ("idle", 11, 24)])
def test_blinks_come_as_often_as_peoples(days, state, low, high):
    blinks = [starts(motion[:, BLINK] > 0.5) for motion in days(state)]
    assert low <= np.mean([len(found) for found in blinks]) * 60 / SECONDS <= high
    assert 0.45 < np.log(np.concatenate([np.diff(found) for found in blinks]) / 25).std() < 0.95


def test_a_blink_closes_the_eye_fast_and_opens_it_slower(days):
    lengths, fast = [], []
    for lids in days("idle")[:, :, BLINK]:
        shut = np.flatnonzero((lids[1:-9] > 0.98) & (lids[:-10] < 0.9)) + 1
        lengths += [np.argmax(lids[at : at + 10] < 0.1) + 2 for at in shut]  # with the two frames of closing
        fast += [lids[at - 2] < 0.1 for at in shut]
    assert len(lengths) > 30
    assert 0.15 <= np.median(lengths) / 25 <= 0.35
    assert np.mean(fast) > 0.9


def test_listeners_look_at_the_user_and_thinkers_look_away(days):
    contact = {
        state: (np.hypot(days(state)[..., GAZE_LEFT_YAW], days(state)[..., GAZE_LEFT_PITCH]) < 3).mean()
        for state in STATES
    }
    assert 0.65 < contact["listening"] < 0.88
    assert 0.38 < contact["speaking"] < 0.62
    assert contact["thinking"] < 0.4


def test_glances_below_are_short_and_rare(days):
    below = days("speaking")[..., GAZE_LEFT_PITCH] < -5
    assert 0.01 < below.mean() < 0.125, "over 40 seeds .069, with a spread of .042"
    assert np.median([end - start for seen in below for start, end in runs_of(seen, 1)]) / 25 < 1.3


def blinking(channel, value):
    """(52,) with open and with shut lids, of a face that does nothing but hold one shape and blink once."""
    held = np.zeros((75, len(CHANNELS)), np.float32)
    held[:, CHANNELS.index(channel)] = value
    held[70:, CHANNELS.index("blink")] = 1.0
    frames = iter(held)
    rows = Generator(0, lambda random: lambda own, other, control: next(frames)).step(silence(3), Control("idle"))
    return rows[60, :52], rows[-1, :52]


@pytest.mark.parametrize(("height", "left"), [(0.2, 0.55), (0.4, 0.55), (1.0, 0.8)])
def test_brows_dip_as_the_lids_shut(height, left):
    """In proportion, but those of a strong mood by no more than others: they do not flicker."""
    opened, shut = blinking("browInnerUp", height)
    assert shut[INDEX["browInnerUp"]] == pytest.approx(left * opened[INDEX["browInnerUp"]], rel=0.02)
    assert shut[INDEX["browDownLeft"]] > opened[INDEX["browDownLeft"]] + 0.1


def test_lids_follow_the_brows():
    calm, raised, frowning = (
        blinking(*brow)[0] for brow in (("browInnerUp", 0), ("browInnerUp", 1), ("browDownLeft", 1))
    )
    left, right = INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]
    assert raised[INDEX["eyeWideLeft"]] > calm[INDEX["eyeWideLeft"]] + 0.2
    assert frowning[left] > calm[left] + 0.2 and frowning[right] == pytest.approx(calm[right], abs=0.02)


@pytest.mark.parametrize("state", STATES)
def test_gaze_shifts_as_often_as_peoples_and_in_saccades(days, state):
    speeds = np.hypot(*np.diff(days(state)[..., [GAZE_LEFT_YAW, GAZE_LEFT_PITCH]], axis=1).transpose(2, 0, 1))
    shifts = [(speed, at) for speed in speeds for at in starts(speed > 2) if at + 6 < len(speed)]
    assert 0.25 < len(shifts) / (SEEDS * SECONDS) < 0.6
    assert np.mean([speed[at + 3 : at + 6].min() < 0.5 for speed, at in shifts]) > 0.99


def test_the_head_follows_the_eyes(days):
    gaze, yaw = (np.diff(days("idle")[..., column], axis=1) for column in (GAZE_LEFT_YAW, HEAD_YAW))
    fits = [np.corrcoef(gaze[:, : -lag or None].ravel(), yaw[:, lag:].ravel())[0, 1] for lag in range(12)]
    assert 3 <= int(np.argmax(fits)) <= 8


def test_stressed_syllables_move_brows_and_head(days):
    talking, quiet = (days(state)[:, :, INDEX["browInnerUp"]].std(axis=1).mean() for state in ("speaking", "listening"))
    assert talking > 1.5 * quiet


def test_the_torso_breathes():
    torso = Generator(1).step(silence(60), Control("idle"))[:, TORSO_Y]
    hertz, power = welch(torso - torso.mean(), 25, nperseg=750)
    assert 0.2 < hertz[power.argmax()] < 0.35


@pytest.mark.parametrize(("old", "new"), [("idle", "speaking"), ("speaking", "listening"), ("listening", "thinking")])
def test_states_change_without_a_jump(old, new):
    for seed in range(4):
        generator = Generator(seed)
        before = generator.step(silence(5), Control(old))
        after = generator.step(silence(2), Control(new))
        path = np.concatenate([before[-1:], after])
        assert fastest(path) < FASTEST
        assert np.abs(np.diff(path[:, HEAD_X : HEAD_Z + 1], axis=0)).max() < 0.02


@pytest.mark.parametrize(
    ("control", "column", "change"),
    [
        (Control("idle", yaw_deg=8), 52, 8),
        (Control("idle", pitch_deg=-5), 53, -5),
        (Control("idle", roll_deg=6), 54, 6),
        (Control("idle", x=0.2), HEAD_X, 0.2),
        (Control("idle", y=-0.1), HEAD_Y, -0.1),
        (Control("idle", distance=0.8), HEAD_Z, 5.85 * 0.2),
        (Control("idle", gaze_yaw_deg=12), GAZE_LEFT_YAW, 12),
        (Control("idle", gaze_pitch_deg=-6), GAZE_LEFT_PITCH, -6),
    ],
)
def test_wishes_are_added_to_what_the_face_does_anyway(control, column, change):
    plain, wished = (Generator(3).step(silence(4), wish) for wish in (Control("idle"), control))
    difference = wished[:, column] - plain[:, column]
    assert difference[-1] == pytest.approx(change, rel=0.01)
    assert np.abs(np.diff(difference)).max() < 0.5 * abs(change)


def test_no_amplitude_no_motion_of_the_head():
    motion = Generator(3).step(silence(10), Control("speaking", amplitude=0.0))[50:]
    assert np.abs(motion[:, ANGLES]).max() < 0.05


def test_every_emotion_has_its_own_face_and_fades_in():
    faces = {}
    for emotion in EMOTIONS:
        motion = Generator(3).step(silence(6), Control("idle", emotion))
        faces[emotion] = motion[50:, :BLINK].mean(axis=0)
        assert np.abs(np.diff(motion[:, :BLINK], axis=0)).max() < 0.15
    names = list(faces)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert np.abs(faces[one] - faces[other]).max() > 0.05, (one, other)


def test_the_strength_of_an_emotion_counts():
    weak, strong = (
        Generator(3).step(silence(4), Control("idle", "happy", strength))[50:, INDEX["mouthSmileLeft"]].mean()
        for strength in (0.4, 1.2)
    )
    assert strong == pytest.approx(3 * weak, rel=0.3)


def test_a_mood_has_a_pace_of_its_own(speech):
    def quickness(emotion):
        """Changes of speed over speed."""
        speed = np.diff(lives(range(6), speech, Control("speaking", emotion))[..., ANGLES], axis=1)
        return np.abs(np.diff(speed, axis=1)).mean() / np.abs(speed).mean()

    assert quickness("sad") < 0.95 * quickness("neutral")
    assert quickness("angry") > 1.03 * quickness("neutral")
