"""A soak that is long enough to see that it measures."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from companion.__main__ import app
from companion.bench.soak import _drift
from companion.call.recording import Recording


def test_it_prints_one_line_of_figures(tmp_path):
    config = tmp_path / "quick.toml"
    config.write_text('extends = "fakes"\n\n[face]\nsize = 64\n')
    result = CliRunner().invoke(app, ["bench", "soak", "--minutes", "0.15", "--sessions", "2", "--config", str(config)])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.output.splitlines()[-1])
    assert list(figures) == ["minutes", "sessions", "drift_ms_per_min", "dropped_frames", "rss_growth_mb", "cancel_ms"]
    assert (figures["minutes"], figures["sessions"]) == (0.15, 2)
    assert 0 <= figures["cancel_ms"]["p95"] < 5000


@pytest.mark.parametrize("late_ms_per_min", [0.0, 12.0, -3.0])
def test_drift_is_how_much_later_frames_come_each_minute(late_ms_per_min):
    place = np.arange(3000) / 25
    arrived = 1000 + place * (1 + late_ms_per_min / 60_000) + np.random.default_rng(0).uniform(0, 0.01, len(place))
    recording = Recording(frame_pts=list(1000 * place), frame_times=list(arrived))
    assert _drift(recording) == pytest.approx(late_ms_per_min, abs=0.5)
