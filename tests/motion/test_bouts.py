"""Expressions that pass over a face while it speaks and listens, and what an emotion makes of its speech."""

import numpy as np
import pytest

from animator.control import Control
from animator.evaluate.tracking.runs import runs_of
from animator.motion.rows.space import INDEX
from animator.units import RATE

from .faces import lives, still
from .sounds import silence

SEEDS = 16
SMILES = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
UPPER, INNER, FROWN = INDEX["mouthUpperUpLeft"], INDEX["browInnerUp"], INDEX["browDownLeft"]
JAW, CLOSE, PRESS = INDEX["jawOpen"], INDEX["mouthClose"], INDEX["mouthPressLeft"]


@pytest.fixture(scope="module")
def spoken(speech):
    """(SEEDS, frames, 64) without the second in which a session starts."""
    return lives(range(SEEDS), speech, Control("speaking"))[:, 25:]


def memory(values):
    """Frames in which the autocorrelation falls under 1/e."""
    centred = values - values.mean()
    alike = [np.mean(centred[lag:] * centred[: len(values) - lag]) for lag in range(100)]
    return int(np.argmax(np.array(alike) < alike[0] / np.e))


def test_a_face_that_speaks_smiles_in_bouts(spoken):
    smiles = spoken[..., SMILES].mean(axis=-1)
    bouts = [runs_of(smile > 0.4, 1) for smile in smiles]
    minutes = smiles.shape[1] / (25 * 60)
    assert 0.11 < smiles.std(axis=1).mean() < 0.24
    assert 6 < np.mean([len(found) for found in bouts]) / minutes < 40
    assert 0.15 < np.median([end - start for found in bouts for start, end in found]) / 25 < 0.5
    assert 0.25 < np.mean([memory(smile) for smile in smiles]) / 25 < 0.6
    assert np.percentile(smiles, 50) < 0.25, "and is no mask that grins"
    assert np.abs(np.diff(smiles, axis=1)).mean() * 25 < 4 * smiles.std(axis=1).mean(), "nor one that flickers"


def test_brows_that_rise_stay_up_for_a_moment(spoken):
    raised = [end - start for brow in spoken[..., INNER] for start, end in runs_of(brow > 0.4, 1)]
    assert len(raised) > 20
    assert 0.4 < np.median(raised) / 25 < 0.9


def test_faces_differ_in_how_much_they_smile(spoken):
    means = spoken[..., SMILES].mean(axis=(1, 2))
    assert means.max() > 1.4 * means.min()
    assert (np.abs(np.diff(spoken[..., SMILES].mean(axis=1))) > 0.003).mean() > 0.5, "one side more than the other"


def test_the_upper_lip_goes_with_the_smile(spoken):
    assert np.mean([np.corrcoef(face[:, SMILES[0]], face[:, UPPER])[0, 1] for face in spoken]) > 0.45


def test_a_smile_opens_no_lips_that_a_sound_closes(spoken):
    shut = spoken[..., CLOSE] > 0.99 * np.maximum(spoken[..., JAW], 0.02)
    assert shut.sum() > 100
    assert spoken[..., UPPER][shut].max() < 0.05


def test_a_smile_bares_no_gums_while_it_speaks(spoken):
    assert spoken[..., UPPER].max() < 0.61
    assert np.percentile(spoken[..., UPPER], 99) > 0.35


def test_a_silent_smile_shows_no_teeth():
    rows = lives(range(SEEDS), silence(6), Control("listening"))
    assert rows[..., SMILES].max() > 0.3
    assert rows[..., UPPER].max() < 0.02 and rows[..., JAW].max() < 0.02


def melody(end):
    """A voice of even loudness, 2 s long, that goes up at its end by so many semitones."""
    time = np.arange(int(2 * RATE)) / RATE
    semitones = end * np.clip((time - 1.6) / 0.3, 0, 1)
    phase = 2 * np.pi * np.cumsum(130 * 2 ** (semitones / 12)) / RATE
    voice = sum(0.1 / k * np.sin(k * phase) for k in range(1, 12)) * np.clip(np.minimum(time, 2 - time) / 0.03, 0, 1)
    return np.concatenate([silence(0.48), voice.astype(np.float32), silence(2.0)])


