"""The configuration of nginx that ships, in a real nginx on loopback: a path prefix, websockets, whose address."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.server.loopback import Running, ask, receive, running

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
KEY = {"Authorization": "Bearer k"}
OPEN: dict[str, Any] = {"server": {"api_key": "k", "trusted_proxies": ["127.0.0.1"]}}

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)")


def configured(folder: Path, port: int, server: int) -> Path:
    """The shipped nginx.conf without TLS, as one user, from ``port`` on loopback to the ``server``'s."""
    text = (ROOT / "deploy/nginx/nginx.conf").read_text("utf-8")
    text = re.sub(r"\n *ssl_\w+ [^\n]*", "", text)
    for shipped, here in (
        ("listen 8443 ssl", f"listen 127.0.0.1:{port}"),
        ("server server:8765", f"server 127.0.0.1:{server}"),
        ("/etc/nginx/face.conf", str(ROOT / "deploy/nginx/face.conf")),
        (
            "http {",
            "http {\n    access_log off;\n"
            + "".join(
                f"    {kind}_temp_path {folder}/{kind};\n"
                for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            ),
        ),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    file = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""  # who may write into the folder
    file.write_text(f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\n{text}", "utf-8")
    return file


@contextlib.asynccontextmanager
async def proxied(folder: Path, server: Running) -> AsyncIterator[str]:
    """Where nginx has the server: host:port/face."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    file = configured(folder, port, server.port)
    process = await asyncio.create_subprocess_exec(str(NGINX), "-c", str(file), "-e", "stderr", "-p", str(folder))
    try:
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(10):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await http.get(f"http://127.0.0.1:{port}/")
                    break
                await asyncio.sleep(0.02)
        yield f"127.0.0.1:{port}/face"
    finally:
        process.terminate()
        await process.wait()


async def test_a_conversation_goes_through_it_below_a_prefix(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with (
        running(**OPEN) as server,
        proxied(tmp_path, server) as there,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        page = await http.get(f"http://{there}", follow_redirects=True)
        assert page.status_code == 200 and str(page.url) == f"http://{there}/"
        named = re.findall(r'(?:src|href)="([^"#:]+)"', page.text)
        assert named and [one for one in named if (await http.get(page.url.join(one))).status_code != 200] == []
        assert (await http.get(f"http://{there}/ready")).status_code in (200, 503)
        line = websockets.connect(f"ws://{there}/v1/realtime", additional_headers=KEY, proxy=None, max_size=None)
        async with line as ws:
            await receive(ws, "session.created")
            await ask(ws, "Who are you?")
            assert (await receive(ws, "response.done"))["response"]["status"] == "completed"
        assert "a conversation from 127.0.0.1" in caplog.text
        for hidden in ("metrics", "traces"):
            assert (await http.get(f"http://{there}/{hidden}", headers=KEY)).status_code == 404
        large = await http.post(f"http://{there}/v1/portraits", headers=KEY, content=b"0" * 23_000_000)
        assert large.status_code == 413


async def test_a_server_without_a_key_answers_nobody_through_it(tmp_path: Path) -> None:
    async with running() as server, proxied(tmp_path, server) as there, httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            async with websockets.connect(f"ws://{there}/v1/realtime", proxy=None):
                pass
        assert refused.value.response.status_code == 403 and b"forbidden_proxy" in refused.value.response.body
        answer = await http.post(f"http://{there}/v1/realtime/client_secrets")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden_proxy")
