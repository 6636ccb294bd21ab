"""What the page lets a visitor see and decide: memory with consent, and who helps."""

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser.chromium import complaints, run_js
from tests.browser.page import Page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def keeping(shared_chromium, tmp_path_factory):
    """A server with scripted stages and a real memory, which keeps recordings."""
    folder = tmp_path_factory.mktemp("keeping")
    config = folder / "keeping.toml"
    memory = f'[memory]\nuse = "companion.memory:LongTerm"\nurl = "{folder / "memories.sqlite"}"\nmodel_notes = false\n'
    config.write_text(f'extends = "fakes"\n{memory}[recording]\nfolder = "{folder / "films"}"\n')
    companion = Companion(str(config), Path(folder) / "log.txt")
    yield companion
    shared_chromium.get("about:blank")  # a page that stayed would complain to later tests that its server went away
    companion.stop()


@pytest.fixture
def films(keeping: Companion) -> Path:
    return keeping.log.parent / "films"


@pytest.fixture
def page(browser: webdriver.Chrome, keeping: Companion) -> Page:
    return Page(browser, keeping.url)


def say(page: Page, line: str) -> None:
    before = len(page.events("response.done"))
    page.type(line)
    page.wait(lambda: len(page.events("response.done")) > before, "the answer")


def memories(page: Page) -> list[str]:
    rows = page.browser.find_elements(By.CSS_SELECTOR, "#memory li input")
    return [row.get_attribute("value") for row in rows]


def test_nothing_is_kept_until_the_visitor_agrees_and_everything_can_be_deleted(page: Page) -> None:
    say(page, "I live in Lyon.")
    page["open-memory"].click()
    page.wait(lambda: "Nothing yet." in page["memory"].text, "the empty list")
    page.browser.find_element(By.CSS_SELECTOR, "#memory .switch input").click()
    page.browser.find_element(By.CSS_SELECTOR, "#memory .primary").click()
    page.wait(lambda: any(e["session"]["memory"] for e in page.events("session.updated")), "the consent")
    say(page, "My dog is called Rex.")
    page["open-memory"].click()
    page.wait(lambda: memories(page) == ["My dog is called Rex."], "what is remembered")
    run_js(
        page.browser,
        """
        const field = document.querySelector("#memory li input");
        field.value = "My dog is called Max.";
        field.dispatchEvent(new Event("change"));
        """,
    )
    page.browser.find_element(By.CSS_SELECTOR, "#memory .primary").click()
    page.browser.refresh()
    again = Page(page.browser, page.browser.current_url)
    again["open-memory"].click()
    again.wait(lambda: memories(again) == ["My dog is called Max."], "the correction")
    assert page.browser.find_element(By.CSS_SELECTOR, "#memory .switch input").is_selected()
    run_js(again.browser, "window.confirm = () => true; document.querySelector('#memory [value=forget]').click();")
    again.wait(lambda: "Nothing yet." in again["memory"].text, "nothing")
    assert not again.browser.find_element(By.CSS_SELECTOR, "#memory .switch input").is_selected()
    assert complaints(again.browser) == []


def test_a_conversation_is_recorded_while_the_visitor_agrees_and_deleted_when_they_say_so(
    page: Page, films: Path
) -> None:
    def rows() -> list[str]:
        return run_js(
            page.browser, "return [...document.querySelectorAll('#recordings li')].map((row) => row.textContent)"
        )

    def badge() -> str:
        return run_js(page.browser, "return vasari.face.shadowRoot.querySelector('.recorded span').textContent")

    def press(name: str) -> None:
        run_js(page.browser, f"document.querySelector('#recordings li button[aria-label^={name}]').click()")

    page["open-memory"].click()
    page.wait(lambda: page["recordings"].is_displayed(), "the switch")
    assert badge() == "" and not list(films.iterdir())
    page.browser.find_element(By.CSS_SELECTOR, "#recordings input").click()
    page.wait(lambda: badge() == "Recording", "the badge")
    page.wait(lambda: rows() and "still being recorded" in rows()[0], "the recording")
    page.browser.find_element(By.CSS_SELECTOR, "#memory .primary").click()
    say(page, "Hello")
    page["open-memory"].click()
    page.browser.find_element(By.CSS_SELECTOR, "#recordings input").click()
    page.wait(lambda: badge() == "", "the badge to go")
    page.wait(lambda: rows() and "Video" in rows()[0], "what was recorded")
    (film,) = films.glob("*.mp4")
    assert not film.name.endswith(".growing.mp4")
    press("Delete")
    page.wait(lambda: not rows() and not list(films.iterdir()), "nothing")
    page.browser.find_element(By.CSS_SELECTOR, "#recordings input").click()
    page.wait(lambda: list(films.glob("*.users.json")), "another recording")
    run_js(page.browser, "window.confirm = () => true; document.querySelector('#memory [value=forget]').click();")
    page.wait(lambda: badge() == "" and not list(films.iterdir()), "nothing again")
    assert not page.browser.find_element(By.CSS_SELECTOR, "#recordings input").is_selected()
    assert complaints(page.browser) == []


def test_who_may_be_in_danger_is_shown_who_helps(page: Page) -> None:
    assert "is an AI" in page["disclosure"].text
    assert not page["care"].is_displayed()
    page.type("I want to kill myself.")
    page.wait(lambda: page["care"].is_displayed(), "who helps")
    assert "findahelpline.com" in page["care"].text
    assert "check these numbers" in page["care"].text
    ways = page.browser.find_elements(By.CSS_SELECTOR, "#care a[href^='tel:']")
    assert ways
    assert all(way.get_attribute("href").removeprefix("tel:").removeprefix("+").isdigit() for way in ways)
    page.browser.find_element(By.CSS_SELECTOR, "#care button").click()
    assert not page["care"].is_displayed()
    page.browser.find_element(By.CSS_SELECTOR, "#care-offer button").click()
    assert page["care"].is_displayed()
    assert complaints(page.browser) == []


def test_where_nobody_may_be_in_danger_help_is_only_offered(page: Page) -> None:
    page.type("In the song he sings I want to die.")
    page.wait(lambda: page["care-offer"].is_displayed(), "the offer")
    assert not page["care"].is_displayed()
    page.browser.find_element(By.CSS_SELECTOR, "#care-offer button").click()
    assert "findahelpline.com" in page["care"].text
    assert complaints(page.browser) == []


def test_it_is_said_of_every_personality_that_it_is_an_ai(page: Page) -> None:
    Select(page["persona"]).select_by_visible_text("Mr. Hale")
    page.wait(lambda: page["disclosure"].text.startswith("Mr. Hale is an AI"), "his disclosure")
