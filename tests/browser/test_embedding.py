"""The face in somebody else's page, by the two lines that docs/guides/embed.md gives."""

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chromium import run_js
from tests.browser.page import PATIENCE
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><link rel="icon" href="data:,">
<script type="module" src="{url}vasari.js"></script>
<vasari-avatar src="{socket}v1/realtime" persona="tutor" controls></vasari-avatar>
"""


def test_two_lines_put_the_face_and_a_talk_button_into_a_page_of_another_host(
    browser: webdriver.Chrome, elsewhere: tuple[str, Path], tmp_path: Path
) -> None:
    origin, folder = elsewhere
    config = tmp_path / "embedded.toml"
    config.write_text(f'extends = "fakes"\n[server]\nallowed_origins = ["{origin}"]\n')
    companion = Companion(str(config), tmp_path / "log.txt")
    try:
        socket = companion.url.replace("http", "ws", 1)
        (folder / "index.html").write_text(PAGE.format(url=companion.url, socket=socket))
        browser.get(origin)
        wait = WebDriverWait(browser, PATIENCE, 0.05)
        wait.until(lambda _: stats(browser).get("drawn", 0) > 5)
        root = browser.find_element(By.TAG_NAME, "vasari-avatar").shadow_root
        talk = root.find_element(By.CSS_SELECTOR, ".talk")
        assert talk.text == "Talk"
        talk.click()
        wait.until(lambda _: stats(browser)["listening"] and talk.text == "Mic on")
        talk.click()
        wait.until(lambda _: not stats(browser)["listening"])
        companion.stop()
        wait.until(lambda _: "does not answer" in root.find_element(By.CSS_SELECTOR, ".notice[role=status]").text)
    finally:
        browser.get("about:blank")
        companion.stop()
    browser.get_log("browser")


def test_a_page_that_may_not_connect_says_what_its_owner_can_do(
    browser: webdriver.Chrome, elsewhere: tuple[str, Path], fakes: Companion
) -> None:
    origin, folder = elsewhere
    (folder / "index.html").write_text(PAGE.format(url=fakes.url, socket=fakes.url.replace("http", "ws", 1)))
    browser.get(origin)
    try:
        root = browser.find_element(By.TAG_NAME, "vasari-avatar").shadow_root
        line = root.find_element(By.CSS_SELECTOR, ".notice[role=status]")
        told = f'allowed_origins = ["{origin}"]'
        WebDriverWait(browser, PATIENCE, 0.05).until(lambda _: told in line.text)
        assert not root.find_element(By.CSS_SELECTOR, ".talk").is_enabled()
    finally:
        browser.get("about:blank")
    browser.get_log("browser")


def stats(browser: webdriver.Chrome) -> dict:
    return run_js(browser, "return document.querySelector('vasari-avatar').stats?.() ?? {}")
