"""How much of a line counts as heard, at its edges."""

import pytest

from companion.conversation.items import Item, heard_text, unsaid
from companion.speech.playout import Line
from companion.stages.protocols import SPEAK_RATE, Word

SECOND = SPEAK_RATE


def line(text: str, start: int | None, seconds: float, words: tuple[Word, ...] = (), whole: bool = True) -> Line:
    """One that has been taken wholly, from ``start`` (samples) on."""
    length = round(seconds * SECOND)
    return Line(text, start=start, end=(start or 0) + length, made=length, whole=whole, words=list(words))


TIMED = (Word("One,", 1.0, 1.4), Word("two", 1.5, 1.9), Word("three.", 2.0, 2.4))


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (0, ""),
        (SECOND, ""),  # it begins now
        (round(1.2 * SECOND) - 1, ""),
        (round(1.2 * SECOND), "One,"),  # half of the word
        (round(1.7 * SECOND), "One, two"),
        (round(2.2 * SECOND) + 1, "One, two three."),
        (round(2.5 * SECOND) - 1, "One, two three."),
        (round(2.5 * SECOND), "One, two three."),  # all of the line
    ],
)
def test_words_count_from_their_middle_on(heard: int, text: str) -> None:
    assert heard_text([line("One, two three.", SECOND, 1.5, TIMED)], heard) == text


def test_nothing_follows_a_line_that_was_not_begun() -> None:
    first, second = line("One.", 0, 1.0), line("Two.", None, 1.0)
    later = line("Three.", SECOND, 1.0)
    assert heard_text([first, second, later], 3 * SECOND) == "One."
    assert heard_text([first, later], SECOND) == "One."
    assert heard_text([first, later], 2 * SECOND) == "One. Three."


def test_the_share_counts_where_the_words_are_not_the_text_s() -> None:
    """The voice says "twenty one" for "21", which fits no word of the text."""
    words = (Word("twenty", 0.0, 0.5), Word("one", 0.5, 1.0), Word("birds", 1.0, 2.0))
    said = line("21 birds sang", 0, 2.0, words)
    assert heard_text([said], round(0.4 * SECOND)) == "21"
    assert heard_text([said], round(1.2 * SECOND)) == "21 birds"


def test_case_and_signs_make_no_other_word() -> None:
    words = (Word("ONE", 0.0, 0.5), Word("o'clock", 0.5, 2.0))
    assert heard_text([line("One o\u2019clock!", 0, 2.0, words)], round(0.9 * SECOND)) == "One"


def test_a_line_is_as_long_as_it_was_made_or_as_its_text_lets_expect() -> None:
    text = "a b c d e f g h i j"
    quick, unfinished = line(text, 0, 0.5), line(text, 0, 0.5, whole=False)
    assert heard_text([quick], SECOND // 4) == "a b c d e"
    assert heard_text([unfinished], SECOND // 4) == "a b"
    assert heard_text([line("Hm", 0, 0.0)], 0) == ""


def test_what_was_not_heard_is_the_rest_with_its_feeling() -> None:
    said = Item("a", "assistant", sound=True, lines=[line("One two.", 0, 1.0), line("Three four.", SECOND, 1.0)])
    said.lines[1].emotion = "happy"
    said.heard = SECOND
    assert unsaid(said) == "[happy] Three four."
    said.heard = 2 * SECOND
    assert unsaid(said) == ""


@pytest.mark.parametrize(("share", "text"), [(0.3, "A"), (0.7, "A incomprehensibilities")])
def test_a_word_without_a_time_counts_from_its_middle_on(share: float, text: str) -> None:
    assert heard_text([line("A incomprehensibilities", 0, 1.0)], round(share * SECOND)) == text


def test_the_result_of_a_tool_is_told_as_the_clients_know_it() -> None:
    told = Item("item_1", "tool", "Rain", call_id="call_1").to_json()
    assert (told["type"], told["call_id"], told["output"]) == ("function_call_output", "call_1", "Rain")
    assert told["id"] == "item_1" and told["object"] == "realtime.item"
