import functools
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
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


class Companion:
    """The program itself, as a process of its own; it can go away and come back at the same address."""

    def __init__(self, config: str, log: Path, key: str = "", patience_s: float = 90.0) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._config, self._log = config, log
        self._patience = patience_s
        self._environment = {**os.environ, "VASARI_API_KEY": key}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "companion", "serve", "--config", self._config, "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=self._environment)
        until = time.monotonic() + self._patience
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"the server did not come up:\n{self._log.read_text()}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Companion]:
    """The server with scripted stages."""
    companion = Companion("fakes", tmp_path_factory.mktemp("server") / "log.txt")
    yield companion
    companion.stop()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One Chromium for all tests that need no special microphone; each opens its own page."""
    driver = open_chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


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
