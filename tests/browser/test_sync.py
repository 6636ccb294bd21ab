"""Picture and sound as they leave a real browser: `companion bench sync`."""

import asyncio

import pytest

from companion.bench.syncing.sync import NETWORKS, interruption, measure
from companion.config import load

pytestmark = pytest.mark.browser

MOST_OFFSET = 45.0  # ms: past this, ITU-R BT.1359 says, viewers notice
MEASURED_S = 12.0  # s: time for one interruption at least


def test_picture_and_sound_are_together_over_a_network_that_delays() -> None:
    config = load("fakes")
    stop = asyncio.run(interruption(config))
    found = asyncio.run(measure(config, stop, NETWORKS["wifi"], MEASURED_S))
    assert found["errors"] == []
    assert found["frames"] > 100
    late, silent = found["late_ms"]["p50"], found["silent_ms"]["p50"]
    assert late is not None and abs(late) <= MOST_OFFSET
    assert found["interruptions"] >= 1
    assert silent is not None and silent < 1000, "or nobody obeyed: its user speaks for longer"
