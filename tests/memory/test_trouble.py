"""A database that is locked, full or away; users who share a session; everything deleted while notes are taken."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from companion.errors import StageError
from companion.memory import LongTerm, backlog, seal, tables
from companion.stages import fakes
from companion.stages.protocols import Message
from tests.memory.conftest import Words


def said(text):
    return [Message("user", text)]


def texts(kept):
    return [k.text for k in kept if k.id is not None]


@pytest.fixture
def memory(tmp_path, monkeypatch):
    monkeypatch.setattr(backlog, "RETRIES_S", (0.05,))
    monkeypatch.setitem(tables.PATIENCE_S, "sqlite", 0.05)
    opened = LongTerm(str(tmp_path / "memories.sqlite"), embedder=Words())
    yield opened
    opened.close()


@contextmanager
def locked(folder):
    """By another process's transaction."""
    lock = sqlite3.connect(folder / "memories.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


async def written(memory, within=5.0):
    if trying := memory._backlog._trying:
        await asyncio.wait_for(asyncio.shield(trying), within)


async def test_a_conversation_takes_no_words_of_another_user(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", said("I live in Rome."))
    with pytest.raises(StageError) as refused:
        await memory.remember("bert", "c1", said("I live in Bonn."))
    assert refused.value.code == "memory_foreign"
    assert "Bonn" not in str(await memory.memories("anna")) + str(await memory.memories("bert"))


async def test_what_is_said_while_the_database_is_locked_is_stored_in_order_afterwards(memory, tmp_path):
    await memory.remember("anna", "c1", said("I live in Lyon."))
    with locked(tmp_path):
        for text in ("I live in Rome.", "I live in Bonn."):
            with pytest.raises(StageError) as failed:
                await memory.remember("anna", "c1", said(text))
            assert failed.value.code == "memory_failed"
    await written(memory)
    assert texts(await memory.memories("anna")) == ["I live in Bonn."]
    lines = [k.text for k in await memory.memories("anna") if k.id is None]
    assert lines == ["I live in Lyon.", "I live in Rome.", "I live in Bonn."]


async def test_nobody_waits_long_for_a_locked_database(memory, tmp_path):
    loop = asyncio.get_running_loop()
    with locked(tmp_path):
        begun = loop.time()
        for user in ("anna", "bert", "carl"):
            with pytest.raises(StageError):
                await memory.remember(user, user, said("I live in Rome."))
            with pytest.raises(StageError):
                await memory.recall(user, "Rome")
        assert loop.time() - begun < 5  # SQLite's own patience is 5 s, for each
    await written(memory)
    assert texts(await memory.memories("carl")) == ["I live in Rome."]


async def test_a_file_that_is_away_is_noticed_and_what_was_said_is_stored_when_it_is_back(memory, tmp_path):
    await memory.remember("anna", "c1", said("I live in Lyon."))
    place = tmp_path / "memories.sqlite"
    place.rename(tmp_path / "away")
    with pytest.raises(StageError):
        await memory.remember("anna", "c1", said("I like tea."))
    assert not place.exists()
    (tmp_path / "away").rename(place)
    await written(memory)
    assert texts(await memory.memories("anna")) == ["I like tea.", "I live in Lyon."]


async def test_what_waits_is_sealed_and_bounded(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(seal.VARIABLE, seal.new_key())
    monkeypatch.setattr(backlog, "MOST_BYTES", 3000)
    memory = LongTerm(str(tmp_path / "memories.sqlite"), embedder=Words())
    with locked(tmp_path):
        for number in range(10):
            with pytest.raises(StageError):
                await memory.remember("anna", "c1", said(f"I like the number {number}00{number}. " + "x" * 500))
        waiting = list(memory._backlog._entries)
    memory.close()
    assert sum(len(entry.words) for entry in waiting) <= 3000
    assert waiting and "9009" in memory._seal.open(waiting[-1].words).decode()  # the newest are kept
    assert not any(b"number" in entry.words or "anna" in entry.user for entry in waiting)
    assert "lost" in caplog.text and "number" not in caplog.text


async def test_what_cannot_be_stored_holds_up_nothing(memory, tmp_path, monkeypatch):
    def embed(texts):
        raise TypeError("what was said")

    with monkeypatch.context() as broken, pytest.raises(TypeError):
        broken.setattr(memory._embedder, "embed", embed)
        await memory.remember("anna", "c1", said("I like coffee."))
    await memory.remember("anna", "c1", said("I like tea."))
    assert texts(await memory.memories("anna"))[0] == "I like tea."


async def test_everything_that_is_deleted_while_notes_are_taken_stays_deleted(open_memory):
    class Slow(fakes.ScriptedLLM):
        begun = asyncio.Event()
        may = asyncio.Event()

        async def reply(self, messages):
            self.begun.set()
            await self.may.wait()
            yield "- They play the violin\nSummary: They talked about a dog called Rex and the violin."

    memory, model = open_memory(), Slow()
    memory.learn_with(model)
    await memory.remember("anna", "c1", [*said("My dog is called Rex."), *said("I play the violin.")])
    await memory.conclude("c1")
    await model.begun.wait()
    assert await memory.forget("anna") == 3
    model.may.set()
    await asyncio.gather(*memory._concluding)
    assert await memory.memories("anna") == []


async def test_notes_of_a_conversation_that_went_on_are_taken_later(open_memory):
    class Talking(fakes.ScriptedLLM):
        async def reply(self, messages):
            await memory.remember("anna", "c1", said("I like tea."))
            yield "Summary: They talked about a dog called Rex and the violin."

    memory = open_memory()
    memory.learn_with(Talking())
    await memory.remember("anna", "c1", [*said("My dog is called Rex."), *said("I play the violin.")])
    await memory.conclude("c1")
    await asyncio.gather(*memory._concluding)
    kept = await memory.memories("anna")
    assert [k.text for k in kept if k.id is None] == ["My dog is called Rex.", "I play the violin.", "I like tea."]
    assert not [k for k in kept if k.kind == "noted"]


async def test_what_cannot_be_deleted_now_is_deleted_later_and_what_waited_with_it(memory, tmp_path):
    await memory.remember("anna", "c1", said("I live in Lyon."))
    with locked(tmp_path):
        with pytest.raises(StageError):
            await memory.remember("anna", "c1", said("I like tea."))
        with pytest.raises(StageError):
            await memory.forget("anna")
        with pytest.raises(StageError):
            await memory.remember("anna", "c2", said("I like coffee."))
    await written(memory)
    assert texts(await memory.memories("anna")) == ["I like coffee."]
    with locked(tmp_path), pytest.raises(StageError):
        await memory.discard("c2")
    await written(memory)
    assert all(k.id for k in await memory.memories("anna"))


FULL = """
import asyncio, pathlib, sys
from companion.errors import StageError
from companion.memory import LongTerm
from companion.stages.protocols import Message
from tests.memory.conftest import Words

async def main(folder):
    memory = LongTerm(str(folder / "memories.sqlite"), embedder=Words())
    for n in range(20):
        await memory.remember("anna", f"c{n}", [Message("user", f"I like the number {n}00{n}." + "x" * 200)])
    with (folder / "fill").open("wb", 0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            pass
    try:
        await memory.remember("anna", "full", [Message("user", "I live in Rome." + "x" * 9000)])
    except StageError as error:
        print(error.code)
    print(await memory.forget("anna") > 20, len(await memory.memories("anna")))
    (folder / "fill").unlink()
    await memory.remember("anna", "room", [Message("user", "I have a cat.")])
    print([k.text for k in await memory.memories("anna") if k.id])
    memory.close()

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


def test_a_full_disk_does_not_prevent_deletion(tmp_path):
    mounting = f"mount -t tmpfs -o size=256k none {tmp_path} && exec {sys.executable} -c '{FULL}' {tmp_path}"
    able = shutil.which("unshare") and not subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode
    if not able:
        pytest.skip("a disk of one's own to fill needs Linux namespaces")
    root = Path(__file__).parents[2]
    script = mounting.replace(FULL, FULL.replace("'", '"'))
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, cwd=root)
    assert done.stdout.splitlines() == ["memory_failed", "True 0", "['I have a cat.']"], done.stderr
