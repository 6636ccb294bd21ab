"""The page as a visitor sees and uses it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chromium import run_js

PATIENCE = 30.0  # s: the machine may be busy


class Page:
    def __init__(self, browser: webdriver.Chrome, url: str, patience: float = PATIENCE) -> None:
        self.browser = browser
        self.patience = patience  # s
        browser.get(url)
        self.wait(lambda: self.stats()["drawn"] > 0, "the face to appear")
        self.events("")  # from here on they are kept

    def __getitem__(self, name: str) -> WebElement:
        return self.browser.find_element(By.ID, name)

    def stats(self) -> dict[str, Any]:
        answer = run_js(self.browser, "return window.vasari?.stats() ?? null")
        return answer or {"drawn": 0, "state": "", "status": ""}

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        return WebDriverWait(self.browser, self.patience, 0.05).until(lambda _: condition(), f"waited for {what}")

    def until_state(self, state: str) -> None:
        self.wait(lambda: self.stats()["state"] == state, f"the state {state}")

    def type(self, line: str) -> None:
        self["text"].send_keys(line, Keys.ENTER)

    def said(self, role: str) -> list[str]:
        """The captions of "user" or "assistant", as displayed."""
        return [row.text for row in self.browser.find_elements(By.CSS_SELECTOR, f"#log .{role} .said")]

    def picture(self) -> str:
        """A fingerprint of what the canvas shows."""
        return run_js(
            self.browser,
            """
            const canvas = document.querySelector("vasari-avatar").shadowRoot.querySelector(".face");
            const { width, height } = canvas;
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const bytes = copy.getImageData(0, 0, width, height).data;
            const hash = await crypto.subtle.digest("SHA-1", bytes);
            return String(new Uint8Array(hash));
            """,
        )

    def at_centre(self, name: str) -> list[str]:
        """The ids of what a visitor sees in the middle of an element, innermost first."""
        return run_js(
            self.browser,
            """
            const { x, y, width, height } = document.getElementById(args[0]).getBoundingClientRect();
            const ids = [];
            let seen = document.elementFromPoint(x + width / 2, y + height / 2);
            for (; seen; seen = seen.parentElement) if (seen.id) ids.push(seen.id);
            return ids;
            """,
            name,
        )

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The server's events of one type since the page was opened."""
        return run_js(
            self.browser,
            """
            if (!window.seen) {
                window.seen = [];
                document.addEventListener("vasari-event", ({ detail }) => window.seen.push(detail));
            }
            return window.seen.filter(({ type }) => type === args[0]);
            """,
            kind,
        )


@contextmanager
def before_page(browser: webdriver.Chrome, script: str) -> Iterator[None]:
    """Run ``script`` in every page before the page's own."""
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added["identifier"]})
