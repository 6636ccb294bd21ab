"""What `companion bench hearing` counts, with a recogniser that follows a script."""

import asyncio
import json
import wave

import numpy as np
import pytest
from typer.testing import CliRunner

from companion.__main__ import app
from companion.bench import word_errors
from companion.bench.word_errors import CONDITIONS, Said, Score, distance, measure, words
from companion.stages.fakes import ScriptedASR
from companion.stages.protocols import HEAR_RATE, Transcript

TONE = (0.3 * np.sin(2 * np.pi * 300 * np.arange(2 * HEAR_RATE) / HEAR_RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("One two three.", "one, two three", 0), ("one two", "one", 1), ("one", "one two", 1),
        ("one two", "two one", 2),
        ("a b c d", "a x c", 2), ("", "noise", 1),
        ("twenty one", "21", 0), ("don’t go", "don't go", 0), ("Straße", "STRASSE", 1),
    ],
)  # fmt: skip
def test_errors_are_the_fewest_edits_of_words(said: str, heard: str, errors: int):
    assert distance(words(said), words(heard)) == errors


def test_languages_without_spaces_are_compared_by_their_characters():
    assert words("今日は、いい天気。", "ja") == list("今日はいい天気")


def test_what_is_missed_invented_or_another_language_is_counted():
    score = Score()
    for text, language in (("", "en"), ("one two", "cy"), ("mae " * 9, "en"), ("one two", "en")):
        score.add(Said("x", TONE, "One two.", "en"), Transcript(text, language))
    assert (score.turns, score.words, score.errors) == (4, 8, 2 + 9)
    assert (score.missed, score.foreign, score.invented) == (1, 1, 1)


def test_each_recording_is_heard_under_each_condition():
    asr = ScriptedASR(["one two"])
    scores = asyncio.run(measure(asr, [Said("x", TONE, "one two", "en", "adults"), Said("y", TONE, "one three", "en")]))
    assert set(scores) == {"", "adults"} and set(scores[""]) == set(CONDITIONS)
    assert {name: score.rate for name, score in scores[""].items()} == dict.fromkeys(CONDITIONS, 0.25)
    assert all(score.rate == 0 for score in scores["adults"].values())


def test_a_quiet_microphone_is_quiet_and_noise_is_as_loud_as_it_says():
    rng = np.random.default_rng(1)
    assert 20 * np.log10(np.sqrt(np.mean(CONDITIONS["quiet"](TONE, rng) ** 2))) == pytest.approx(-35, abs=0.5)
    noise = CONDITIONS["noisy"](TONE, rng) - word_errors.levelled(TONE, word_errors.SPEECH_DB)
    assert 20 * np.log10(np.sqrt(np.mean(noise**2))) == pytest.approx(-32, abs=0.5)


def test_the_command_reads_a_list_and_ends_in_json(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, HEAR_RATE, 0, "NONE", ""))
        file.writeframes((TONE * 32767).astype("<i2").tobytes())
    listed = tmp_path / "said.csv"
    listed.write_text("file,text\na.wav,Hello who are you\n")
    result = CliRunner().invoke(app, ["bench", "hearing", str(listed), "--config", "fakes"])
    figures = json.loads(result.output.splitlines()[-1])
    assert figures["turns"] == 1 and figures["word_error_rate"]["all"]["as recorded"] == 0.0
    listed.write_text("file,text\nnone.wav,Hello\n")
    assert "none.wav cannot be read" in " ".join(
        CliRunner().invoke(app, ["bench", "hearing", str(listed)]).output.split()
    )
    listed.write_text("name\nx\n")
    assert "no column" in complaint(listed)


def complaint(listed) -> str:
    return " ".join(CliRunner().invoke(app, ["bench", "hearing", str(listed)]).output.split())
