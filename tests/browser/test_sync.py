"""Picture and sound as they leave a real browser: `companion bench sync`, and the face as a stream."""

import asyncio

import pytest
from selenium import webdriver

from companion.bench.syncing.sync import NETWORKS, interruption, measure
from companion.config import load
from tests.browser.chromium import complaints, run_js
from tests.browser.page import Page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

MOST_OFFSET = 45.0  # ms: past this, ITU-R BT.1359 says, viewers notice
ENOUGH = 0.9  # share of the pictures
MEASURED_S = 12.0  # s: time for one interruption at least


def test_picture_and_sound_are_together_over_a_network_that_delays() -> None:
    config = load("fakes")
    stop = asyncio.run(interruption(config))
    found = asyncio.run(measure(config, stop, NETWORKS["wifi"], MEASURED_S))
    assert found["errors"] == []
    late, silent = found["late_ms"]["p50"], found["silent_ms"]["p50"]
    assert late is not None, "claps were seen and heard"
    if found["frames"] > ENOUGH * 25 * MEASURED_S:  # else the machine is too busy to draw in time
        assert abs(late) <= MOST_OFFSET
    assert found["interruptions"] >= 1
    assert silent is not None and silent < 1000, "or nobody obeyed: its user speaks for longer"


@pytest.fixture
def page(browser: webdriver.Chrome, fakes: Companion) -> Page:
    return Page(browser, fakes.url)


SAMPLE = """
    // Whether another picture comes within the time, and how loud it is at most.
    const face = document.querySelector("vasari-avatar");
    const video = document.createElement("video");
    Object.assign(video, { srcObject: face.stream, muted: true });
    const context = new AudioContext();
    const meter = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(face.stream).connect(meter);
    await video.play();
    const values = new Float32Array(2048);
    let shown = 0, peak = 0, last = -1;
    const count = () => {
        shown += 1;
        video.requestVideoFrameCallback(count);
    };
    video.requestVideoFrameCallback(count);
    for (let i = 0; i < 75; i++) {
        await new Promise((next) => setTimeout(next, 20));
        meter.getFloatTimeDomainData(values);
        peak = Math.max(peak, ...values.map(Math.abs));
    }
    await context.close();
    return [shown, peak, video.videoWidth];
"""


def test_the_face_is_a_stream_with_picture_and_voice(page: Page) -> None:
    page.type("Hello, face.")
    page.wait(lambda: page.stats()["heard"]["ms"] > 100, "the answer to be heard")
    shown, peak, width = run_js(page.browser, SAMPLE)
    assert shown > 3
    assert peak > 0.05
    assert width == 256
    assert complaints(page.browser) == []
