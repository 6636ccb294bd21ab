"""The page with the real server and scripted stages, in a real Chromium."""

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import (
    text_to_be_present_in_element,
    visibility_of_element_located,
)
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from animator.portrait.finding.bending import layout
from tests.browser.axe import violations
from tests.browser.chromium import complaints, run_js
from tests.browser.page import PATIENCE, Page, before_page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

ANSWER = "Hello! I am a stand-in without a mind, but I can show how this works. Ask me something else."
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
    choose(page, str(broken))
    page.wait(lambda: page["upload-problem"].is_displayed(), "the error")
    assert "picture" in page["upload-problem"].text
    assert page.stats()["status"] == "open"
    assert complaints(page.browser, "/v1/portraits") == []


@pytest.fixture
def me(tmp_path: Path) -> str:
    """A picture in which the fakes find a face, in its middle."""
    Image.linear_gradient("L").resize((400, 300)).convert("RGB").save(tmp_path / "me.png")
    return str(tmp_path / "me.png")


def landmarks(page: Page) -> dict[str, list[float]]:
    """What the server has of the face that the session shows."""
    path = "/v1/portraits/" + page.events("session.updated")[-1]["session"]["avatar"]["character"] + "/landmarks"
    return run_js(page.browser, "return (await (await fetch(args[0])).json()).landmarks.points", path)


def point(page: Page, name: str) -> WebElement:
    return page["fitting"].find_element(By.CSS_SELECTOR, f"[data-name={name}]")


def choose(page: Page, file: str, ground: str = "self") -> None:
    """A file to be sent, and on what ground."""
    page["file"].send_keys(file)
    page.wait(lambda: page["whose"].is_displayed(), "the question who it is")
    page["whose"].find_element(By.CSS_SELECTOR, f"[value={ground}]").click()
    page["whose"].find_element(By.CSS_SELECTOR, "[value=yes]").click()


def fit(page: Page, file: str) -> None:
    choose(page, file)
    page.wait(lambda: page["fitting"].is_displayed(), "the face to be shown")


def press(page: Page, button: str) -> None:
    page["fitting"].find_element(By.CSS_SELECTOR, f"button[value={button}]").click()


def worn(page: Page) -> None:
    page.wait(lambda: not page["fitting"].is_displayed(), "the points to be accepted")
    page.wait(lambda: page.events("session.updated"), "the server to agree")
    assert page["title"].text == "Your picture"
    assert page.events("session.updated")[-1]["session"]["avatar"]["character"].startswith("upload_")


def test_ones_own_picture_becomes_the_face(page: Page, me: str) -> None:
    fit(page, me)
    assert page["fitting-title"].text == "Is this the face?"
    press(page, "use")
    worn(page)
    page.wait(lambda: page["face"].get_attribute("alive") is not None, "the new face")
    assert not page["upload-problem"].is_displayed()
    assert complaints(page.browser) == []


def test_who_is_in_a_picture_is_asked_before_it_is_sent(page: Page, me: str) -> None:
    """By keyboard alone, and of a picture that is dropped: it is not sent without an answer."""
    watch = "const sent = window.sent = []; const real = window.fetch;"
    watch += "window.fetch = (url, ...more) => (sent.push(String(url)), real(url, ...more));"
    run_js(page.browser, watch)
    drop(page, me)
    page.wait(lambda: page["whose"].is_displayed(), "the question who it is")
    assert violations(page.browser) == []
    press_keys(page, Keys.TAB, Keys.TAB, Keys.ENTER)  # to the buttons; none is chosen, and the last one sends
    assert page["whose"].is_displayed()
    press_keys(page, Keys.ESCAPE)
    page.wait(lambda: not page["whose"].is_displayed(), "the end")
    assert run_js(page.browser, "return window.sent") == []
    drop(page, me)
    page.wait(lambda: page["whose"].is_displayed(), "the question again")
    assert not page["whose"].find_elements(By.CSS_SELECTOR, ":checked")
    press_keys(page, Keys.SPACE, Keys.ARROW_DOWN, Keys.ENTER)  # on the choice, where the focus is
    page.wait(lambda: page["fitting"].is_displayed(), "the face to be shown")
    assert run_js(page.browser, "return window.sent") == ["v1/portraits?ground=agreed"]
    press(page, "cancel")
    assert complaints(page.browser) == []


