"""Which portrait says what, and minutes of conversation."""

import json
from io import StringIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from animator.evaluate.report import clips_table
from animator.evaluate.soak import soak
from animator.evaluate.suite import errors, means, pairs, read_saying, together
from animator.live import Animator
from animator.media.files import MediaError
from animator.portrait.characters import find
from animator.portrait.portrait import load


def sound(path: Path) -> None:
    with av.open(path, "w") as out:
        stream = out.add_stream("pcm_s16le", rate=24_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2400), np.int16), "s16", "mono")
        frame.sample_rate = 24_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")
    for name in ("one", "two"):
        sound(tmp_path / f"{name}.wav")
    (tmp_path / "one.json").write_text(json.dumps([["p", 0.1, 0.2], ["ɑ", 0.2, 0.3]]))
    return tmp_path


def test_every_picture_says_every_sound_or_all_have_their_turn(folder: Path) -> None:
    assert len(pairs(folder)) == 6
    few = pairs(folder, 3)
    assert [picture.stem for picture, _ in few] == ["a", "b", "c"]
    assert {saying.name for _, saying in few} == {"one", "two"}


def test_phonemes_lie_beside_their_sound(folder: Path) -> None:
    assert read_saying(folder / "one.wav").phonemes == (("p", 0.1, 0.2), ("ɑ", 0.2, 0.3))
    assert read_saying(folder / "two.wav").phonemes == ()
    (folder / "two.json").write_text('{"p": 3}')
    with pytest.raises(MediaError, match="IPA, start, end"):
        read_saying(folder / "two.wav")


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no pictures"):
        pairs(tmp_path)
    with pytest.raises(MediaError, match="There is no folder"):
        pairs(tmp_path / "nowhere")


def test_means_are_of_the_clips_that_know_a_figure() -> None:
    mean = means([{"sync": 0.4, "head_bands": [0.2, 0.4]}, {"sync": None, "head_bands": [0.4, 0.2]}, {"sync": 0.6}])
    assert mean["sync"] == pytest.approx(0.5)
    assert mean["head_bands"] == pytest.approx([0.3, 0.3])


def test_a_suite_is_as_far_from_people_as_its_means() -> None:
    one, other = ({"head_bands": bands, "head_bands_off": 0.1} for bands in
                  ([0.31, 0.15, 0.31, 0.18, 0.05], [0.11, 0.35, 0.31, 0.18, 0.05]))  # fmt: skip
    assert together([one, other])["head_bands_off"] == pytest.approx(0)
    assert together([{"smile_sd": 0.1}, {"smile_sd": 0.354}])["distance"] == pytest.approx(0, abs=0.01)


def test_the_error_of_a_mean_is_that_of_the_clips_that_know_a_figure() -> None:
    found = errors([{"sync": 0.4, "teeth": 0.1, "head_bands": [0.2]}, {"sync": 0.6, "teeth": None}, {"sync": 0.5}])
    assert found == pytest.approx({"sync": 0.1 / np.sqrt(3)})


def test_a_conversation_neither_drifts_nor_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animator.evaluate.soak.DRAWN_SECONDS", 2.0)
    figures = soak(Animator(128, seed=1), load(find("mona_lisa").picture, 128), 0.3)
    assert figures["minutes"] == pytest.approx(0.3, abs=0.01)
    assert figures["drift_opening"] < 0.03
    assert figures["head_jumps"] == 0
    assert figures["end_picture_jumps"] == 0
    assert 0 < figures["head_change_speaking"] < 1


def test_the_figures_of_many_clips_can_be_read_in_a_narrow_terminal():
    clips = {"mona_lisa Claire_neutral": {"sync": 0.44, "offset_ms": -131.2, "blinks_per_minute": 21.0}}
    console = Console(width=80, file=StringIO(), color_system=None)
    console.print(clips_table(clips))
    text = console.file.getvalue()
    assert all(part in text for part in ("mona_lisa", "Claire_neutral", "p b m", "0.44", "-131", "21"))
    assert "…" not in text
