"""Faces of one process share what they load, and nothing of what they do."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from animator.control import Control
from animator.motion.generator import Generator
from animator.motion.voice.mouth_net import MODEL, session_of


def test_faces_that_speak_at_the_same_time_do_not_disturb_each_other(speech):
    sounds = [speech[start : start + 24000] for start in (0, 24000, 48000)]
    alone = [Generator(seed).step(sound, Control("speaking")) for seed, sound in enumerate(sounds)]
    faces = [Generator(seed) for seed in range(3)]
    frames = [sound.reshape(-1, 960) for sound in sounds]
    with ThreadPoolExecutor(3) as pool:
        together = list(
            pool.map(lambda face, own: [face.step(frame, Control("speaking"))[0] for frame in own], faces, frames)
        )
    np.testing.assert_array_equal(np.array(together), np.array(alone))


def test_a_network_is_opened_once_and_anew_when_its_file_changes(tmp_path: Path):
    copy = Path(shutil.copyfile(MODEL, tmp_path / "mouth.onnx"))
    first = session_of(copy)
    assert session_of(copy) is first
    copy.write_bytes(MODEL.read_bytes())
    assert session_of(copy) is not first
