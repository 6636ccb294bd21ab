"""A server that is killed in mid-sentence, and what its users find when it runs again."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import websockets

from companion.memory import LongTerm
from tests.browser.served import Companion
from tests.memory.conftest import Words
from tests.server.loopback import ask, receive, send

CONFIG = """extends = "fakes"
[llm]
use = "companion.stages.fakes:ScriptedLLM"
replies = ["The sea is wide and mostly blue. It keeps its secrets well, and it is never quite the same twice."]
[face]
use = "companion.avatar.cartoon:CartoonAnimator"
size = 64
[memory]
use = "tests.server.test_killed:Memory"
url = "{folder}/memories.sqlite"
[resume]
url = "{folder}/kept.sqlite"
"""


class Memory(LongTerm):
    """The real one, whose sense of likeness needs no model."""

    def __init__(self, url: str) -> None:
        super().__init__(url, embedder=Words())


@pytest.fixture
def companion(tmp_path):
    config = tmp_path / "killed.toml"
    config.write_text(CONFIG.format(folder=tmp_path.as_posix()))
    server = Companion(str(config), tmp_path / "log.txt")
    yield server
    server.stop()


async def stored_again(file: Path) -> None:
    """Wait until what is kept of the conversation is newer than it was."""

    def until() -> float:
        with closing(sqlite3.connect(file)) as rows:
            return rows.execute("SELECT MAX(until) FROM vasari_resumables").fetchone()[0]

    before = until()
    for _ in range(1000):
        if until() > before:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nothing more was stored")


async def known(companion: Companion) -> set[str]:
    """The memories of Anna, without the words that they were drawn from."""
    async with httpx.AsyncClient(base_url=companion.url, trust_env=False) as http:
        kept = (await http.get("/v1/memories", headers={"Vasari-User": "anna"})).json()["memories"]
    return {memory["text"] for memory in kept if memory["id"]}


async def test_a_server_that_is_killed_while_it_speaks_remembers_and_goes_on(
    companion: Companion, tmp_path: Path
) -> None:
    address = companion.url.replace("http", "ws") + "v1/realtime"
    async with websockets.connect(address, proxy=None) as ws:
        token = (await receive(ws, "session.created"))["session"]["resume"]["token"]
        memory = {"user": "anna", "consent": True}
        await send(ws, "session.update", session={"memory": memory, "output_modalities": ["text"]})
        await ask(ws, "My dog is called Rex.")
        await receive(ws, "response.done")
        await send(ws, "session.update", session={"output_modalities": ["audio"]})
        await ask(ws, "I play the violin.")
        item = (await receive(ws, "response.output_item.added"))["item"]["id"]
        await receive(ws, "response.output_audio.delta")
        for _ in range(2):  # what was heard until now is stored for sure the second time
            await stored_again(tmp_path / "kept.sqlite")
        for _ in range(200):  # at most 10 s: a thread of its own draws it from the words
            if "I play the violin." in await known(companion):
                break
            await asyncio.sleep(0.05)
        companion.kill()
    with closing(sqlite3.connect(tmp_path / "memories.sqlite")) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    companion.start()
    assert {"My dog is called Rex.", "I play the violin."} <= await known(companion)
    async with websockets.connect(address, subprotocols=["realtime", f"vasari-resume.{token}"], proxy=None) as ws:
        assert (await receive(ws, "session.created"))["session"]["resume"]["resumed"]
        await send(ws, "conversation.item.retrieve", item_id=item)
        assert (await receive(ws, "conversation.item.retrieved"))["item"]["status"] == "incomplete"
    assert token not in (tmp_path / "log.txt").read_text()
