"""What is said again after a pause, to the sample."""

import numpy as np
import pytest

from companion.speech.playout import BUFFER_SAMPLES, REPLAY_SAMPLES, Cue, Line, Mouth
from companion.stages.protocols import SPEAK_RATE, Speech, Word

TENTH = SPEAK_RATE // 10
WORDS = ("one", "two", "three", "four")  # 0.1 s each, with 0.1 s of silence after each


def counting(tenths: int, first: int = 1) -> np.ndarray:
    """Each tenth of a second has its own number as samples."""
    return np.repeat(np.arange(first, first + tenths, dtype=np.float32), TENTH)


def spoken() -> tuple[Mouth, Line]:
    """A mouth with a line of 0.8 s, of which nothing has been taken."""
    mouth, line = Mouth(), Line("One two three four")
    feed = mouth.begin()
    feed.say(line)
    feed.put(Speech(counting(8), tuple(Word(word, 0.2 * i, 0.2 * i + 0.1) for i, word in enumerate(WORDS))))
    feed.finish()
    return mouth, line


def tenths(audio: np.ndarray) -> list[int]:
    return [int(number) for number in audio[::TENTH]]


def starts(line: Line) -> list[float]:
    return [round(word.start, 3) for word in line.words]


def test_a_word_that_was_cut_is_said_again_from_its_beginning():
    mouth, line = spoken()
    assert tenths(mouth.take(5 * TENTH).audio) == [1, 2, 3, 4, 5]
    assert mouth.again(2 * TENTH + TENTH // 2) == 3 * TENTH, "in the middle of the second"
    assert mouth.waiting == 6 * TENTH
    assert starts(line) == [0.0, 0.5, 0.7, 0.9]
    assert [round(word.end - word.start, 3) for word in line.words] == [0.1] * 4
    assert line.made == 11 * TENTH
    assert tenths(mouth.take(8 * TENTH).audio) == [3, 4, 5, 6, 7, 8, 0, 0]
    assert mouth.ends_at == 11 * TENTH and mouth.taken == 13 * TENTH
    assert line.end == 11 * TENTH and mouth.waiting == 0


@pytest.mark.parametrize(
    ("since", "later", "next_"),
    [
        (2 * TENTH, 3, [3, 4, 5, 6]),  # exactly where a word begins: that one
        (3 * TENTH - 1, 3, [3, 4, 5, 6]),  # its last sample
        (3 * TENTH, 2, [4, 5, 6, 7]),  # where it has ended nothing is cut
        (0, 5, [1, 2, 3, 4]),
        (5 * TENTH, 0, [6, 7, 8, 0]),  # nothing was taken that has not been shown
    ],
)
def test_where_it_goes_on_depends_on_where_it_paused(since, later, next_):
    mouth, _ = spoken()
    mouth.take(5 * TENTH)
    assert mouth.again(since) == later * TENTH
    assert tenths(mouth.take(4 * TENTH).audio) == next_


def test_what_was_taken_as_silence_after_the_end_is_not_said_again():
    mouth, line = spoken()
    mouth.take(10 * TENTH)
    assert mouth.ends_at == 8 * TENTH
    assert mouth.again(6 * TENTH) == 4 * TENTH
    assert mouth.waiting == 2 * TENTH and mouth.ends_at is None
    assert tenths(mouth.take(3 * TENTH).audio) == [7, 8, 0]
    assert mouth.ends_at == 12 * TENTH
    assert starts(line) == [0.0, 0.2, 0.4, 1.0]


def test_after_the_end_there_is_nothing_to_say_again():
    mouth, line = spoken()
    mouth.take(10 * TENTH)
    assert mouth.again(8 * TENTH) == 0
    assert (mouth.waiting, mouth.ends_at, starts(line)) == (0, 8 * TENTH, [0.0, 0.2, 0.4, 0.6])
    assert Mouth().again(0) == 0


def test_a_line_that_begins_later_is_moved_and_one_that_was_heard_is_not():
    mouth, first = spoken()
    second = Line("Five")
    mouth.begin()
    feed = mouth.begin()
    for line, number in ((first, 1), (second, 3)):
        feed.say(line)
        feed.put(Speech(counting(2, number), (Word("word", 0.0, 0.1),)))
    mouth.take(4 * TENTH)
    assert mouth.again(TENTH) == 3 * TENTH
    assert (first.start, second.start) == (0, 5 * TENTH)
    assert (starts(first), starts(second)) == ([0.0], [0.5])
    assert tenths(mouth.take(3 * TENTH).audio) == [2, 3, 4]


def test_no_more_is_said_again_than_is_kept():
    mouth, line = Mouth(), Line("Long")
    feed = mouth.begin()
    feed.say(line)
    feed.put(Speech(counting(50), (Word("long", 0.0, 5.0),)))
    mouth.take(40 * TENTH)
    assert mouth.again(TENTH) == REPLAY_SAMPLES
    assert tenths(mouth.take(2 * TENTH).audio) == [21, 22]


def test_a_cue_that_waits_comes_later_with_its_word():
    line = Line("One")
    cue = Cue(TENTH, line, Word("one", 0.1, 0.2)).later(2 * TENTH)
    assert (cue.at, cue.line, cue.word) == (3 * TENTH, line, Word("one", pytest.approx(0.3), pytest.approx(0.4)))
    assert Cue(TENTH, line).later(TENTH) == Cue(2 * TENTH, line)


async def test_there_is_room_until_enough_waits():
    mouth, line = Mouth(), Line("Long")
    feed = mouth.begin()
    feed.say(line)
    feed.put(Speech(np.ones(BUFFER_SAMPLES - 1, np.float32)))
    await feed.room()
    feed.put(Speech(np.ones(1, np.float32)))
    assert not mouth._room.is_set()
    mouth.take(1)
    await feed.room()
    assert mouth.waiting == BUFFER_SAMPLES - 1
    feed.put(Speech(np.ones(10, np.float32)))
    mouth.clear()
    await mouth.room()
    assert mouth.waiting == 0


def test_words_and_sentences_are_told_where_they_begin_and_silence_before_the_first_does_not_count():
    mouth, line = Mouth(), Line("1001 seas", shown=(("1001",), (), ("seas",)))
    feed = mouth.begin()
    assert (mouth.take(3 * TENTH).cues, mouth.taken) == ((), 0)
    feed.say(line)
    words = tuple(Word(text, 0.1 * i, 0.1 * i + 0.1) for i, text in enumerate(("thousand", "one", "seas")))
    feed.put(Speech(counting(3), words))
    told = [(cue.at, cue.word.text if cue.word else "") for cue in mouth.take(5 * TENTH).cues]
    assert told == [(0, ""), (0, "1001"), (2 * TENTH, "seas")]
    assert [(word.text, word.end) for word in line.words] == [
        ("1001", pytest.approx(0.2)),
        ("seas", pytest.approx(0.3)),
    ], "what is said of it last makes a word longer"
    assert mouth.taken == 5 * TENTH, "silence in between counts"


def test_what_is_said_again_is_of_the_line_that_was_cut():
    mouth, second = Mouth(), Line("Two")
    feed = mouth.begin()
    for line, number in ((Line("One"), 1), (second, 3)):
        feed.say(line)
        feed.put(Speech(counting(2, number), (Word("word", 0.0, 0.2),)))
    mouth.take(4 * TENTH)
    mouth.again(3 * TENTH)
    mouth.take(2 * TENTH)
    assert (second.made, second.end) == (4 * TENTH, 6 * TENTH)
