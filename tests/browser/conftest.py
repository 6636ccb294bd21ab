import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

from tests.browser.chromium import complaints, open_chromium
from tests.browser.served import Companion

WEB = Path(__file__).parents[2] / "clients" / "web"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def static_url() -> Iterator[str]:
    """The client's files alone, without the program behind them."""
    with served(WEB) as url:
        yield url


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Another host's pages: their address, and the folder they are in."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with served(folder) as url:
        yield url, folder


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Companion]:
    """The server with scripted stages."""
    companion = Companion("fakes", tmp_path_factory.mktemp("server") / "log.txt")
    yield companion
    companion.stop()


@pytest.fixture(scope="session")
def shared_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver = open_chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(shared_chromium: webdriver.Chrome) -> webdriver.Chrome:
    """One Chromium for all tests that need no microphone; each opens its own page and finds a clean console."""
    complaints(shared_chromium)
    return shared_chromium


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Callable[..., webdriver.Chrome]]:
    """Open a Chromium of the test's own: ``chromium(microphone=None, ask=False)``."""
    opened: list[webdriver.Chrome] = []

    def make(microphone: Path | None = None, ask: bool = False) -> webdriver.Chrome:
        opened.append(open_chromium(tmp_path / f"profile{len(opened)}", microphone, ask))
        return opened[-1]

    yield make
    for driver in opened:
        driver.quit()