FILMED = """
    const real = window.fetch, later = window.setTimeout, films = (window.films = []);
    const answer = (status, body) => new Response(JSON.stringify(body), { status });
    window.setTimeout = (work, ms) => later(work, ms === 6000 ? 400 : ms);
    window.fetch = async (url, options) => {
        if (String(url).endsWith("/presence")) {
            if (options.method === "POST") return answer(201, { say: `Sentence ${films.length}.`, seconds: 90 });
            films.push([options.body.type, options.body.size > 1000]);
            return films.length > 1 ? answer(200, {}) : answer(422, { error: { message: "Somebody else." } });
        }
        const sent = await real(url, options);
        return String(url).includes("portraits?") ? answer(sent.status, { ...(await sent.json()), waits: true }) : sent;
    };
"""


def test_where_its_person_must_be_seen_the_visitor_is_filmed(page: Page, me: str) -> None:
    run_js(page.browser, FILMED)
    fit(page, me)
    press(page, "use")
    page.wait(lambda: page["presence"].is_displayed(), "the camera")
    film = page["presence"].find_element(By.CSS_SELECTOR, "[value=film]")
    page.wait(film.is_enabled, "the camera's picture")
    assert "Sentence 0." in page["presence"].text and violations(page.browser) == []
    film.click()
    page.wait(lambda: "Sentence 1." in page["presence"].text, "another sentence")
    assert "Somebody else." in page["presence"].text
    page.wait(film.is_enabled, "the button")
    film.click()
    worn(page)
    assert run_js(page.browser, "return window.films") == [["video/webm", True]] * 2
    assert not run_js(page.browser, "return document.querySelector('#presence video').srcObject"), "the camera is off"
    assert complaints(page.browser) == []


@pytest.mark.parametrize("here", [False, True])
def test_a_face_that_was_withdrawn_leaves_the_page(page: Page, fakes: Companion, tmp_path: Path, here: bool) -> None:
    first = page["title"].text
    mine = tmp_path / "withdrawn.png"  # like no other test's: nobody may send it again
    Image.linear_gradient("L").resize((310 + here, 290)).convert("RGB").save(mine)
    fit(page, str(mine))
    press(page, "use")
    worn(page)
    upload = f"{fakes.url}v1/portraits/" + page.events("session.updated")[-1]["session"]["avatar"]["character"]
    if here:
        withdraw(page, sure=False)
        assert httpx.get(f"{upload}/landmarks", trust_env=False).status_code == 200
        withdraw(page, sure=True)
    else:
        assert httpx.delete(upload, trust_env=False).status_code == 204
    page.wait(lambda: page["title"].text == first, "the first face's label")
    page.wait(lambda: "withdrawn" in page["toast"].text, "the word of it")
    assert [card.text for card in page.browser.find_elements(By.CSS_SELECTOR, "#cards b")] == ["Dot", "Circle"]
    choose(page, str(mine))
    page.wait(lambda: page["upload-problem"].is_displayed(), "the refusal")
    assert page["upload-problem"].text == "This picture may not be used here."
    assert complaints(page.browser, "/v1/portraits") == []


def withdraw(page: Page, sure: bool) -> None:
    page["cards"].find_element(By.TAG_NAME, "button").click()
    question = page.browser.switch_to.alert
    assert "withdrawn.png" in question.text
    (question.accept if sure else question.dismiss)()


def drop(page: Page, file: str) -> None:
    """A file from the desktop onto the page."""
    script = """
        const bytes = Uint8Array.from(atob(args[0]), (c) => c.charCodeAt(0));
        const file = new File([bytes], "me.png", { type: "image/png" });
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(file);
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    """
    run_js(page.browser, script, base64.b64encode(Path(file).read_bytes()).decode())


def press_keys(page: Page, *keys: str) -> None:
    """Each on whatever has the focus then."""
    for key in keys:
        ActionChains(page.browser).send_keys(key).perform()


