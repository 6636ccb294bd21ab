import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import open_chromium
from selenium import webdriver

WEB = Path(__file__).parents[2] / "clients" / "web"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def static_url() -> Iterator[str]:
    """The client's files alone, without the program behind them."""
    handler = functools.partial(_Quiet, directory=str(WEB))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One Chromium for all tests that need no special microphone; each opens its own page."""
    driver = open_chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()
