"""Which memory takes which one's place, and what stays of one that is corrected."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from companion.errors import StageError
from companion.memory import store
from companion.memory.notes import Note
from companion.memory.seal import Plain
from companion.memory.store import ABANDONED_AFTER, SAME_COSINE, Past, Store
from companion.memory.tables import open_database
from companion.stages.protocols import Message

MONDAY = datetime(2026, 6, 1, 12)


class Angles:
    """An embedder for which a text that ends in a number lies at that angle, in degrees."""

    def embed(self, texts):
        turned = np.radians([float(text.rsplit(" ", 1)[1]) for text in texts])
        vectors = np.zeros((len(texts), 384), np.float32)
        vectors[:, 0], vectors[:, 1] = np.cos(turned), np.sin(turned)
        return vectors


ALIKE, UNLIKE = 30, 33  # degrees: cosines of 0.866 and 0.839


@pytest.fixture
def opened():
    return open_database(":memory:", Plain())


@pytest.fixture
def kept(opened):
    return Store(opened, Plain(), Angles())


def past(user="anna", conversation="c1", at=MONDAY):
    return Past(conversation, user, [Message("user", "Hello.")], at)


def texts(kept, user="anna"):
    return [memory.text for memory in kept.everything(user) if memory.id is not None]


def test_the_bound_lies_between_the_angles():
    assert np.cos(np.radians(UNLIKE)) < SAME_COSINE < np.cos(np.radians(ALIKE))


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        # a note of the model's gives way to what says the same
        (Note("a 0", "noted", 1.0), Note(f"b {ALIKE}", "said", 1.0), [f"b {ALIKE}"]),
        (Note("a 0", "noted", 1.0), Note(f"b {UNLIKE}", "said", 1.0), [f"b {UNLIKE}", "a 0"]),
        # the user's own words do not
        (Note("a 0", "said", 1.0), Note(f"b {ALIKE}", "said", 1.0), [f"b {ALIKE}", "a 0"]),
        (Note("a 0", "told", 1.0), Note(f"b {ALIKE}", "said", 1.0), [f"b {ALIKE}", "a 0"]),
        # and a note of the model's that says what is known is not taken
        (Note("a 0", "said", 1.0), Note(f"b {ALIKE}", "noted", 1.0, "home"), ["a 0"]),
        (Note("a 0", "said", 1.0), Note(f"b {UNLIKE}", "noted", 1.0, "home"), [f"b {UNLIKE}", "a 0"]),
        # there is one of each slot: the newer, but what the user has corrected stays
        (Note("a 0", "said", 1.0, "home"), Note("b 90", "said", 1.0, "home"), ["b 90"]),
        (Note("a 0", "said", 1.0, "home"), Note("b 90", "said", 1.0, "name"), ["b 90", "a 0"]),
        (Note("a 0", "told", 1.0, "home"), Note("b 90", "said", 1.0, "home"), ["a 0"]),
        # the same words are one memory
        (Note("a 0", "said", 1.0), Note("a 0", "said", 2.0), ["a 0"]),
    ],
)
def test_what_takes_the_place_of_what(kept, old, new, left):
    kept.remember(past(), [old])
    kept.remember(past(at=MONDAY + timedelta(days=1)), [new])
    assert texts(kept) == left


def test_the_same_words_of_another_user_are_another_memory(kept):
    for user in ("anna", "bert"):
        kept.remember(past(user, f"c-{user}"), [Note("a 0", "said", 1.0, "home")])
    kept.remember(past("bert", "c-bert"), [Note("b 90", "said", 1.0, "home")])
    assert (texts(kept, "anna"), texts(kept, "bert")) == (["a 0"], ["b 90"])


def test_nobody_corrects_the_memory_of_another_user(kept):
    kept.remember(past(), [Note("a 0", "said", 3.0)])
    (own,) = kept.of("anna")
    for other in ("aaron", "zoe", ""):  # before and after her in the alphabet
        assert kept.change(other, own.id, "b 20") is False
    assert kept.change("anna", own.id + 1, "b 20") is False
    assert "a 0" in texts(kept)


def test_a_correction_changes_the_words_and_nothing_else(kept):
    kept.remember(past(), [Note("a 0", "said", 3.0, "home"), Note("c 90", "said", 1.0)])
    (before,) = [memory for memory in kept.of("anna") if memory.note.slot]
    assert kept.change("anna", before.id, f"b {ALIKE}") is True
    (after,) = [memory for memory in kept.of("anna") if memory.id == before.id]
    assert (after.note.text, after.note.kind) == (f"b {ALIKE}", "told")
    assert (after.note.importance, after.note.slot, after.at) == (3.0, "home", MONDAY)
    np.testing.assert_allclose(after.vector, Angles().embed([f"b {ALIKE}"])[0], atol=1e-3)
    assert "c 90" in texts(kept)


def test_a_deletion_takes_one_memory_of_one_user(kept):
    kept.remember(past(), [Note("a 0", "said", 1.0), Note("b 90", "said", 1.0)])
    kept.remember(past("bert", "c2"), [Note("c 45", "said", 1.0)])
    one, other = kept.of("anna")
    assert kept.delete("bert", one.id) is False
    assert kept.delete("anna", one.id) is True
    assert kept.delete("anna", one.id) is False
    assert (texts(kept), texts(kept, "bert")) == ([other.note.text], ["c 45"])


@pytest.mark.parametrize(
    "change", [{"name": "bert"}, {"id": "c2"}, {"at": MONDAY}], ids=["another user", "another", "it went on"]
)
def test_notes_are_taken_of_the_conversation_as_it_stands_alone(kept, change):
    kept.remember(past(), [])
    (stands,) = kept.over("c1")
    altered = Past(**{"id": stands.id, "name": stands.name, "messages": stands.messages, "at": stands.at} | change)
    kept.conclude(altered, [Note("a 0", "noted", 1.0)])
    assert texts(kept) == [] and kept.over("c1") == [stands]
    kept.conclude(stands, [Note("a 0", "noted", 1.0)])
    assert texts(kept) == ["a 0"] and kept.over("c1") == []


def test_what_a_process_left_behind_is_over_after_an_hour(kept, monkeypatch):
    kept.remember(past(conversation="old"), [])
    (left,) = kept.over("old")
    for after, found in (
        (ABANDONED_AFTER - timedelta(minutes=1), []),
        (ABANDONED_AFTER + timedelta(minutes=1), ["old"]),
    ):
        monkeypatch.setattr(store, "now", lambda after=after: left.at + after)
        assert [conversation.id for conversation in kept.over("new")] == found


def test_everything_is_all_that_is_stored_of_a_user_and_of_nobody_else(kept, monkeypatch):
    for day, (user, text) in enumerate((("anna", "a 0"), ("bert", "b 0"), ("anna", "c 90"), ("anna", "d 45"))):
        monkeypatch.setattr(store, "now", lambda day=day: MONDAY + timedelta(days=day))
        said = Past(f"c{day}", user, [Message("user", f"I said {text}")], MONDAY + timedelta(days=min(day, 2)))
        kept.remember(said, [Note(text, "said", 1.0 + day)])
    found = [(one.kind, one.text, one.importance, one.at) for one in kept.everything("anna")]
    days = [MONDAY + timedelta(days=day) for day in range(4)]
    assert found == [
        ("said", "d 45", 4.0, days[2]),  # the newest first, of one day the one that was stored last
        ("said", "c 90", 3.0, days[2]),
        ("said", "a 0", 1.0, days[0]),
        ("conversation, user", "I said d 45", 0.0, days[3]),
        ("conversation, user", "I said c 90", 0.0, days[2]),
        ("conversation, user", "I said a 0", 0.0, days[0]),
    ]


def test_a_conversation_keeps_its_newest_lines_in_order(kept, monkeypatch):
    monkeypatch.setattr(store, "MOST_MESSAGES", 3)
    for number in range(5):
        kept.remember(Past("c1", "anna", [Message("user", str(number))], MONDAY), [])
    (stored,) = kept.over("c1")
    assert [message.content for message in stored.messages] == ["2", "3", "4"]
    with pytest.raises(StageError, match="another user's") as caught:
        kept.remember(past("bert"), [])
    assert caught.value.code == "memory_foreign"


def test_what_is_known_word_for_word_is_not_concluded_again(kept):
    kept.remember(past(), [Note("a 0", "said", 1.0)])
    (stands,) = kept.over("c1")
    kept.conclude(
        stands, [Note("a 0", "noted", 1.0), Note(f"b {ALIKE}", "noted", 1.0, "home"), Note("c 90", "noted", 1.0)]
    )
    assert texts(kept) == ["c 90", "a 0"]


def test_a_dropped_conversation_is_gone_alone(kept):
    for name in ("c1", "c2"):
        kept.remember(past(conversation=name), [])
    kept.drop("c1")
    assert (kept.over("c1"), len(kept.over("c2"))) == ([], 1)