def test_a_visitor_says_that_the_face_is_a_cartoon(page: Page, me: str) -> None:
    fit(page, me)
    tick = page["fitting"].find_element(By.NAME, "drawn")
    assert not tick.is_selected()
    tick.click()
    press(page, "use")
    worn(page)
    path = "/v1/portraits/" + page.events("session.updated")[-1]["session"]["avatar"]["character"] + "/landmarks"
    answer = run_js(page.browser, "return await (await fetch(args[0])).json()", path)
    assert answer["drawn"] is True
    assert answer["landmarks"]["points"]["chin"] == pytest.approx(layout(400, 300).points["chin"], abs=0.1)
    assert complaints(page.browser) == []


def test_a_point_that_is_dragged_corrects_the_face(page: Page, me: str) -> None:
    fit(page, me)
    before = point(page, "mouth_left").rect
    ActionChains(page.browser).drag_and_drop_by_offset(point(page, "mouth_left"), 40, -25).perform()
    after = point(page, "mouth_left").rect
    assert (after["x"] - before["x"], after["y"] - before["y"]) == (pytest.approx(40, abs=3), pytest.approx(-25, abs=3))
    scale = run_js(page.browser, "return document.querySelector('.stage').getScreenCTM().a")
    point(page, "chin").send_keys(Keys.SHIFT, Keys.ARROW_DOWN)
    press(page, "use")
    worn(page)
    found = layout(400, 300).points
    given = landmarks(page)
    assert given["mouth_left"] == pytest.approx(
        [found["mouth_left"][0] + 40 / scale, found["mouth_left"][1] - 25 / scale], abs=1
    )
    assert given["chin"] == pytest.approx([found["chin"][0], found["chin"][1] + 10 / scale], abs=0.5)
    assert given["left_iris"] == pytest.approx(found["left_iris"], abs=0.1)
    assert complaints(page.browser) == []


def test_the_face_can_be_seen_closer_and_reset_and_left(page: Page, me: str) -> None:
    title = page["title"].text
    fit(page, me)
    eye = point(page, "left_iris").rect["x"] - point(page, "right_iris").rect["x"]
    page["fitting"].find_element(By.CSS_SELECTOR, "[name=part][value=eyes]").send_keys(Keys.SPACE)
    assert point(page, "left_iris").rect["x"] - point(page, "right_iris").rect["x"] > 1.4 * eye
    there = point(page, "left_iris").rect["x"]
    point(page, "left_iris").send_keys(Keys.ARROW_LEFT * 5)
    assert point(page, "left_iris").rect["x"] < there - 3
    assert "Left eye" in page["fitting"].find_element(By.TAG_NAME, "output").text
    press(page, "reset")
    assert point(page, "left_iris").rect["x"] == pytest.approx(there, abs=1)
    press(page, "cancel")
    page.wait(lambda: not page["fitting"].is_displayed(), "the end")
    assert page["title"].text == title and not page.events("session.updated")
    assert complaints(page.browser) == []


