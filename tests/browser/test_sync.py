"""Picture and sound as they leave a real browser: `companion bench sync`, and the face as a stream."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium import webdriver

from companion.bench.syncing.sync import NETWORKS, interruption, measure
from companion.config import load
from tests.browser.chromium import complaints, run_js
from tests.browser.page import Page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

MOST_OFFSET = 45.0  # ms: past this, ITU-R BT.1359 says, viewers notice
MOST_BEHIND = 450.0  # ms: the longest lead, and what has just come
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


@contextmanager
def hidden(page: Page) -> Iterator[None]:
    page.browser.minimize_window()
    try:
        page.wait(lambda: run_js(page.browser, "return document.hidden"), "the page to be hidden")
        yield
    finally:
        page.browser.set_window_rect(0, 0, 1280, 900)


def speak(page: Page) -> str:
    """A new answer -> its item, once some of it was heard."""
    before = page.stats()["heard"]["item"]
    run_js(page.browser, "document.querySelector('vasari-avatar').ask('And now?').catch(() => {})")
    page.wait(lambda: (now := page.stats()["heard"])["item"] != before and now["ms"] > 300, "the answer to be heard")
    return page.stats()["heard"]["item"]


@pytest.mark.parametrize("seconds", [1.0, pytest.param(600.0, marks=pytest.mark.long)])
def test_a_face_that_was_hidden_is_back_in_step(page: Page, seconds: float) -> None:
    """While nobody sees it, it is not drawn, and its voice goes on."""
    page.type("Hello, face.")  # a gesture: now there is sound
    page.wait(lambda: page.stats()["heard"]["ms"] > 300, "the answer to be heard")
    page.until_state("idle")
    with hidden(page):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            speak(page)
            drawn = page.stats()["drawn"]
            page.until_state("idle")
            assert page.stats()["drawn"] - drawn < 25, "what was under way may still be painted"
    page.wait(lambda: page.stats()["drawn"] > drawn + 25, "the face")
    speak(page)
    page.wait(lambda: page.stats()["behind_ms"] < MOST_BEHIND, "it to be as late as ever")
    page.until_state("idle")
    if seconds > 10:
        speak(page)
        page.until_state("idle")
        assert abs(page.stats()["av_offset_ms"]) <= MOST_OFFSET
    assert complaints(page.browser) == []


def test_a_stream_goes_on_while_the_page_is_hidden(page: Page) -> None:
    run_js(page.browser, "void document.querySelector('vasari-avatar').stream")
    with hidden(page):
        drawn = page.stats()["drawn"]
        page.wait(lambda: page.stats()["drawn"] > drawn + 10, "the face to be drawn")
    assert complaints(page.browser) == []
