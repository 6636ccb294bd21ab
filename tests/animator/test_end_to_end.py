"""A whole conversation with the real models, judged from outside: by its sound and by a tracked face."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from animator.evaluate import evaluate
from animator.media.files import Mp4Writer, read_audio
from animator.units import RATE
from companion.call.talk import talk
from companion.stages.asr import FasterWhisper
from companion.stages.protocols import HEAR_RATE
from companion.stages.tts import Hibari

pytestmark = pytest.mark.model
QUESTION = "Hello! What do you like to do on a rainy Sunday?"


def word_errors(said: str, heard: str) -> float:
    """Edits from ``said`` to ``heard`` over the number of words said."""
    a, b = (re.findall(r"[a-z0-9']+", text.lower()) for text in (said, heard))
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        before, row = row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1] / max(1, len(a))


async def say(text: str) -> np.ndarray:
    return np.concatenate([piece.audio async for piece in Hibari().speak(text)])


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("talk")
    audio = asyncio.run(say(QUESTION))
    with Mp4Writer(folder / "question.mp4", 16, 16) as writer:
        writer.write(np.zeros((len(audio) * 25 // RATE, 16, 16, 3), np.uint8), audio)
    small = folder / "small.toml"  # a small face leaves a busy machine time to think
    small.write_text('extends = "default"\n[face]\nsize = 256\n[portraits]\nsize = 256\n')
    app = typer.Typer()
    app.command()(talk)
    out = folder / "session.mp4"
    arguments = ["--wav", str(folder / "question.mp4"), "--out", str(out), "--config", str(small)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), out


def test_the_question_is_understood_and_answered(session: tuple[dict[str, Any], Path]) -> None:
    (turn,) = session[0]["turns"]
    assert word_errors(QUESTION, turn["user"]) < 0.25
    assert len(turn["assistant"].split()) >= 3
    assert 0 < turn["ms"]["transcript"] <= turn["ms"]["first_token"]
    assert turn["ms"]["transcript"] <= turn["ms"]["first_audio"], (
        "an opener may be heard before the model's first token"
    )


def test_what_is_heard_is_what_was_answered(session: tuple[dict[str, Any], Path]) -> None:
    sound = read_audio(session[1], HEAR_RATE)
    spoken = np.flatnonzero(np.abs(sound) > 0.01)
    sound = sound[max(0, spoken[0] - HEAR_RATE // 4) : spoken[-1] + HEAR_RATE // 4]
    heard = asyncio.run(FasterWhisper().transcribe(sound))
    assert word_errors(session[0]["turns"][0]["assistant"], heard.text) < 0.25


def test_the_mouth_moves_with_the_voice_and_rests_without(session: tuple[dict[str, Any], Path]) -> None:
    figures = evaluate(session[1])
    assert figures["frames_without_face"] == 0
    assert figures["sync"] > 0.3
    assert abs(figures["offset_ms"]) <= 60
    assert figures["pause_mad"] < 0.03
    assert figures["pause_opening"] < 0.04, "in silence the lips are closed, as in the picture"
