"""A conversation that has to wait: for a network that is cut, for a laptop that is asleep."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

from tests.browser.chromium import complaints
from tests.browser.page import Page
from tests.browser.served import Between, Companion

pytestmark = pytest.mark.browser

log = logging.getLogger(__name__)

ANSWERS = (
    "Hello! I am a stand-in without a mind, but I can show how this works. Ask me something else.",
    "The sea is wide and mostly blue. It keeps its secrets well, and it is never quite the same twice.",
    "You are welcome. It was a pleasure to hum for you.",
)
BACK_S = 15.0  # s within which the face moves again; the longest pause between two attempts is 9.6 s


SENT_IN_VAIN = pytest.mark.xfail(
    strict=True, reason="what was sent to its end over a dead line, before the server knew, is not said again"
)


@contextmanager
def asleep(browser: webdriver.Chrome) -> Iterator[None]:
    """All processes of the browser stand still."""
    sleepers = [int(pid) for pid in _below(browser.service.process.pid)]
    for pid in sleepers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in sleepers:
            os.kill(pid, signal.SIGCONT)


def _below(parent: int) -> list[int]:
    files = Path(f"/proc/{parent}/task").glob("*/children")
    children = [int(pid) for file in files for pid in file.read_text().split()]
    return children + [pid for child in children for pid in _below(child)]


def whole(said: list[str]) -> bool:
    """Whether the pieces are an answer: one that broke off within a word says this word again."""
    parts = [piece.removesuffix("…").split() for piece in said]
    joined = [" ".join(word for part in parts for word in part)]
    if len(parts) == 2:
        joined.append(" ".join([*parts[0][:-1], *parts[1]]))
    return any(one in ANSWERS for one in joined)


@pytest.mark.parametrize(
    ("sleeps", "seconds"),
    [
        (True, 3.0),
        pytest.param(False, 10.0, marks=pytest.mark.long),
        pytest.param(False, 120.0, marks=[pytest.mark.long, SENT_IN_VAIN]),
        pytest.param(True, 120.0, marks=pytest.mark.long),
    ],
)
def test_a_conversation_goes_on_after_a_wait(
    browser: webdriver.Chrome, fakes: Companion, sleeps: bool, seconds: float
) -> None:
    """The network is away in mid-sentence, and with it the browser if it ``sleeps``: the sentence is said to its end,
    once, and the face moves again."""
    network = Between(fakes.port)
    try:
        page = Page(browser, network.url)
        page.type("Hello, face.")
        page.wait(lambda: page.stats()["heard"]["ms"] > 900, "some of the answer")
        network.cut()
        if sleeps:
            with asleep(browser):
                time.sleep(seconds)
        else:
            time.sleep(seconds)
        begun = time.monotonic()
        network.mend()
        drawn = page.stats()["drawn"]
        page.wait(lambda: page.stats()["status"] == "open" and page.stats()["drawn"] not in (0, drawn), "the face")
        back = time.monotonic() - begun
        log.info("the face moved again %.2f s after the network was back", back)
        assert back < BACK_S
        page.wait(lambda: whole(page.said("assistant")), "the rest of the answer")
        page.until_state("idle")
        created = page.events("session.created")
        assert len(created) <= 1, "it came back at the first attempt"
    finally:
        network.stop()
        browser.get("about:blank")
    complaints(browser)