def test_another_of_several_faces_is_chosen(page: Page, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((200, 500)).convert("RGB").save(tmp_path / "two.png")
    fit(page, str(tmp_path / "two.png"))
    assert page["fitting-title"].text == "Which face?"
    (other,) = (face for face in page["fitting"].find_elements(By.CSS_SELECTOR, ".other") if face.is_displayed())
    ActionChains(page.browser).move_to_element_with_offset(other, 0, -20).click().perform()
    press(page, "use")
    worn(page)
    assert landmarks(page)["chin"] == pytest.approx(layout(200, 250).points["chin"], abs=0.1)
    assert complaints(page.browser) == []


def test_a_face_that_was_not_found_is_placed_and_the_rest_follows(page: Page, tmp_path: Path) -> None:
    Image.new("RGB", (500, 400), "tan").save(tmp_path / "wall.png")
    fit(page, str(tmp_path / "wall.png"))
    assert page["fitting-title"].text == "Where is the face?"
    ActionChains(page.browser).drag_and_drop_by_offset(point(page, "left_iris"), -30, 20).perform()
    scale = run_js(page.browser, "return document.querySelector('.stage').getScreenCTM().a")
    press(page, "use")
    worn(page)
    found, given = layout(500, 400).points, landmarks(page)
    for name in ("left_iris", "chin", "mouth_right"):
        x, y = found[name]
        assert given[name] == pytest.approx([x - 30 / scale, y + 20 / scale], abs=2)
    assert complaints(page.browser, "/v1/portraits") == []


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
        for name in ("talk", "text", "mute", "open-persona", "open-sitters", "open-memory-narrow", "face"):
            box = page[name].rect
            assert box["width"] >= 40, name
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= width, name
            assert box["y"] + box["height"] <= 700, name
        page["open-memory-narrow"].click()
        page.wait(lambda: page["memory"].is_displayed(), "what it remembers")
        page["memory"].find_element(By.CSS_SELECTOR, ".primary").click()
        page["open-persona"].click()
        page.wait(lambda: page["own"].is_displayed(), "the sheet of faces")
        page.wait(lambda: page.browser.switch_to.active_element == page["persona"], "the focus on them")
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_page_that_is_left_gives_its_place_back_and_one_that_comes_back_goes_on(
    browser: webdriver.Chrome, fakes: Companion
) -> None:
    for _ in range(5):  # of a server with four places
        page = Page(browser, fakes.url)
        browser.get("about:blank")
    browser.back()
    page.wait(lambda: page.stats()["status"] == "open" and page.stats()["drawn"] > 0, "the face to come back")


CHOOSE = """
const persona = document.getElementById("persona");
persona.value = args[0];
persona.dispatchEvent(new Event("change"));
"""


def test_a_voice_is_chosen_for_whoever_speaks_until_it_is_left_to_them_again(page: Page) -> None:
    """By keyboard, as any list."""

    def spoken() -> str:
        return page.events("session.updated")[-1]["session"]["audio"]["output"]["voice"]

    page.wait(lambda: page["voice"].is_displayed(), "the list")
    assert [option.text for option in page["voice"].find_elements(By.TAG_NAME, "option")] == [
        "As the personality has it",
        "Alto: a hum",
        "Bass: a hum",
    ]
    page["voice"].send_keys("Bass")
    page.wait(lambda: page.events("session.updated") and spoken() == "bass", "the voice")
    run_js(page.browser, CHOOSE, "tutor")
    page.wait(lambda: page.events("session.updated")[-1]["session"]["persona"] == "tutor", "the tutor")
    assert spoken() == page["voice"].get_attribute("value") == "bass"
    Select(page["voice"]).select_by_value("")  # not by keys: what was typed a moment ago would count, too
    page.wait(lambda: spoken() == "alto", "the voice of the tutor")
    assert complaints(page.browser) == []


def test_a_page_that_is_loaded_again_goes_on(browser: webdriver.Chrome, fakes: Companion) -> None:
    page = Page(browser, fakes.url)
    page.type("Hello, face.")
    page.wait(lambda: page.events("response.done"), "the answer")
    run_js(browser, CHOOSE, "tutor")
    told = "session.updated"
    page.wait(lambda: any(event["session"]["persona"] == "tutor" for event in page.events(told)), "the tutor")
    for _ in range(2):
        browser.refresh()
        page.wait(lambda: page.stats()["drawn"] > 0, "the face")
        assert page["toast"].get_attribute("textContent") == "The conversation goes on."
        page.wait(lambda: page["persona"].get_attribute("value") == "tutor", "the tutor")
    kept = "return Object.keys(sessionStorage).filter((key) => key.startsWith('vasari-resume'))"
    assert run_js(browser, kept) == [], "a tab that is copied has no token"
    anew = Page(browser, fakes.url)
    assert anew["persona"].get_attribute("value") == "companion"
    assert not anew["toast"].get_attribute("textContent"), "who opens the page anew begins anew"
    assert complaints(browser) == []


def test_the_server_may_go_and_come_back(browser: webdriver.Chrome, tmp_path: Path, me: str) -> None:
    """Killed in mid-sentence: the conversation goes on, the sentence is said to its end, nobody is greeted twice."""
    config = tmp_path / "kept.toml"
    kept = (tmp_path / "kept.sqlite").as_posix()
    recorded = f'[recording]\nfolder = "{tmp_path.as_posix()}"\n'
    config.write_text(f'extends = "fakes"\n[session]\ngreet = true\n[resume]\nurl = "{kept}"\n{recorded}')
    companion = Companion(str(config), tmp_path / "log.txt")
    try:
        page = Page(browser, companion.url)
        fit(page, me)
        press(page, "use")
        worn(page)
        page.wait(lambda: page.events("response.done"), "the end of the greeting")
        greeting = page.stats()["heard"]["item"]
        page.type("Hello, face.")
        page.wait(lambda: (now := page.stats()["heard"])["item"] != greeting and now["ms"] > 900, "some of the answer")
        companion.kill()
        page.wait(lambda: page["away"].is_displayed(), "the message")
        assert "away" in page.at_centre("face")
        assert page["away-title"].text == "The server is away"
        page["text"].send_keys("Are you there?", Keys.ENTER)
        assert "Not sent" in page["toast"].text
        assert page["text"].get_attribute("value") == "Are you there?"
        companion.start()
        page.wait(lambda: page.stats()["status"] == "open" and not page["away"].is_displayed(), "the server")
        page.wait(lambda: "no longer has your picture" in page["toast"].text, "the loss to be told")
        page.wait(lambda: page["face"].get_attribute("alive") is not None, "the face")
        assert "Your picture" not in page["cards"].text
        page.wait(lambda: len(page.said("assistant")) > 2, "the rest of the answer")
        page.until_state("idle")
        _, first, rest = page.said("assistant")
        heard = first.removesuffix("…").split()
        within = [*heard[:-1], *rest.split()]  # lost within a word, that is said again
        assert ANSWER in (" ".join([*heard, rest]), " ".join(within)), (first, rest)
        assert "The conversation goes on." in page["log"].text
        assert [event for event in page.events("session.created") if "resume" not in event["session"]], "it is secret"
        page["text"].send_keys(Keys.ENTER)
        page.until_state("speaking")
        assert page["face"].get_attribute("recorded") is None
        run_js(browser, "document.getElementById('face').recording = { consent: true }")
        page.wait(lambda: page["face"].get_attribute("recorded") is not None, "the recording to be told")
        page.wait(lambda: list(tmp_path.glob("*.growing.mp4")), "the recording")
        run_js(browser, "document.getElementById('face').recording = null")
        page.wait(lambda: not list(tmp_path.glob("*.growing.mp4")), "the end of the recording")
        assert page["face"].get_attribute("recorded") is None
        assert len(list(tmp_path.glob("*.mp4"))) == 1
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


def test_a_conversation_that_goes_on_elsewhere_ends_here(browser: webdriver.Chrome, tmp_path: Path) -> None:
    config = tmp_path / "one.toml"
    config.write_text('extends = "fakes"\n[server]\nmax_sessions_per_user = 1\n')
    companion = Companion(str(config), tmp_path / "log.txt", key="open-sesame")
    body = {"session": {"memory": {"user": "anna"}}}
    path = f"{companion.url}v1/realtime/client_secrets"
    secret = httpx.post(path, json=body, headers={"api-key": "open-sesame"}, trust_env=False).json()["value"]
    try:
        browser.get(companion.url)
        wait = WebDriverWait(browser, PATIENCE)
        wait.until(visibility_of_element_located((By.ID, "key"))).send_keys(secret, Keys.ENTER)
        wait.until(lambda _: run_js(browser, "return window.vasari.stats().drawn > 0"))
        protocol = Subprotocol(f"openai-insecure-api-key.{secret}")
        address = f"ws://127.0.0.1:{companion.port}/v1/realtime"
        with connect(address, subprotocols=[Subprotocol("realtime"), protocol], proxy=None) as elsewhere:
            assert "session.created" in elsewhere.recv(10)
            wait.until(text_to_be_present_in_element((By.ID, "away-text"), "another line"))
            time.sleep(2.0)  # longer than the first wait before it would come back
            assert run_js(browser, "return window.vasari.stats().status") == "closed"
            browser.find_element(By.ID, "retry").click()
            wait.until(lambda _: run_js(browser, "return window.vasari.stats().status") == "open")
            with pytest.raises(ConnectionClosed):
                while True:
                    elsewhere.recv(10)
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
    assert "allow it by the symbol left of the address" in page["refused"].text
    assert not page.stats()["listening"]
