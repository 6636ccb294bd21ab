"""A real headless Chromium, driven through Debian's chromedriver with Selenium."""

from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from companion.bench.syncing.chromium import FLAGS, program


def open_chromium(profile: Path, microphone: Path | None = None, ask: bool = False) -> webdriver.Chrome:
    """A browser with a fresh ``profile``; its microphone hears the WAV ``microphone`` again and again, else beeps.

    With ``ask`` the browser asks for permissions, which nobody answers; otherwise it grants all.
    """
    options = Options()
    options.binary_location = program("chromium", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    if not ask:
        options.add_argument("--use-fake-ui-for-media-stream")
    if microphone:
        options.add_argument(f"--use-file-for-fake-audio-capture={microphone}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(program("chromedriver")))


def run_js(browser: webdriver.Chrome, body: str, *arguments: Any) -> Any:
    """Run the body of an async function in the page, with ``args``; a failure there is a failure here."""
    script = """
        const done = arguments[arguments.length - 1];
        const args = [...arguments].slice(0, -1);
        (async () => { %s })().then((value) => done({ value }), (error) => done({ error: String(error) }));
    """
    answer = browser.execute_async_script(script % body, *arguments)
    assert "error" not in answer, answer["error"]
    return answer.get("value")


def complaints(browser: webdriver.Chrome, *expected: str) -> list[str]:
    """What the console complained about since the last call, but for lines that contain one of ``expected``."""
    lines = [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    return [line for line in lines if not any(part in line for part in expected)]
