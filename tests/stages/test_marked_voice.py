"""Whatever a voice says carries a mark that nobody hears and programs find."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from animator.__main__ import app
from animator.marks.spoken import FOUND, Perth, heard
from animator.media.files import Mp4Writer
from companion.models import locate
from companion.stages.fakes import ToneTTS
from companion.stages.protocols import SPEAK_RATE, Abilities, missing
from companion.stages.tts import Hibari
from companion.stages.tts.marked_voice import MarkedVoice

SAID = "The sea is wide and mostly blue, and it keeps its secrets well."


@pytest.fixture(scope="module")
def perth() -> Perth:
    return Perth(locate.resolve("perth"))


@pytest.fixture(scope="module")
def voice() -> Hibari:
    return Hibari(second="")


async def spoken(voice) -> tuple[np.ndarray, tuple]:
    pieces = [piece async for piece in voice.speak(SAID)]
    return np.concatenate([piece.audio for piece in pieces]), pieces[0].words


async def test_speech_is_marked_and_otherwise_the_same(perth: Perth, voice: Hibari, tmp_path: Path) -> None:
    marked = MarkedVoice(voice)
    (plain, words), (sound, timed) = await spoken(voice), await spoken(marked)
    assert sound.shape == plain.shape and timed == words and marked.abilities == voice.abilities
    assert perth.found(plain) < FOUND < 0.9 < perth.found(sound)
    added = sound - plain
    assert 0.01 < (added**2).mean() / (plain**2).mean() < 0.05
    spectrum = np.abs(np.fft.rfft(added)) ** 2
    assert spectrum[np.fft.rfftfreq(len(added), 1 / SPEAK_RATE) > 2100].sum() < 0.01 * spectrum.sum()
    assert perth.found((await spoken(marked.at_pace(1.2).with_voice("robin")))[0]) > 0.9
    with Mp4Writer(tmp_path / "said.mp4", 64, 64) as writer:
        writer.write(np.zeros((len(sound) // 960, 64, 64, 3), np.uint8), sound)
    found = json.loads(CliRunner().invoke(app, ["inspect", "--json", str(tmp_path / "said.mp4")]).output)
    assert found["speech"] > 0.9, "also after AAC"


async def test_short_pieces_and_silence_can_be_marked(perth: Perth, voice: Hibari) -> None:
    sound, _ = await spoken(voice)
    pieces = [perth.mark(sound[start : start + 4000]) for start in range(0, len(sound), 4000)]
    assert perth.found(np.concatenate(pieces)) > FOUND, "of a voice that comes in pieces of a sixth of a second"
    assert not perth.mark(np.zeros(2400, np.float32)).any() and perth.mark(np.zeros(0, np.float32)).shape == (0,)
    assert np.abs(perth.mark(np.sign(np.sin(np.arange(24_000) / 9)).astype(np.float32))).max() <= 1
    assert len(perth.mark(np.ones(1, np.float32))) == 1


async def test_a_voice_of_ones_own_is_marked_too() -> None:
    assert [piece async for piece in MarkedVoice(ToneTTS()).speak("Hello.")]


def test_noise_is_not_taken_for_marked_speech(perth: Perth) -> None:
    noise = np.random.default_rng(0)
    for sound in (noise.normal(0, 0.1, 4 * SPEAK_RATE), np.zeros(100)):
        assert heard(perth, sound.astype(np.float32)) < FOUND


def test_a_file_of_weights_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"model": Evil()}))
    (tmp_path / "evil.pth.tar").write_bytes(content.getvalue())
    with pytest.raises(ValueError, match="no place in a file of weights"):
        Perth(tmp_path / "evil.pth.tar")


def test_a_marked_voice_does_all_that_its_voice_can() -> None:
    class Able(ToneTTS):
        abilities = Abilities(voices=("alto",), pronounces=True, paced=True, switches=True, closes=True)

    assert missing(MarkedVoice(Able())) == []
