from dataclasses import replace

import numpy as np
import pytest

from animator.learn.clips.shards import Shard, files, load, save
from animator.media.files import MediaError
from animator.media.mel import MELS
from animator.motion.behaviour.channels import CHANNELS


def shard(frames=30):
    random = np.random.default_rng(1)
    power = random.uniform(-8, -2, (frames * 4, MELS)).astype(np.float16)
    return Shard(
        power, power[::-1].copy(), random.random((frames, len(CHANNELS))).astype(np.float16),
        np.ones(len(CHANNELS), np.bool_), np.full(frames, 3, np.uint8), np.full(frames, 2, np.uint8),
        np.ones(frames, np.float16), np.zeros((frames, 2), np.float16), np.ones(frames, np.float16), True, "heart",
    )  # fmt: skip


def test_a_shard_comes_back_as_it_was(tmp_path):
    written = shard()
    save(tmp_path / "one.npz", written)
    read = load(files(tmp_path)[0])
    assert len(read) == 30 and read.held is True and read.source == "heart"
    for name in ("power", "other", "motion", "known", "state", "emotion", "strength", "gaze", "distance"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), strict=True)


@pytest.mark.parametrize("damage", [b"", b"no zip at all", None])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, damage):
    path = tmp_path / "broken.npz"
    save(path, shard())
    path.write_bytes(path.read_bytes()[:-3000] if damage is None else damage)
    with pytest.raises(MediaError, match=r"broken\.npz is not a clip of motion .* make it again"):
        load(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("motion", np.zeros((30, 3), np.float16)),
        ("power", np.full((120, MELS), np.nan, np.float16)),
        ("state", np.zeros(29, np.uint8)),
        ("emotion", np.full(30, 200, np.uint8)),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, field, value):
    save(tmp_path / "odd.npz", replace(shard(), **{field: value}))
    with pytest.raises(MediaError, match=r"odd\.npz"):
        load(tmp_path / "odd.npz")


def test_an_empty_folder_says_how_to_fill_it(tmp_path):
    with pytest.raises(MediaError, match="animator data dialogues"):
        files(tmp_path)
