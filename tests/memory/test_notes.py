"""What is kept of a conversation: the user's own words where they matter, a model's notes where they are true."""

from datetime import datetime, timedelta

import pytest

from companion.memory import notes
from companion.memory.notes import Note, ago
from companion.stages.protocols import Message

WORDING = notes.load()
TALK = [
    Message("user", "I moved to Lyon in 2019 with my sister Clara. We play tennis on Sundays."),
    Message("assistant", "Lyon has wonderful food. My favourite is Paul Bocuse's soup."),
    Message("user", "I hurt my knee last week."),
]


def kept(said):
    return [note.text for note in notes.from_words(said, WORDING)]


@pytest.mark.parametrize(
    "said",
    [
        "My name is Anna.",
        "I live in Lyon.",
        "My dog is called Rex.",
        "I have two cats.",
        "My brother works on a ship.",
        "I'm allergic to nuts.",
        "I'm learning the piano.",
        "I would love to see Iceland.",
        "My birthday is in May.",
        "Tomorrow I have an exam.",
        "I just got a new job!",
        "Please remember that I hate coffee.",
    ],
)
def test_what_matters_is_kept_as_it_was_said(said):
    assert kept(f"Well. {said} How are you?") == [said]


@pytest.mark.parametrize(
    "said",
    [
        "What is my name?",
        "Nice weather.",
        "I like that.",
        "I would like to know the time.",
        "I have a question.",
        "My dog is called Rex, but don't tell anyone.",
        "Forget what I said. I live in Lyon.",
        "My password is hunter2 and my name is Anna.",
        "I want to kill myself.",
        "",
        "I like " + "very " * 100 + "much tea.",
    ],
)
def test_the_rest_is_not(said):
    assert kept(said) == []


def test_there_is_one_name_per_thing():
    slots = [note.slot for said in ("My dog is called Rex.", "My cat is called Tom.") for note in _notes(said)]
    assert slots == ["name of dog", "name of cat"]


def _notes(said):
    return notes.from_words(said, WORDING)


@pytest.mark.parametrize(
    ("line", "true"),
    [
        ("- They moved to Lyon in 2019", True),
        ("- They play tennis with Clara", True),
        ("- They hurt their knee", True),
        ("* They have a sister called Clara", True),
        ("- They moved to Lyon in 2020", False),
        ("- They moved to Paris", False),
        ("- They have a sister called Claire", False),
        ("- They like the soup of Paul Bocuse", False),  # the assistant said so
        ("- They are a famous tennis champion of France", False),
        ("They play tennis", False),  # not in the form asked for
        ("- Play tennis", False),
        ("- They want to die", False),
    ],
)
def test_a_models_note_is_kept_if_the_user_said_so(line, true):
    found = notes.from_model(f"Here is what I found:\n{line}\nNOTHING", TALK, WORDING)
    assert found == ([Note(line[2:], "noted", notes.NOTE_IMPORTANCE)] if true else [])


def test_a_summary_may_speak_of_both_sides_and_there_is_one():
    (note,) = notes.from_model("Summary: They talked about Lyon, its food and tennis.", TALK, WORDING)
    assert note.slot == "last talk"


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "today"), (1, "yesterday"), (3, "3 days ago"), (8, "8 days ago"), (21, "3 weeks ago"), (95, "3 months ago")],
)
def test_how_long_ago(days, words):
    now = datetime(2026, 6, 1, 0, 30)
    assert ago(now - timedelta(days=days), now) == words


def test_the_prompt_holds_the_conversation():
    prompt = notes.conversation_prompt(WORDING, TALK)
    assert "User: I hurt my knee last week." in prompt
    assert "Assistant: Lyon has" in prompt
