import numpy as np
import pytest
from scipy.signal import welch

from animator.control import EMOTIONS, STATES, Control
from animator.motion.generator import Generator
from animator.motion.space import (
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

from .sounds import silence

ANGLES = slice(52, 55)
BLINK = INDEX["eyeBlinkLeft"]


def change(motion):
    """Mean absolute change of the head's angles, degrees a frame."""
    return np.abs(np.diff(motion[:, ANGLES], axis=0)).mean()


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
def test_rows_are_in_range_and_never_frozen(minutes, state):
    motion = minutes(state)
    assert motion.shape == (7500, SIZE)
    assert motion.dtype == np.float32
    assert np.isfinite(motion).all()
    assert motion[:, :52].min() >= 0
    assert motion[:, :52].max() <= 1.2
    assert (np.abs(motion[:, ANGLES]).max(axis=0) <= (10, 8, 8)).all()
    assert np.abs(np.diff(motion[:, ANGLES], axis=0)).max(axis=1).min() > 0


@pytest.mark.parametrize(("state", "low", "high"), [("speaking", 0.28, 0.45), ("listening", 0.08, 0.20)])
def test_the_head_moves_as_much_as_peoples_do(minutes, state, low, high):
    assert low <= change(minutes(state)) <= high


def test_the_speaking_head_wanders_as_far_as_peoples(minutes):
    yaw, pitch, roll = minutes("speaking")[:, ANGLES].std(axis=0)
    assert 3 < yaw < 6
    assert 2.5 < pitch < 5
    assert 2 < roll < 4.5


def test_the_speaking_head_has_the_spectrum_of_peoples(minutes):
    speed = np.diff(minutes("speaking")[:, ANGLES], axis=0)
    hertz, power = welch(speed, 25, nperseg=256, axis=0)
    share = [power[(hertz >= a) & (hertz < b)].sum() / power.sum() for a, b in ((0, 0.5), (0.5, 1), (1, 2), (2, 4))]
    np.testing.assert_allclose(share, (0.18, 0.30, 0.315, 0.165), atol=0.1)
    assert power[hertz >= 4].sum() / power.sum() < 0.07


@pytest.mark.parametrize("state", STATES)
def test_the_head_never_jumps(minutes, state):
    speed = np.diff(minutes(state)[:, ANGLES], axis=0)
    assert np.abs(speed).max() < 2.5


def test_the_head_sinks_when_it_nods(minutes):
    motion = minutes("speaking")
    assert 0.5 < np.corrcoef(motion[:, 53], motion[:, HEAD_Y])[0, 1] < 0.9


def test_motion_does_not_repeat_itself(minutes):
    yaw = minutes("idle")[500:, HEAD_YAW]
    piece = yaw[:250] - yaw[:250].mean()
    others = np.lib.stride_tricks.sliding_window_view(yaw[250:], 250)
    others = others - others.mean(axis=1, keepdims=True)
    fit = others @ piece / (np.linalg.norm(others, axis=1) * np.linalg.norm(piece))
    assert fit.max() < 0.97


@pytest.mark.parametrize(("state", "low", "high"), [("speaking", 18, 34), ("listening", 13, 26), ("idle", 11, 24)])
def test_blinks_come_as_often_as_peoples(minutes, state, low, high):
    shut = minutes(state)[:, BLINK] > 0.5
    blinks = starts(shut)
    assert low <= len(blinks) / 5 <= high
    assert 0.45 < np.log(np.diff(blinks) / 25).std() < 0.95


def test_a_blink_closes_the_eye_fast_and_opens_it_slower(minutes):
    lids = minutes("idle")[:, BLINK]
    shut = np.flatnonzero((lids[1:-7] > 0.98) & (lids[:-8] < 0.9)) + 1
    assert len(shut) > 30
    lengths = [np.argmax(lids[at : at + 10] < 0.1) + 2 for at in shut]  # with the two frames of closing
    assert 0.15 <= np.median(lengths) / 25 <= 0.35
    assert np.mean([lids[at - 2] < 0.1 for at in shut]) > 0.9


def test_listeners_look_at_the_user_and_thinkers_look_away(minutes):
    contact = {
        state: (np.hypot(minutes(state)[:, GAZE_LEFT_YAW], minutes(state)[:, GAZE_LEFT_PITCH]) < 3).mean()
        for state in STATES
    }
    assert 0.65 < contact["listening"] < 0.88
    assert 0.38 < contact["speaking"] < 0.62
    assert contact["thinking"] < 0.4


@pytest.mark.parametrize("state", STATES)
def test_gaze_shifts_as_often_as_peoples_and_in_saccades(minutes, state):
    gaze = minutes(state)[:, [GAZE_LEFT_YAW, GAZE_LEFT_PITCH]]
    speed = np.hypot(*np.diff(gaze, axis=0).T)
    shifts = starts(speed > 2)
    assert 0.25 < len(shifts) / 300 < 0.6
    assert all(speed[at + 3 : at + 6].min() < 0.5 for at in shifts)


def test_the_head_follows_the_eyes(minutes):
    motion = minutes("idle")
    gaze = motion[:, GAZE_LEFT_YAW]
    fits = [np.corrcoef(np.diff(gaze)[: -lag or None], np.diff(motion[:, HEAD_YAW])[lag:])[0, 1] for lag in range(12)]
    assert 3 <= int(np.argmax(fits)) <= 8


def test_stressed_syllables_move_brows_and_head(minutes):
    talking, quiet = minutes("speaking"), minutes("listening")
    brow = INDEX["browInnerUp"]
    assert talking[:, brow].std() > 1.5 * quiet[:, brow].std()


def test_the_torso_breathes():
    torso = Generator(1).step(silence(60), Control("idle"))[:, TORSO_Y]
    hertz, power = welch(torso - torso.mean(), 25, nperseg=750)
    assert 0.2 < hertz[power.argmax()] < 0.35


@pytest.mark.parametrize(("old", "new"), [("idle", "speaking"), ("speaking", "listening"), ("listening", "thinking")])
def test_states_change_without_a_jump(old, new):
    generator = Generator(9)
    before = generator.step(silence(20), Control(old))
    after = generator.step(silence(2), Control(new))
    path = np.concatenate([before[-1:], after])
    assert np.abs(np.diff(path[:, ANGLES], axis=0)).max() < 2.0
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
