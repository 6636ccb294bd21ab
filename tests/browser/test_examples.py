"""The examples as their readers run them: pages of another host, which the server lets in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.axe import violations
from tests.browser.chromium import complaints, run_js
from tests.browser.conftest import served
from tests.browser.page import PATIENCE
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "clients" / "examples"
QUESTION = '{"question": "Which planet is the largest?", "choices": ["Mars", "Jupiter"], "answer": "Jupiter"}'
CONFIG = """
extends = "fakes"
[server]
allowed_origins = ["{origin}"]
[llm]
use = "companion.stages.fakes:{llm}"
replies = ["Jupiter is indeed the largest."]
"""
CALLER = f"name = 'ask_question'\narguments = '{QUESTION}'"


class Site:
    """Another host with the examples, and two servers that let it in: the ``tutor``'s language model calls a tool."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.origin, self.folder = origin, folder
        self._companions: list[Companion] = []
        self.server = self._companion("ScriptedLLM")
        self.tutor = self._companion("ScriptedCaller", CALLER)
        for name in ("plain", "frame"):
            self._add(name, self.server)
        self._add("tutor", self.tutor)
        if not (EXAMPLES / "react" / "dist").is_dir():
            raise RuntimeError("the React example is not built: make web")
        shutil.copytree(EXAMPLES / "react" / "dist", folder / "react")

    def _companion(self, llm: str, more: str = "") -> Companion:
        config = self.folder / f"{llm}.toml"
        config.write_text(CONFIG.format(origin=self.origin, llm=llm) + more)
        self._companions.append(Companion(str(config), self.folder / "log.txt"))
        return self._companions[-1]

    def _add(self, name: str, companion: Companion) -> None:
        shutil.copytree(EXAMPLES / name, self.folder / name)
        for file in (*(self.folder / name).glob("*.html"), *(self.folder / name).glob("*.js")):
            file.write_text(file.read_text().replace("127.0.0.1:8765", f"127.0.0.1:{companion.port}"))

    def stop(self) -> None:
        for companion in self._companions:
            companion.stop()


@pytest.fixture(scope="module")
def site(shared_chromium: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with served(folder) as origin:
        site = Site(folder, origin)
        yield site
        shared_chromium.get("about:blank")  # a page that stayed would complain to later tests that its server went away
        site.stop()


class Example:
    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self.browser = browser
        browser.get(address)
        self.wait(self.is_alive, "the face")

    def __getitem__(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def part(self, selector: str, face: str = "vasari-avatar") -> WebElement:
        return self[face].shadow_root.find_element(By.CSS_SELECTOR, selector)

    def is_alive(self) -> bool:
        every = "return [...document.querySelectorAll('vasari-avatar')].every((face) => face.stats?.().drawn > 0)"
        return run_js(self.browser, every)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        WebDriverWait(self.browser, PATIENCE, 0.05).until(lambda _: condition(), f"waited for {what}")


def test_two_faces_in_a_plain_page_are_talked_to_one_at_a_time(browser: webdriver.Chrome, site: Site) -> None:
    example = Example(browser, f"{site.origin}/plain/")
    example["#welcome"].click()
    example.wait(lambda: "welcome" in example.part(".captions").text, "the caption")
    assert example.part(".captions").text.startswith("Good evening")
    example["[data-emotion=happy]"].click()
    assert example["#guide"].get_attribute("emotion") == "happy"
    example.part(".talk", "#guide").click()
    example.wait(lambda: example.part(".talk", "#guide").text == "Mic on", "the guide to listen")
    small = example.part(".talk", "#guard")
    assert example["#guard"].rect["width"] == 96
    assert 24 <= small.rect["width"] <= 36
    small.click()
    example.wait(lambda: small.get_attribute("aria-pressed") == "true", "the guard to listen")
    assert example.part(".talk", "#guide").text == "Talk"
    small.click()
    assert violations(browser) == []
    assert complaints(browser) == []


def test_a_tutor_asks_by_a_tool_and_goes_on_when_it_is_answered(browser: webdriver.Chrome, site: Site) -> None:
    example = Example(browser, f"{site.origin}/tutor/")
    example.part(".line").send_keys("Hello!", Keys.ENTER)
    example.wait(lambda: "largest" in example["#question"].text, "the question")
    assert [button.text for button in browser.find_elements(By.CSS_SELECTOR, "#choices button")] == ["Mars", "Jupiter"]
    assert violations(browser) == []
    browser.find_elements(By.CSS_SELECTOR, "#choices button")[1].click()
    assert example["#score"].text == "1 of 1 right."
    example.wait(lambda: "indeed the largest" in example.part(".captions").text, "the tutor to go on")
    assert complaints(browser) == []


def test_a_server_that_calls_no_tools_says_so_and_shows_the_face_all_the_same(
    browser: webdriver.Chrome, site: Site
) -> None:
    quiz = (site.folder / "tutor" / "index.html").read_text()
    page = quiz.replace(f"127.0.0.1:{site.tutor.port}", f"127.0.0.1:{site.server.port}")
    (site.folder / "tutor" / "without.html").write_text(page)
    example = Example(browser, f"{site.origin}/tutor/without.html")
    example.wait(lambda: "cannot call functions" in example.part(".notice").text, "the reason")
    assert complaints(browser) == []


def test_a_page_leads_the_face_in_its_frame(browser: webdriver.Chrome, site: Site) -> None:
    browser.get(f"{site.origin}/frame/")
    wait = WebDriverWait(browser, PATIENCE, 0.05)
    browser.switch_to.frame(0)
    wait.until(lambda _: run_js(browser, "return document.querySelector('vasari-avatar').stats?.().drawn > 0"))
    browser.switch_to.default_content()
    browser.find_element(By.CSS_SELECTOR, "form button").click()
    answer = browser.find_element(By.ID, "answer")
    wait.until(lambda _: answer.text.endswith("Jupiter is indeed the largest."), "the answer")
    assert complaints(browser) == []
    assert violations(browser) == []
    browser.switch_to.frame(0)
    try:
        assert violations(browser) == []
    finally:
        browser.switch_to.default_content()
        browser.get_log("browser")  # axe tries to reach the frames of other hosts


def test_the_built_react_page_shows_what_is_said(browser: webdriver.Chrome, site: Site) -> None:
    server = f"ws://127.0.0.1:{site.server.port}/v1/realtime"
    example = Example(browser, f"{site.origin}/react/?server={server}")
    example["section button"].click()
    example.wait(lambda: "indeed the largest" in example["section ol"].text, "the answer")
    assert "What do you like to talk about?" in example["section ol"].text
    example["input[name=mood]:not(:checked)"].click()
    assert example["vasari-avatar"].get_attribute("emotion") == "happy"
    example.wait(
        lambda: run_js(browser, "return document.querySelector('vasari-avatar').stats().audio_peak > 0.05"), "sound"
    )
    assert violations(browser) == []
    assert complaints(browser) == []
