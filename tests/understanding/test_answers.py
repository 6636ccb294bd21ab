"""What learners say to a question: right and wrong answers, and all that is no answer."""

import pytest

from companion import resources
from companion.dialogue.lessons import lesson
from companion.dialogue.lessons.lesson import Lesson
from companion.dialogue.lessons.tutor import Tutor

FOLDER = resources.folder("prompts")
TUTORING = lesson.tutoring(FOLDER)
LESSONS = {path.stem: Lesson.read(path, TUTORING) for path in (FOLDER / "lessons").glob("*.md")}


def judged(name, item, said):
    """Whether the tutor takes it for a right answer to that question of the lesson, True or False; None for none."""
    taught, told = LESSONS[name], []
    tutor = Tutor(taught, TUTORING[taught.language], told.append)
    tutor.hear("Ask me a question.")
    for before in taught.items[:item]:
        tutor.hear(before.answers[0])
    assert [progress.right for progress in told] == [True] * item
    tutor.hear(said)
    return told[item].right if len(told) > item else None


def each(table):
    return [(name, item, text.strip()) for (name, item), texts in table.items() for text in texts.strip().split("\n")]


RIGHT = {
    ("fractions", 0): """
        one 4th
        A quarter.
        One quarter?
        Is it a quarter?
        I think it's one fourth.
        1/4
        25%
        One out of four.
        One of the four pieces.
        I'm not sure, a quarter?
        I don't know, maybe one quarter?
        Um, one over four.
        a third, no, a quarter
        Not a third, a quarter.
        I ate one quarter of the pizza.
        A quarter, because there are four pieces and I ate one.
        The answer is one fourth, right?
        Would it be 0.25?
        Mr. Hale, it's a quarter!""",
    ("fractions", 1): """
        3 fourths
        0.75
        three out of four
        3-quarters
        3-4ths
        Three quarters are left.
        There are three quarters left.
        One minus one quarter is three quarters.
        Seventy-five percent.
        ¾
        Three of the four pieces.
        It's three fourths, because one is gone.
        A half? No, wait, three quarters.
        So 6/8.
        Three over four.
        Three quarters of the pizza is left.""",
    ("fractions", 2): """
        1/3rd
        A third.
        The third.
        One third is more.
        One third is bigger than one fifth.
        One fifth is smaller.
        One fifth is less than one third.
        A third is larger because fewer share.
        Maybe one third?
        one third of course
        Third!""",
    ("fractions", 3): """
        two fourths
        2/4
        50%
        0.5
        A half.
        One half.
        Half.
        It's the same as a half.
        Two quarters is one half.
        four eighths
        Half of the pizza.
        nought point five
        5 tenths""",
    ("fractions", 4): """
        3 fifths
        60%
        3-5
        3 over 5
        One fifth and two fifths is three fifths.
        One fifth plus two fifths makes three fifths.
        Three fifths together.
        three fifth
        six tenths
        0.6
        That makes 3/5.""",
    ("words", 0): """
        A library.
        library
        I think it's a library.
        Is it a library?
        It's called a library!
        the public library
        a libary
        Um, the library, because there are books.
        a bookshop, no, a library""",
    ("words", 1): """
        An architect.
        architect
        I guess an architect?
        We call them architects.
        That's an arkitect.""",
    ("words", 2): "stingy\nMean.\nGreedy?\nI'd say selfish.\nThe opposite is stingy.",
    ("words", 3): "modern\nNew.\nIt's new.\nI think modern.",
    ("words", 4): "A synonym.\nsynonyms\nIs it a synonym?\nIt's called a synonym.",
}

WRONG = {
    ("fractions", 0): """
        quarter to five
        Three quarters.
        One.
        One piece.
        Half?
        Four.
        It isn't a quarter.
        I don't think it's a quarter.
        A quarter or a third.
        not a quarter
        One fifth, I think.
        a quarter, no, a third""",
    ("fractions", 1): "one quarter\nThree.\nThree pieces are left.\nTwo thirds.\nThree quarters or one half?\n3/5",
    ("fractions", 2): """
        One fifth.
        One fifth is more.
        One third is smaller.
        One third is less than one fifth.
        A fifth is bigger than a third.
        A fifth because five is more than three.""",
    ("fractions", 3): "half a quarter\nOne quarter.\nTwo.\n1.5\nfour quarters\na third",
    ("fractions", 4): "three tenths\nTwo fifths.\nOne fifth.\n3\nOne fifth and two fifths is three tenths.",
    ("words", 0): "A bookshop.\nA museum?\nschool\nI think it's a school.\nIt is not a library.\na library or a school",
    ("words", 1): "A builder.\nis it a painter",
    ("words", 2): "rich\nIt's kind.",
    ("words", 3): "old\nI think it's big.",
    ("words", 4): "an antonym\nA twin word.",
}

NEITHER = """
    Okay.
    Ok!
    Thank you.
    Thanks a lot.
    Hello!
    Hi there.
    Good morning.
    Hm.
    Oh, I see.
    Wow!
    No problem.
    Just a moment.
    Let me think.
    Wait.
    I don't want to.
    I don't want to do this any more.
    I need to go.
    I have to go to the bathroom.
    I must go now, bye.
    Goodbye.
    Stop.
    Please stop.
    Can we stop?
    Can we take a break?
    I'm bored.
    This is boring.
    I'm done.
    No more questions.
    Can we talk about dinosaurs?
    Let's talk about something else.
    Tell me about the moon.
    Can you tell me a story?
    Let's play a game.
    My dog died.
    My dog died today.
    My dog died two days ago.
    My grandma is in hospital.
    I feel sad.
    I'm tired.
    I'm hungry.
    I am nine years old.
    I have two brothers.
    My sister is five.
    We have 3 cats at home.
    I got an A in maths.
    I was ill last week.
    Mom made pancakes.
    Dad is calling me.
    Someone is at the door.
    I don't get it.
    I don't understand.
    I don't know.
    No idea.
    What do you mean?
    Can you help me?
    Give me a hint.
    This is too hard.
    Tell me the answer.
    What's the answer?
    Repeat the question please.
    Can you say that again?
    What was the question?
    Pardon?
    Why is the sky blue?
    How old are you?
    Who are you?
    What is a fraction?
    How do you add fractions?
    Do you like pizza?
    What's your favourite colour?
    Where do you live?
    Are you a robot?
    What time is it?
    Solve x + 3 = 7.
    What is 7 times 8?
    What is two plus two?
    How much is ten divided by two?
    Count to ten.
    Set a timer for five minutes.
    It's five o'clock.
    Give me 5 minutes.
    Sorry, my brother came in.
    Look, it's snowing!
    Guess what happened today!
    You are funny.
    I like you.
    I hate maths.
    I'm 50% sure.
    I can't hear you.
    Shut up.
    I love pizza.
    1 1 1 1 1 1 1 1
    I think 1 1 1 1 1 1 1 1 1 1
"""


@pytest.mark.parametrize(("name", "item", "said"), each(RIGHT))
def test_a_right_answer_is_right_however_it_is_put(name, item, said):
    assert judged(name, item, said) is True


@pytest.mark.parametrize(("name", "item", "said"), each(WRONG))
def test_another_answer_is_wrong(name, item, said):
    assert judged(name, item, said) is False


@pytest.mark.parametrize("said", [text.strip() for text in NEITHER.strip().split("\n")])
def test_what_is_no_answer_is_not_judged(said):
    for name in LESSONS:
        assert [judged(name, item, said) for item in range(5)] == [None] * 5
