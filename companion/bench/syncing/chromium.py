"""A headless Chromium, as the benchmark and the browser tests start it."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from companion.bench.served import end
from companion.call.caller import TalkError

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    "--window-size=1280,900",
    "--use-fake-device-for-media-stream",
)
STOP_S = 5.0  # s, timeout of its end, after which it is killed


def program(*names: str) -> str:
    """The first of ``names`` that is installed. Raises TalkError where none is."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise TalkError(f"{names[0]} is not installed; on Debian: apt-get install chromium chromium-driver")


@asynccontextmanager
async def chromium(url: str) -> AsyncGenerator[None]:
    """A browser with a fresh profile that has opened ``url`` and lets it play sound without a gesture. Raises
    TalkError."""
    browser = program("chromium", "google-chrome")
    with TemporaryDirectory(prefix="vasari-chromium-", ignore_cleanup_errors=True) as profile:
        more = (f"--user-data-dir={Path(profile)}", "--autoplay-policy=no-user-gesture-required")
        nowhere = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(browser, *FLAGS, *more, url, stdout=nowhere, stderr=nowhere)
        try:
            yield
        finally:
            await end(process, STOP_S)
