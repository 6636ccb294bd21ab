"""Microphones and loudspeakers that come and go, in a real Chromium with its fake devices."""

import time

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser.axe import violations
from tests.browser.chromium import complaints, run_js
from tests.browser.page import Page, before_page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

SWAP_S = 2.0  # the longest that a conversation may be without a microphone

# What the page asked for, and devices that can be taken away.
SPY = """
    window.tracks = []; window.sinks = []; window.away = new Set();
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (constraints) => {
        const wanted = constraints.audio.deviceId?.exact;
        if (away.has(wanted)) throw new DOMException("", "OverconstrainedError");
        const stream = await open(constraints);
        tracks.push(stream.getAudioTracks()[0]);
        return stream;
    };
    const list = mediaDevices.enumerateDevices.bind(mediaDevices);
    mediaDevices.enumerateDevices = async () => (await list()).filter(({ deviceId }) => !away.has(deviceId));
    const choose = AudioContext.prototype.setSinkId;
    AudioContext.prototype.setSinkId = function (id) { sinks.push(id); return choose.call(this, id); };
    window.change = () => mediaDevices.dispatchEvent(new Event("devicechange"));
    window.device = () => tracks.at(-1).getSettings().deviceId;
"""


@pytest.fixture
def page(browser: webdriver.Chrome, fakes: Companion):
    browser.get_log("browser")  # of the page before
    with before_page(browser, SPY):
        page = Page(browser, fakes.url)
        page["talk"].click()
        page.wait(lambda: page.stats()["listening"], "the microphone")
        yield page
        run_js(browser, "localStorage.clear()")
    assert complaints(browser) == []


def microphones(page: Page) -> list[str]:
    listed = "return (await window.vasari.face.devices()).microphones.map(({ deviceId }) => deviceId)"
    return [name for name in run_js(page.browser, listed) if name not in ("default", "communications")]


def device(page: Page) -> str:
    return run_js(page.browser, "return window.device()")


def sound_after(page: Page, script: str) -> float:
    """Seconds from ``script`` until a microphone that lives is heard again."""
    return run_js(
        page.browser,
        """
        const before = tracks.length, begun = performance.now();
        eval(args[0]);
        const face = window.vasari.face;
        while (tracks.length === before || tracks.at(-1).readyState !== "live" || !face.level) {
            if (performance.now() - begun > 20000) throw new Error("no other microphone");
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return (performance.now() - begun) / 1000;
        """,
        script,
    )


UNPLUGGED = "tracks.at(-1).stop(); tracks.at(-1).dispatchEvent(new Event('ended'))"
SILENT = """
    const track = tracks.at(-1);
    Object.defineProperty(track, "muted", { value: true });
    track.dispatchEvent(new Event("mute"));
"""


@pytest.mark.parametrize("goes", [UNPLUGGED, SILENT], ids=["unplugged", "silent"])
def test_a_microphone_that_goes_away_is_followed_by_another(page: Page, goes: str) -> None:
    assert sound_after(page, goes) < SWAP_S
    assert page.stats()["listening"]


def test_the_chosen_microphone_is_used_while_it_is_there(page: Page) -> None:
    first, second = microphones(page)[:2]
    page["sound"].click()
    dialog = page["face"].shadow_root.find_element(By.CSS_SELECTOR, "dialog")
    Select(dialog.find_element(By.NAME, "microphone")).select_by_value(second)
    page.wait(lambda: device(page) == second, "the chosen one")
    assert violations(page.browser) == []
    dialog.find_element(By.CSS_SELECTOR, ".primary").click()
    assert sound_after(page, f"away.add('{second}'); change()") < SWAP_S
    assert device(page) != second
    assert sound_after(page, f"away.delete('{second}'); change()") < SWAP_S
    assert device(page) == second
    page.browser.refresh()
    assert Page(page.browser, page.browser.current_url)["face"].get_property("microphone") == second


def test_the_chosen_loudspeaker_is_used_while_it_is_there(page: Page) -> None:
    sinks = "return window.sinks"
    speaker = run_js(page.browser, "return (await window.vasari.face.devices()).loudspeakers.at(-1).deviceId")
    run_js(page.browser, "window.vasari.face.loudspeaker = args[0]", speaker)
    assert run_js(page.browser, sinks) == [speaker]
    for script, used in ((f"away.add('{speaker}')", ""), (f"away.delete('{speaker}')", speaker)):
        run_js(page.browser, f"{script}; change()")
        page.wait(lambda used=used: run_js(page.browser, sinks)[-1] == used, "the loudspeaker")


def test_with_push_to_talk_only_what_is_said_while_the_button_is_held_is_heard(page: Page) -> None:
    run_js(page.browser, "window.vasari.face.pushToTalk = true")
    page.wait(lambda: page.events("session.updated")[-1:] != [], "the server to agree")
    assert page["talk"].text == "Hold to talk"
    heard = len(page.events("input_audio_buffer.committed"))
    ActionChains(page.browser).click_and_hold(page["talk"]).perform()
    assert page["talk"].get_attribute("aria-pressed") == "true"
    time.sleep(0.6)
    ActionChains(page.browser).release().perform()
    page.wait(lambda: len(page.events("input_audio_buffer.committed")) == heard + 1, "the turn")
    page.wait(lambda: page.events("response.created"), "the answer")
    assert page["talk"].text == "Hold to talk"
    assert page.events("error") == []


@pytest.mark.parametrize(
    ("name", "message", "sentence"),
    [
        ("NotAllowedError", "Permission denied", "allow it by the symbol left of the address"),
        ("NotAllowedError", "Permission dismissed", "choose Allow"),
        ("NotAllowedError", "Permission denied by system", "privacy settings"),
        ("NotFoundError", "", "plug one in"),
        ("NotReadableError", "", "Another program"),
        ("TypeError", "", "reload the page"),
    ],
)
def test_each_refusal_of_the_microphone_is_one_plain_sentence(
    browser: webdriver.Chrome, static_url: str, name: str, message: str, sentence: str
) -> None:
    browser.get(f"{static_url}/icon.svg")
    told = run_js(
        browser,
        """
        const { refusalOf } = await import("/element/errors.js");
        return refusalOf(Object.assign(new Error(args[1]), { name: args[0] }), true).message;
        """,
        name,
        message,
    )
    assert sentence in told
    assert told.count(". ") == 0 and told.endswith(".")


def test_contexts_that_a_call_suspended_come_back_with_the_next_gesture(
    browser: webdriver.Chrome, fakes: Companion
) -> None:
    spy = """
        window.contexts = [];
        const made = (context) => contexts.push(context);
        window.AudioContext = class extends AudioContext { constructor(...args) { super(...args); made(this); } };
    """
    with before_page(browser, spy):
        page = Page(browser, fakes.url)
        page["talk"].click()
        page.wait(lambda: page.stats()["listening"] and page.stats()["audio_running"], "the microphone")
        states = "return contexts.map(({ state }) => state)"
        run_js(browser, "await Promise.all(contexts.map((context) => context.suspend()))")
        assert run_js(browser, states) == ["suspended", "suspended"]
        page["title"].click()
        page.wait(lambda: run_js(browser, states) == ["running", "running"], "both to run")
