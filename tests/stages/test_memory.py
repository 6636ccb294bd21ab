"""Memory between sessions: per user, by relevance, on disk."""

import pytest

from companion.memory import Off, SQLite, rank
from companion.stages import Message, StageError

TALK = [
    Message("system", "You know that dogs bark."),
    Message("user", "My dog is called Rex."),
    Message("assistant", "Dogs are lovely."),
    Message("user", "I play the violin."),
]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "deep" / "memory.sqlite")


async def test_what_the_user_said_comes_back_after_a_restart(path):
    await SQLite(path).remember("anna", TALK)
    assert await SQLite(path).recall("anna", "How is my dog?") == ["My dog is called Rex."]


async def test_nobody_sees_the_memories_of_another(path):
    memory = SQLite(path)
    await memory.remember("anna", TALK)
    assert await memory.recall("bert", "dog violin") == []


async def test_nothing_comes_back_where_nothing_bears_on_the_subject(path):
    memory = SQLite(path)
    await memory.remember("anna", TALK)
    assert await memory.recall("anna", "What is the weather like?") == []


async def test_the_limit_holds_and_the_best_comes_first(path):
    memory = SQLite(path)
    await memory.remember("anna", [*TALK, Message("user", "Rex the dog hates the violin.")])
    assert await memory.recall("anna", "the violin and the dog", limit=1) == ["Rex the dog hates the violin."]


def test_the_newer_of_two_equal_memories_comes_first():
    assert rank("dogs", {"an old dog": 60.0, "a new dog": 1.0}) == ["a new dog", "an old dog"]


async def test_quotes_and_other_scripts_are_text_like_any_other(path):
    memory = SQLite(path)
    odd = "Robert'); DROP TABLE messages;-- Мой кот 猫"
    await memory.remember("o'brien", [Message("user", odd)])
    assert await memory.recall("o'brien", "кот") == [odd]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "memory.sqlite").write_bytes(b"not a database " * 100)
    with pytest.raises(StageError, match=r"memory\.sqlite"):
        SQLite(str(tmp_path / "memory.sqlite"))


async def test_off_forgets():
    await Off().remember("anna", TALK)
    assert await Off().recall("anna", "dog") == []
