"""The page with the real server and scripted stages, in a real Chromium."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import (
    text_to_be_present_in_element,
    visibility_of_element_located,
)
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chromium import complaints, run_js
from tests.browser.page import PATIENCE, Page, before_page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

MOST_OFFSET = 45.0  # ms: past this, ITU-R BT.1359 says, viewers notice


@pytest.fixture
def page(browser: webdriver.Chrome, fakes: Companion) -> Page:
    return Page(browser, fakes.url)


def test_the_face_lives_before_anyone_speaks(page: Page) -> None:
    seen = {page.picture()}
    page.wait(lambda: len(seen | {page.picture()}) > 1 or seen.add(page.picture()), "another picture")
    assert page.stats()["codec"] == "h264"
    assert page.stats()["state"] == "idle"
    assert page["status"].text == "Connected"
    assert page["title"].text
    assert page.at_centre("face")[0] == "face"
    assert complaints(page.browser) == []


def test_a_written_line_is_answered_in_sound_picture_and_words(page: Page) -> None:
    page.type("Hello, face.")
    page.until_state("speaking")
    page.wait(lambda: page.stats()["audio_peak"] > 0.05, "sound")
    page.until_state("idle")
    stats = page.stats()
    assert abs(stats["av_offset_ms"]) <= MOST_OFFSET
    assert stats["drawn"] > 25
    assert page.said("user") == ["Hello, face."]
    spoken = page.events("response.output_audio_transcript.done")[0]["transcript"]
    assert page.said("assistant") == [spoken]
    assert complaints(page.browser) == []


def test_escape_stops_the_answer_at_once(page: Page) -> None:
    page.type("Tell me a long story.")
    page.wait(lambda: page.stats()["heard"]["ms"] > 300, "some of the answer to be heard")
    page["text"].send_keys(Keys.ESCAPE)
    page.wait(lambda: page.events("conversation.item.truncated"), "the server to know")
    heard = page.stats()["heard"]["ms"]
    page.until_state("idle")
    drawn = page.stats()["drawn"]
    page.wait(lambda: page.stats()["drawn"] > drawn + 20, "the face to live on")
    assert page.stats()["heard"]["ms"] == pytest.approx(heard, abs=60)
    assert page.stats()["buffered_ms"] == 0
    truncated = page.events("conversation.item.truncated")[0]
    assert truncated["audio_end_ms"] == pytest.approx(heard, abs=150)
    assert page.said("assistant")[0].endswith("…")
    assert complaints(page.browser) == []


def test_a_picture_that_is_none_is_refused_in_the_servers_words(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"this is no picture")
    page["file"].send_keys(str(broken))
    page.wait(lambda: page["upload-problem"].is_displayed(), "the error")
    assert "picture" in page["upload-problem"].text
    assert page.stats()["status"] == "open"
    assert complaints(page.browser, "/v1/portraits") == []


def test_ones_own_picture_becomes_the_face(page: Page, tmp_path: Path) -> None:
    data = io.BytesIO()
    Image.new("RGB", (300, 300), (180, 140, 120)).save(data, "PNG")
    (tmp_path / "me.png").write_bytes(data.getvalue())
    page["file"].send_keys(str(tmp_path / "me.png"))
    page.wait(lambda: page["title"].text == "Your picture", "the picture to be chosen")
    page.wait(lambda: page.events("session.updated"), "the server to agree")
    assert page.events("session.updated")[-1]["session"]["avatar"]["character"].startswith("upload_")
    page.wait(lambda: page["face"].get_attribute("alive") is not None, "the new face")
    assert not page["upload-problem"].is_displayed()
    assert complaints(page.browser) == []


def test_another_face_can_be_chosen_by_keyboard(page: Page) -> None:
    first = page["title"].text
    page.browser.find_element(By.CSS_SELECTOR, "#cards input").send_keys(Keys.ARROW_DOWN)
    page.wait(lambda: page["title"].text != first, "the other face's label")
    page.wait(lambda: page.events("session.updated"), "the server to agree")
    page.wait(lambda: page["face"].get_attribute("alive") is not None, "the other face")


def test_without_a_video_decoder_pictures_come_as_jpeg(browser: webdriver.Chrome, fakes: Companion) -> None:
    with before_page(browser, "delete window.VideoDecoder"):
        page = Page(browser, fakes.url)
        page.wait(lambda: page.stats()["codec"] == "jpeg" and page.stats()["drawn"] > 20, "JPEG pictures")
    assert complaints(browser) == []


@pytest.mark.parametrize("width", [320, 390, 768])
def test_everything_is_in_reach_on_small_screens(page: Page, width: int) -> None:
    metrics = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for name in ("talk", "text", "mute", "open-sitters", "face"):
            box = page[name].rect
            assert box["width"] >= 40, name
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= width, name
            assert box["y"] + box["height"] <= 700, name
        page["open-sitters"].click()
        page.wait(lambda: page["own"].is_displayed(), "the sheet of faces")
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_server_may_go_and_come_back(browser: webdriver.Chrome, tmp_path: Path) -> None:
    companion = Companion("fakes", tmp_path / "log.txt")
    try:
        page = Page(browser, companion.url)
        companion.stop()
        page.wait(lambda: page["away"].is_displayed(), "the message")
        assert "away" in page.at_centre("face")
        assert page["away-title"].text == "The server is away"
        page["text"].send_keys("Are you there?", Keys.ENTER)
        assert "Not sent" in page["toast"].text
        assert page["text"].get_attribute("value") == "Are you there?"
        companion.start()
        page.wait(lambda: page.stats()["status"] == "open" and not page["away"].is_displayed(), "the server")
        page.wait(lambda: page["face"].get_attribute("alive") is not None, "the face")
        page["text"].send_keys(Keys.ENTER)
        page.until_state("speaking")
    finally:
        companion.stop()
    complaints(browser)


def test_a_server_with_a_key_is_opened_with_it(browser: webdriver.Chrome, tmp_path: Path) -> None:
    companion = Companion("fakes", tmp_path / "log.txt", key="open-sesame")
    try:
        browser.get(companion.url)
        wait = WebDriverWait(browser, PATIENCE)
        field = wait.until(visibility_of_element_located((By.ID, "key")))
        field.send_keys("wrong", Keys.ENTER)
        wait.until(text_to_be_present_in_element((By.ID, "away"), "does not fit"))
        field.clear()
        field.send_keys("open-sesame", Keys.ENTER)
        wait.until(lambda _: run_js(browser, "return window.vasari.stats().drawn > 0"))
    finally:
        companion.stop()
    complaints(browser)


def test_talk_explains_itself_first_and_what_to_do_when_refused(
    chromium: Callable[..., webdriver.Chrome], fakes: Companion
) -> None:
    page = Page(chromium(ask=True), fakes.url)

    def permit(setting: str) -> None:
        permission = {"permission": {"name": "microphone"}, "setting": setting, "origin": fakes.url.rstrip("/")}
        page.browser.execute_cdp_cmd("Browser.setPermission", permission)

    permit("prompt")
    page["talk"].click()
    page.wait(lambda: page["ask"].is_displayed(), "the explanation")
    assert re.search(r"127\.0\.0\.1:\d+", page["ask"].text)
    page["ask"].find_element(By.CSS_SELECTOR, "[value=no]").click()
    assert page["talk"].get_attribute("aria-pressed") == "false"
    permit("denied")
    page["talk"].click()
    page.wait(lambda: page["refused"].is_displayed(), "the advice")
    assert "choose Allow" in page["refused"].text
    assert not page.stats()["listening"]