def test_brows_stay_up_at_a_question():
    asked, said = (lives(range(SEEDS), melody(end), Control("speaking"), face=still)[..., INNER] for end in (8, -4))
    after = slice(int(2.7 * 25), int(3.2 * 25))
    assert asked[:, after].mean() > said[:, after].mean() + 0.1


def test_a_blink_ends_what_brows_are_raised(speech):
    """They stand lower after a blink than before it, most where they were up, and do not come back at once."""
    rows = lives(range(SEEDS), speech, Control("speaking"))
    brows, lids = rows[..., INNER], rows[..., INDEX["eyeBlinkLeft"]]
    shut = (lids[:, 25:-12] > 0.9) & (lids[:, 24:-13] < 0.9) & (brows[:, 22:-15] > 0.35)
    before = [brows[face, at + 22] for face, at in zip(*np.nonzero(shut), strict=True)]
    after = [brows[face, at + 31] for face, at in zip(*np.nonzero(shut), strict=True)]
    assert len(before) > 15
    assert np.mean(after) < 0.5 * np.mean(before)


def test_brows_rise_in_a_voice_without_stress_or_melody():
    time = np.arange(int(8 * RATE)) / RATE
    drone = sum(0.1 / k * np.sin(2 * np.pi * 130 * k * time) for k in range(1, 12)).astype(np.float32)
    drone = np.concatenate([silence(0.48), drone])
    brows = lives(range(SEEDS), drone, Control("speaking"), face=still)[..., INNER]
    assert (brows.max(axis=1) > 0.3).sum() >= 3, "about half of the faces do so within eight seconds"


def test_lips_are_pressed_after_phrases_and_not_in_them(speech):
    rows = lives(range(SEEDS), speech, Control("speaking"), face=still)
    talking = np.convolve(np.abs(speech).reshape(-1, 960).max(axis=1) > 0.01, np.ones(25), "same")[None] > 20
    pressed = rows[..., PRESS] > 0.15
    assert pressed.sum() > 20
    assert (pressed & talking).sum() < 0.1 * pressed.sum()


def test_a_mood_shows_in_what_passes_over_the_face(speech):
    tender, angry, calm = (
        lives(range(6), speech[: 8 * RATE], Control("speaking", emotion, 0.3), face=still)[:, 50:]
        for emotion in ("tender", "angry", "neutral")
    )
    smiles, brows = (lambda rows: rows[..., SMILES].mean()), (lambda rows: rows[..., INNER].mean())
    assert smiles(angry) < 0.8 * smiles(calm) < smiles(tender)
    assert brows(angry) < 0.9 * brows(calm)


def mouth(speech, emotion):
    """(6, frames, 64) when the mood has been taken on. Smiles that pass are in it, which differ from face to face."""
    return lives(range(6), speech[: 8 * RATE], Control("speaking", emotion))[:, 75:]


def test_a_mood_is_a_way_to_speak(speech):
    """Not an offset: the range of what the sound does to the mouth changes."""
    calm, happy, sad, angry = (mouth(speech, emotion) for emotion in ("neutral", "happy", "sad", "angry"))

    def reach(rows, name):
        return (rows[..., INDEX[name]].std(axis=1) / calm[..., INDEX[name]].std(axis=1)).mean()

    assert reach(sad, "jawOpen") < 0.85 and reach(sad, "mouthLowerDownLeft") < 0.9
    assert reach(angry, "mouthLowerDownLeft") > 1.2 and reach(angry, "jawOpen") > 1.05
    assert reach(angry, "mouthStretchLeft") > 1.4 and reach(sad, "mouthStretchLeft") < 0.7
    assert reach(angry, "mouthPucker") < 0.9, "lips are square"
    assert reach(happy, "mouthPucker") < 0.95 and reach(happy, "jawOpen") > 1.02
    for rows in (happy, sad, angry):
        shut = calm[..., CLOSE] > 0.99 * np.maximum(calm[..., JAW], 0.02)
        assert (rows[shut][:, CLOSE] > 0.95 * rows[shut][:, JAW]).all()
