"""What follows from one verdict after the other."""

import pytest

from companion.safety import policy
from companion.safety.detect import Verdict
from companion.safety.watch import Watch


def steps(*turns: tuple[str, str]) -> list[tuple[str, str]]:
    """What is done about turns that are (said, near to this danger or "")."""
    watch, done = Watch(policy.load().crisis), list[tuple[str, str]]()
    for said, about in turns:
        step = watch.step(said, Verdict("ask", 0.6, about) if about else Verdict("none"))
        done.append((step.does, step.about))
    return done


def test_two_turns_that_are_near_to_different_dangers_are_no_crisis():
    turns = ("I moved last week and I know nobody here.", "child"), ("I hear my neighbour sneeze.", "psychosis")
    assert steps(*turns, ("The walls are thin.", "")) == [
        ("ask", "child"),
        ("ask", "psychosis"),
        ("concern", "psychosis"),
    ]


@pytest.mark.parametrize(("asked", "about"), [("suicide", "suicide"), ("suicide", "medical"), ("abuse", "abuse")])
def test_what_bears_out_the_danger_that_was_asked_about_is_acted_on(asked, about):
    assert steps(("So it is.", asked), ("I said it before.", about))[1] == ("act", about)


def test_a_yes_is_acted_on_whatever_else_it_is_near_to():
    assert steps(("I can't go on.", "suicide"), ("Yes, and he is at the door.", "intruder"))[1][0] == "act"


@pytest.mark.parametrize(
    "said", ["That's not what I said.", "You misunderstood me.", "I didn't mean that.", "Nobody is hurting me."]
)
def test_who_was_misunderstood_is_believed(said):
    assert steps(("Do you think he hates me?", "abuse"), (said, ""))[1] == ("believe", "abuse")
    handed = ("He hates me.", "abuse"), ("He does.", "abuse"), (said, "")
    assert [does for does, _ in steps(*handed)] == ["ask", "act", "relief"]
    assert steps(("He hates me.", "abuse"), ("He says that nobody would believe me.", "abuse"))[1][0] == "act"
