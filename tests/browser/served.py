"""The server as its users start it: a process of its own; and a network in front of it."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from companion.bench.syncing.proxy import Network, proxy


class Companion:
    """The program itself, as a process of its own; it can go away and come back at the same address."""

    def __init__(self, config: str, log: Path, key: str = "", patience_s: float = 90.0) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._config, self.log = config, log
        self._patience = patience_s
        self._environment = {**os.environ, "VASARI_API_KEY": key}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "companion", "serve", "--config", self._config, "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=self._environment)
        until = time.monotonic() + self._patience
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"the server did not come up:\n{self.log.read_text()}")

    def kill(self) -> None:
        """As a power cut does."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Between:
    """A `Proxy` in front of a server, in a thread of its own."""

    def __init__(self, server: int) -> None:
        self._loop, self._over, self._there = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run(server)])
        self._thread.start()
        self._there.wait()
        self.url = f"http://127.0.0.1:{self._proxy.port}/"

    async def _run(self, server: int) -> None:
        async with proxy(Network(), server) as self._proxy:
            self._there.set()
            await self._over.wait()

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._proxy.cut)

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(self._proxy.mend)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()
