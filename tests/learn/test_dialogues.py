import numpy as np
import pytest
from typer.testing import CliRunner

from animator.__main__ import app
from animator.control import EMOTIONS, STATES
from animator.learn.clips.clips import save
from animator.learn.clips.shards import files, load
from animator.learn.motion import dialogues
from animator.motion.behaviour.channels import CHANNELS, HEAD_AT, MOUTH_AT

from .speaking import clip

IDLE, LISTENING, THINKING, SPEAKING = range(4)
MINUTES = 3


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    for i, (source, voice) in enumerate((("heart", "a"), ("espeak", "b"), ("kokoro", "c"))):
        for held in (False, True):
            save(folder / f"{source}-{held}.npz", clip(source, voice, held, 110 + 25 * i))
    return folder


@pytest.fixture(scope="module")
def scenes(speech, tmp_path_factory):
    out = tmp_path_factory.mktemp("dialogues")
    assert dialogues.make(out, speech, MINUTES / 60, 5, lambda done: None) >= MINUTES / 60
    return [load(path) for path in files(out)]


def sounding(power):
    return power.reshape(-1, 256).max(axis=1) > -5


def rows(scenes, state, what):
    return np.concatenate([what(shard)[shard.state == state] for shard in scenes])


def test_every_state_occurs_and_sounds_as_it_should(scenes):
    own = {state: rows(scenes, state, lambda s: sounding(s.power)).mean() for state in range(len(STATES))}
    other = {state: rows(scenes, state, lambda s: sounding(s.other)).mean() for state in range(len(STATES))}
    assert own[SPEAKING] > 0.5 > 0.05 > own[LISTENING]
    assert other[LISTENING] > 0.5 > 0.1 > max(other[THINKING], other[SPEAKING])


def test_the_mouth_moves_with_the_own_voice_only(scenes):
    jaw = {s: rows(scenes, s, lambda shard: shard.motion[:, MOUTH_AT][:, 0]).mean() for s in (LISTENING, SPEAKING)}
    assert jaw[SPEAKING] > 0.08 > 0.005 > jaw[LISTENING]


def test_a_speaker_moves_more_than_a_listener_who_nods(scenes):
    def change(shard):
        return np.abs(np.diff(shard.motion[:, HEAD_AT][:, :3].astype(np.float32), axis=0, prepend=0))

    assert rows(scenes, SPEAKING, change).mean() > 1.5 * rows(scenes, LISTENING, change).mean() > 0.05


def test_moods_are_seen_in_the_face(scenes):
    smile = CHANNELS.index("mouthSmileLeft")
    happy = np.concatenate([s.motion[s.emotion == EMOTIONS.index("happy")] for s in scenes])[:, smile].mean()
    sad = np.concatenate([s.motion[s.emotion == EMOTIONS.index("sad")] for s in scenes])[:, smile].mean()
    assert happy > 0.2 > 0.1 > sad


def test_what_is_there_is_kept_and_the_rest_is_made_again_the_same(speech, tmp_path):
    seconds = 70 / 3600
    dialogues.make(tmp_path, speech, seconds, 5, lambda done: None)
    first, second = files(tmp_path)[:2]
    kept, made = first.stat().st_mtime_ns, load(second)
    second.unlink()
    dialogues.make(tmp_path, speech, seconds, 5, lambda done: None)
    assert first.stat().st_mtime_ns == kept
    np.testing.assert_array_equal(load(second).motion, made.motion)


def test_without_clips_the_command_says_how_to_make_them(tmp_path):
    said = CliRunner().invoke(app, ["data", "dialogues", str(tmp_path / "out"), "--speech", str(tmp_path)])
    assert said.exit_code == 1
    assert "animator data speech" in said.output.replace("\n", " ")
