"""Callers at a real server: what is measured, and what it means."""

import json

import numpy as np
import pytest
from scipy.io import wavfile
from typer.testing import CliRunner

from companion.__main__ import app
from companion.bench.crowd import Figures, good, knee
from companion.bench.sayings import spread_of
from companion.stages.protocols import SPEAK_RATE

REPLY = "The sea is wide and mostly blue, and it keeps its secrets well, and it is never quite the same twice."


def test_callers_speak_interrupt_and_go_away(tmp_path):
    config = tmp_path / "quick.toml"
    config.write_text(f'extends = "fakes"\n\n[face]\nsize = 64\n\n[llm]\nreplies = ["{REPLY}"]\n')
    # Not the tone that answers, which would be taken for the echo of itself.
    for name, seconds in (("ask", 1), ("stop", 2)):
        noise = np.random.default_rng(seconds).normal(0, 0.1, seconds * SPEAK_RATE)
        wavfile.write(tmp_path / f"{name}.wav", SPEAK_RATE, noise.astype(np.float32))
    sounds = ["--wav", str(tmp_path / "ask.wav"), "--stop", str(tmp_path / "stop.wav")]
    options = ["--sessions", "2", "--seconds", "5", "--config", str(config), *sounds]
    result = CliRunner().invoke(app, ["bench", "load", *options])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output.splitlines()[-1])
    assert list(found) == ["sessions"] and list(found["sessions"]) == ["2"]
    figures = found["sessions"]["2"]
    assert list(figures) == ["first_audio_ms", "barge_in_ms", "dropped_frames", "cpu_cores", "rss_mb"]
    assert 500 < figures["first_audio_ms"]["p50"] <= figures["first_audio_ms"]["p95"], "silence alone takes 0.5 s"
    assert 50 < figures["barge_in_ms"]["p95"] < 5000
    assert 0 < figures["cpu_cores"] < 64 and 50 < figures["rss_mb"] < 2000


def test_nobody_to_call_is_told():
    result = CliRunner().invoke(
        app, ["bench", "load", "--sessions", "1", "--config", "fakes", "--url", "http://127.0.0.1:9"]
    )
    assert result.exit_code == 1 and "127.0.0.1:9" in result.stderr


def figures(late: float | None, dropped: int = 0) -> Figures:
    spread = {"p50": late, "p95": late}
    return Figures(first_audio_ms=spread, barge_in_ms={"p95": None}, dropped_frames=dropped, cpu_cores=1.0, rss_mb=1)  # pyright: ignore


@pytest.mark.parametrize(
    ("found", "most"),
    [
        ({1: figures(900.0), 2: figures(1200.0), 4: figures(2500.0)}, 4),
        ({1: figures(900.0), 2: figures(2600.0), 4: figures(2400.0)}, 1),
        ({1: figures(900.0), 2: figures(1200.0, dropped=1)}, 1),
        ({1: figures(None)}, 0),
    ],
)
def test_the_knee_is_before_the_first_number_that_is_served_badly(found, most):
    assert knee(found) == most
    assert good(found[1]) is (most > 0)


def test_turns_that_were_not_answered_are_no_fast_ones():
    assert spread_of([1.0, 2.0, 3.0, np.inf]) == {"p50": 3.0, "p95": None}
    assert spread_of([1.0, 2.0, 3.0]) == {"p50": 2.0, "p95": 2.9}
    assert spread_of([]) == {"p50": None, "p95": None}
