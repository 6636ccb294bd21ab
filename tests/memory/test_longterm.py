"""Memory between sessions: per user, by relevance, in both databases."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from companion.errors import StageError
from companion.memory import LongTerm, Off, longterm, seal, store
from companion.memory.notes import Note
from companion.memory.store import Memory
from companion.stages import fakes
from companion.stages.protocols import Message
from tests.memory.conftest import Words

TALK = [
    Message("system", "You know that dogs bark."),
    Message("user", "My dog is called Rex. Is it raining?"),
    Message("assistant", "My cat is called Tom."),
    Message("user", "I play the violin."),
]


def texts(kept):
    return [k.text for k in kept if k.id is not None]


async def test_what_the_user_said_comes_back_after_a_restart(open_memory):
    await open_memory().remember("anna", "c1", TALK)
    assert await open_memory().recall("anna", "How is my dog?") == ['today they said: "My dog is called Rex."']


async def test_nobody_sees_or_changes_what_belongs_to_another(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", TALK)
    secret = (await memory.memories("anna"))[0].id
    assert await memory.recall("bert", "dog violin") == []
    assert await memory.memories("bert") == []
    assert not await memory.change("bert", secret, "My dog is called Max.")
    assert not await memory.delete("bert", secret)
    assert await memory.forget("bert") == 0
    assert "My dog is called Rex." in texts(await memory.memories("anna"))


async def test_nothing_comes_back_where_nothing_bears_on_the_subject(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", TALK)
    assert await memory.recall("anna", "Tell me about volcanoes") == []


async def test_a_name_is_always_known_and_what_matters_comes_without_a_subject(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", [*TALK, Message("user", "My name is Anna.")])
    assert (await memory.recall("anna", "Tell me about volcanoes"))[0].endswith('"My name is Anna."')
    assert len(await memory.recall("anna", "", limit=2)) == 2


async def test_there_is_one_home_and_the_newer_counts(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", [Message("user", "I live in Lyon.")])
    await memory.remember("anna", "c2", [Message("user", "I live in Porto now.")])
    assert texts(await memory.memories("anna")) == ["I live in Porto now."]


async def test_what_the_user_corrected_stays(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", [Message("user", "My name is Hannah.")])
    (name,) = [k for k in await memory.memories("anna") if k.id]
    assert await memory.change("anna", name.id, "My name is Anna.")
    await memory.remember("anna", "c2", [Message("user", "My name is Hannah.")])
    assert texts(await memory.memories("anna")) == ["My name is Anna."]
    with pytest.raises(StageError, match="1000"):
        await memory.change("anna", name.id, "x" * 1001)


async def test_forgetting_leaves_nothing_and_what_was_said_before_does_not_come_back(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", TALK)
    assert await memory.forget("anna") == 3  # two memories, one conversation
    await memory.remember("anna", "c1", [Message("user", "I like tea.")])
    assert texts(await memory.memories("anna")) == ["I like tea."]


async def test_words_are_deleted_when_the_conversation_is_over_and_notes_are_taken(open_memory):
    answer = "- They play the violin\n- They live in Paris\nSummary: They talked about a dog called Rex and the violin."
    memory = open_memory()
    memory.learn_with(fakes.ScriptedLLM([answer]))
    await memory.remember("anna", "c1", TALK)
    assert any(k.kind.startswith("conversation") for k in await memory.memories("anna"))
    await memory.conclude("c1")
    await asyncio.gather(*memory._concluding)
    kept = await memory.memories("anna")
    assert "They talked about a dog called Rex and the violin." in texts(kept)
    assert not any("Paris" in k.text or k.id is None for k in kept)


async def test_notes_of_a_conversation_whose_process_died_are_taken_later(open_memory, monkeypatch):
    await open_memory().remember("anna", "dead", TALK)
    memory = open_memory()
    memory.learn_with(fakes.ScriptedLLM(["Summary: They talked about a dog called Rex."]))
    await memory.conclude("other")
    await asyncio.gather(*memory._concluding)
    assert len([k for k in await memory.memories("anna") if k.id is None]) == 3  # it may be running elsewhere
    monkeypatch.setattr(store, "ABANDONED_AFTER", timedelta(0))
    await memory.conclude("other")
    await asyncio.gather(*memory._concluding)
    assert "They talked about a dog called Rex." in texts(await memory.memories("anna"))


async def test_a_failing_model_costs_its_notes_only(open_memory):
    memory = open_memory()
    memory.learn_with(fakes.Broken())
    await memory.remember("anna", "c1", TALK)
    await memory.conclude("c1")
    await asyncio.gather(*memory._concluding)
    assert texts(await memory.memories("anna")) == ["I play the violin.", "My dog is called Rex."]


async def test_withdrawn_consent_deletes_the_words(open_memory):
    memory = open_memory()
    await memory.remember("anna", "c1", TALK)
    await memory.discard("c1")
    assert all(k.id for k in await memory.memories("anna"))


async def test_the_least_important_goes_when_there_are_too_many(open_memory, monkeypatch):
    monkeypatch.setattr(store, "MOST_MEMORIES", 3)
    memory = open_memory()
    said = ["My name is Anna.", *(f"I like the number {n}." for n in (123, 456, 789, 1011))]
    for sentence in said:
        await memory.remember("anna", "c1", [Message("user", sentence)])
    assert texts(await memory.memories("anna")) == [*reversed(said[-2:]), "My name is Anna."]


async def test_quotes_and_other_scripts_are_text_like_any_other(open_memory):
    memory = open_memory()
    odd = "I like Robert'); DROP TABLE vasari_memories;-- Мой кот 猫."
    await memory.remember("o'brien", "c1", [Message("user", odd)])
    assert texts(await memory.memories("o'brien")) == [odd]


async def test_a_key_seals_texts_names_and_vectors(tmp_path, monkeypatch, open_memory, place):
    monkeypatch.setenv(seal.VARIABLE, seal.new_key())
    memory = open_memory()
    await memory.remember("anna-the-user", "c1", TALK)
    assert len(await open_memory().recall("anna-the-user", "my dog")) == 1
    if "://" not in place:
        raw = await asyncio.to_thread(Path(place).read_bytes)
        assert b"Rex" not in raw
        assert b"anna-the-user" not in raw
    for other in ("", seal.new_key()):
        monkeypatch.setenv(seal.VARIABLE, other)
        with pytest.raises(StageError, match="key") as caught:
            open_memory()
        assert caught.value.code == "memory_key"


def test_a_key_that_is_none_is_refused(open_memory, tmp_path):
    (tmp_path / "key").write_text("secret")
    with pytest.raises(StageError, match="companion memory key"):
        open_memory(key_file=str(tmp_path / "key"))


async def test_a_process_that_is_killed_while_it_writes_loses_nothing(tmp_path):
    """What was acknowledged is in the file, whatever happens to the process next."""
    script = (
        "import asyncio, os, sys\n"
        "from tests.memory.conftest import Words\n"
        "from companion.memory import LongTerm\n"
        "from companion.memory.store import Past, now\n"
        "from companion.stages.protocols import Message\n"
        "async def main():\n"
        "    memory = LongTerm(sys.argv[1], embedder=Words())\n"
        "    for i in range(5):\n"
        "        await memory.remember('anna', 'c1', [Message('user', f'I like the number {i}00{i}.')])\n"
        "    memory._pool.submit(memory._store.remember, Past('c1', 'anna', [Message('user', 'lost')], now()), [])\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    path = tmp_path / "memories.sqlite"
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(path))
    assert await killed.wait() == -9
    memory = LongTerm(str(path), embedder=Words())
    assert len(texts(await memory.memories("anna"))) == 5
    memory.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux keeps users' data")
@pytest.mark.parametrize(("chosen", "expected"), [("set", "set/vasari"), ("", ".local/share/vasari")])
def test_without_a_url_the_file_is_among_the_user_s_data(monkeypatch, tmp_path, chosen, expected):
    monkeypatch.delenv("VASARI_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", chosen and str(tmp_path / chosen))
    LongTerm(embedder=Words()).close()
    assert (tmp_path / expected / "memories.sqlite").is_file()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "memories.sqlite").write_bytes(b"not a database " * 100)
    with pytest.raises(StageError, match=r"memories\.sqlite"):
        LongTerm(str(tmp_path / "memories.sqlite"))


def test_an_unreachable_server_is_named_without_its_password():
    with pytest.raises(StageError, match="memory") as caught:
        LongTerm("postgresql://vasari:geheim@127.0.0.1:9/none")
    assert "geheim" not in str(caught.value)


async def test_off_forgets():
    await Off().remember("anna", "c1", TALK)
    await Off().conclude("c1")
    assert await Off().recall("anna", "dog") == []


@pytest.mark.parametrize(
    ("likeness", "importance", "days", "worth"),
    [
        (0.5, 0.5, 0.0, 0.5 * 1.0 * 0.8),
        (0.5, 0.5, 30.0, 0.5 * 0.8 * 0.8),  # half the weight of age after a half-life
        (0.8, 0.0, 60.0, 0.8 * 0.7 * 0.6),
        (0.27, 0.9, 0.0, 0.0),  # about something else
        (0.0, 1.0, 900.0, 2.0),  # pinned
    ],
)
def test_a_memory_counts_by_meaning_age_and_importance(likeness: float, importance: float, days: float, worth: float):
    now = datetime(2026, 6, 1, 12)
    memory = Memory(1, Note("a", "said", importance), now - timedelta(days=days), np.zeros(384, np.float32))
    assert longterm.score(memory, likeness, now) == pytest.approx(worth)
