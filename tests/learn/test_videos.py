import shutil

import numpy as np
import pytest

from animator.export import replay, write
from animator.learn.clips.shards import files, load
from animator.learn.clips.videos import convert
from animator.live import Animator
from animator.media.files import MediaError, Mp4Writer
from animator.motion.behaviour.channels import CHANNELS
from animator.motion.rows.space import GAZE_LEFT_YAW, GAZE_RIGHT_YAW, HEAD_YAW, INDEX, SIZE
from animator.portrait.characters import find
from animator.render import Renderer
from animator.units import FPS, RATE

FRAMES = 2 * FPS
TOLD = np.arange(FRAMES) / FPS


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A face that opens its mouth in time with its sound, turns its head and blinks once; and two useless videos."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "someone" / "talk").mkdir(parents=True)
    portrait = Animator(256).prepare(find("mona_lisa").picture)
    motion = np.zeros((FRAMES, SIZE), np.float32)
    motion[:, INDEX["jawOpen"]] = 0.25 * (1 - np.cos(2 * np.pi * 2 * TOLD))
    motion[:, HEAD_YAW] = 6 * np.sin(2 * np.pi * 0.5 * TOLD)
    motion[:, [GAZE_LEFT_YAW, GAZE_RIGHT_YAW]] = motion[:, HEAD_YAW, None]
    for side in ("Left", "Right"):
        motion[30:33, INDEX[f"eyeBlink{side}"]] = 1.0
    seconds = np.arange(2 * RATE) / RATE
    sound = 0.15 * (1 - np.cos(2 * np.pi * 2 * seconds)) * np.sin(2 * np.pi * 180 * seconds)
    write(replay(Renderer(portrait), motion, sound.astype(np.float32)), 256, folder / "someone" / "talk" / "1.mp4")
    with Mp4Writer(folder / "empty.mp4", 128, 128) as writer:
        writer.write(np.full((FRAMES, 128, 128, 3), 90, np.uint8), sound.astype(np.float32))
    (folder / "broken.mp4").write_bytes(b"nothing")
    return folder


@pytest.mark.model
def test_a_tracked_video_says_what_the_face_did(videos, tmp_path):
    made = convert(videos, tmp_path, 0.0, lambda *done: None)
    assert made.clips == 1
    assert {video.name: reason for video, reason in made.skipped}.keys() == {"empty.mp4", "broken.mp4"}
    assert all(len(reason) > 20 for _, reason in made.skipped)
    shard = load(files(tmp_path)[0])
    assert shard.source == "video" and not shard.held and abs(len(shard) - FRAMES) <= 1
    motion, when = shard.motion.astype(np.float32), TOLD[: len(shard)]
    found = dict(zip(CHANNELS, motion.T, strict=True))
    assert np.corrcoef(found["speech.jawOpen"], 1 - np.cos(4 * np.pi * when))[0, 1] > 0.9
    np.testing.assert_allclose(found["yaw"], 6 * np.sin(np.pi * when), atol=2.5)
    assert found["blink"][30:33].max() > 0.8 > 0.35 > np.delete(found["blink"], range(27, 36)).max()
    level = shard.power.reshape(len(shard), -1).mean(axis=1, dtype=np.float32)
    assert np.corrcoef(level, found["speech.jawOpen"])[0, 1] > 0.5  # sound and picture are still together
    assert not shard.known[CHANNELS.index("mouthSmileLeft")] and shard.known[CHANNELS.index("browInnerUp")]


def test_videos_that_are_done_are_not_tracked_again(tmp_path, shards):
    videos, out = tmp_path / "videos", tmp_path / "out"
    (videos / "someone").mkdir(parents=True)
    out.mkdir()
    (videos / "someone" / "talk.mp4").write_bytes(b"could not be read")
    shutil.copy(files(shards)[0], out / "video-someone-talk.npz")
    made = convert(videos, out, 0.0, lambda *done: None)
    assert made.clips == 1 and not made.skipped


def test_a_folder_without_videos_is_named(tmp_path):
    with pytest.raises(MediaError, match="has no videos"):
        convert(tmp_path, tmp_path / "out", 0.0, lambda *done: None)
