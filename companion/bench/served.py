"""Starts a server in a process of its own, as an operator would, and reads its metrics."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from prometheus_client.parser import text_string_to_metric_families

from companion.call.caller import TalkError
from companion.config import Config

START_S = 180.0  # s, timeout of the start
LOOK_S = 0.2  # s between two requests whether it is ready
STOP_S = 15.0  # s, timeout of the shutdown, after which it is killed
LONG_IDLE_S = 60.0  # s that its idle timeout exceeds the measurement, so that no conversation is ended


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. ``url``: http://host:port, with a path if a proxy adds one. ``key``: its API key, or ""."""

    url: str
    key: str = ""

    @property
    def realtime(self) -> str:
        """The URL of its websocket."""
        return f"ws{self.url.removeprefix('http')}/v1/realtime"

    async def figures(self) -> dict[str, float]:
        """Its /metrics: name -> value, summed over labels. Raises TalkError if the server does not answer with them."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
                answer = await http.get(f"{self.url}/metrics", headers=headers)
        except httpx.TransportError as error:
            raise TalkError(f"{self.url} does not answer: {error}") from error
        if answer.status_code != 200:
            raise TalkError(f"{self.url}/metrics says {answer.status_code}.")
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found


@asynccontextmanager
async def served(config: Config, sessions: int, lasts_s: float) -> AsyncGenerator[Served]:
    """Run the server of ``config`` on a free port of this machine, with room for ``sessions`` and an idle timeout above
    ``lasts_s`` (s).

    Raises:
        TalkError: it does not become ready within `START_S`.
    """
    with TemporaryDirectory(prefix="vasari-bench-") as folder:
        file = Path(folder) / "served.toml"
        limits = f"max_sessions = {sessions}\nmax_sessions_per_user = {sessions}\nidle_s = {lasts_s + LONG_IDLE_S}"
        base = config.path.with_suffix("").as_posix()
        file.write_text(f'extends = "{base}"\n\n[server]\n{limits}\n', "utf-8")
        port = _free_port()
        command = [sys.executable, "-m", "companion", "serve", "--config", str(file), "--port", str(port)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            found = Served(f"http://127.0.0.1:{port}", config.server.api_key)
            await _ready(found, process)
            yield found
        finally:
            await end(process, STOP_S)


async def _ready(server: Served, process: asyncio.subprocess.Process) -> None:
    until = time.monotonic() + START_S
    async with httpx.AsyncClient(trust_env=False, timeout=START_S) as http:
        while process.returncode is None and time.monotonic() < until:
            try:
                if (await http.get(f"{server.url}/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            await asyncio.sleep(LOOK_S)
    raise TalkError("The server did not become ready. See why with: companion serve")


async def end(process: asyncio.subprocess.Process, patience: float) -> None:
    """Terminate ``process`` if it still runs, and kill it if it has not ended after ``patience`` s."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
