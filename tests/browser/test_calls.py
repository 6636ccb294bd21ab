"""A visitor speaks to the face over WebRTC, which the browser plays and keeps in step by itself."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver

from tests.browser.chromium import complaints, run_js
from tests.browser.page import Page, before_page
from tests.browser.served import Companion
from tests.browser.test_speaking import recording, voice

pytestmark = pytest.mark.browser

KEPT = """
window.calls = [];
const Kind = RTCPeerConnection;
window.RTCPeerConnection = class extends Kind {
    constructor(...given) { super(...given); window.calls.push(this); }
};
"""
SOUND = """
const report = await window.calls.at(-1).getStats();
return [...report.values()].find(({ type, kind }) => type === "inbound-rtp" && kind === "audio")?.totalAudioEnergy ?? 0;
"""


def test_a_call_is_a_conversation_like_any_other(
    chromium: Callable[..., webdriver.Chrome], fakes: Companion, tmp_path: Path
) -> None:
    browser = chromium(recording(tmp_path / "microphone.wav", 1.0, voice(1.5), 2.5))
    with before_page(browser, KEPT):
        page = Page(browser, f"{fakes.url}?transport=webrtc")
    assert page.stats()["codec"] == "vp8"
    page["talk"].click()
    page.wait(lambda: page.stats()["listening"], "the microphone")
    page.until_state("speaking")
    page.wait(lambda: page.stats()["heard"]["ms"] > 200, "the answer to be heard")
    page.wait(lambda: run_js(browser, SOUND) > 0.001, "its sound")
    assert page.said("user")[0]
    assert page.said("assistant")[0]
    shown = page.picture()
    page.wait(lambda: page.picture() != shown, "the face to move")
    page.wait(lambda: page.events("output_audio_buffer.cleared"), "the interruption")
    page.wait(lambda: page.events("conversation.item.truncated"), "the history to be cut")
    page.wait(lambda: len(page.said("assistant")) > 1, "the answer to the second question")
    run_js(browser, "window.vasari.face.disconnect()")
    page.wait(lambda: sessions(fakes) == 0, "the place to be free")
    assert complaints(browser) == []


def sessions(server: Companion) -> int:
    with urllib.request.urlopen(f"{server.url}health") as answer:
        return json.load(answer)["sessions"]
