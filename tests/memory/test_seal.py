"""What a key seals, and whose it then is."""

import pytest

from companion.errors import StageError
from companion.memory import LongTerm, seal
from companion.memory.seal import Plain, Sealed
from companion.stages.protocols import Message
from tests.memory.conftest import Words

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_each_user_has_a_name_of_its_own_that_stays():
    """Another name for a user would lose what is stored under the one before."""
    sealed = Sealed(KEY)
    assert sealed.name("anna") == "5ec4df5e8e32ebbadb958fb99ec41deb9d77005dd0417cb68514293a08f82d49"
    assert len({sealed.name(user) for user in ("anna", "Anna", "bert", "", "J\u00fcrgen")}) == 5
    assert Sealed(seal.new_key()).name("anna") != sealed.name("anna")
    assert Plain().name("anna") == "anna"


def test_what_is_sealed_is_opened_by_the_same_key_alone():
    closed = Sealed(KEY).close(b"My dog is called Rex.")
    assert b"Rex" not in closed
    assert Sealed(KEY).open(closed) == b"My dog is called Rex."
    with pytest.raises(StageError, match="another key") as caught:
        Sealed(seal.new_key()).open(closed)
    assert caught.value.code == "memory_key"


@pytest.mark.parametrize("key", ["secret", KEY[:-2], "\u00e9" * 44])
def test_a_key_that_is_none_says_how_to_make_one(key):
    with pytest.raises(StageError, match="companion memory key") as caught:
        Sealed(key)
    assert caught.value.code == "memory_key"


def test_the_environment_comes_before_the_file(monkeypatch, tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    monkeypatch.delenv(seal.VARIABLE, raising=False)
    assert seal.find(str(file)).name("anna") == Sealed(KEY).name("anna")
    assert isinstance(seal.find(""), Plain)
    other = seal.new_key()
    monkeypatch.setenv(seal.VARIABLE, f" {other}\n")
    assert seal.find(str(file)).name("anna") == Sealed(other).name("anna")
    monkeypatch.setenv(seal.VARIABLE, "")
    for damaged in (tmp_path / "none", tmp_path):
        with pytest.raises(StageError, match="cannot be read") as caught:
            seal.find(str(damaged))
        assert caught.value.code == "memory_key"


@pytest.mark.parametrize("key", ["", KEY])
async def test_users_stay_apart_sealed_or_not(monkeypatch, key):
    monkeypatch.setenv(seal.VARIABLE, key)
    memory = LongTerm(":memory:", embedder=Words())

    async def kept(user):
        """Id and text of each, without the conversations of which nothing has been concluded yet."""
        return [(one.id, one.text) for one in await memory.memories(user) if one.id is not None]

    for user, words in (("anna", "I play the violin. I live in Rome."), ("bert", "I play chess.")):
        await memory.remember(user, f"c-{user}", [Message("user", words)])
    (one, _), (other, text) = await kept("anna")
    his = await kept("bert")
    assert [words for _, words in his] == ["I play chess."]
    assert not await memory.delete("bert", one) and not await memory.change("bert", one, "I play the flute.")
    assert await memory.delete("anna", one) is True
    assert await memory.delete("anna", one) is False
    assert await kept("anna") == [(other, text)]
    assert await memory.change("anna", other, "I live in Oslo.") is True
    assert [words for _, words in await kept("anna")] == ["I live in Oslo."]
    assert await memory.forget("anna") > 0
    assert await memory.memories("anna") == []
    assert await kept("bert") == his
    memory.close()
