"""The output filter: sentences that a language model must not say, such as advice that needs a professional, or the
rules that it was given."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from companion.safety.policy import Output
from companion.speech.text.sentences import words

LEAK_WORDS = 7  # words in a row that betray a rule
CODE_DIGITS = 3  # digits that make a word a code
LONGEST_CODE = 200  # characters in which one may be spelled out
LEAK_WORDS_OF_INSTRUCTIONS = 10  # the same of instructions, which may hold what is to be said
SHORTEST_RULE_WORDS = 4  # words of a rule that is betrayed by all of them
_SENTENCE = re.compile(r"[.!?]\s|\n(?![a-z])")  # a line that goes on in lower case is the same one


class Private(NamedTuple):
    """What users must not read: ``rules``, of which nothing is said again, and ``instructions``."""

    rules: str = ""
    instructions: str = ""


class OutputFilter:
    """One session's, by the ``output`` rules of the policy; ``private`` gives what no user is to read."""

    def __init__(self, output: Output, private: Callable[[], Private]) -> None:
        self._rules, self._private = output, private
        self.begin()

    def begin(self) -> None:
        """A new reply begins."""
        self._said = ""  # in this reply
        self._stopped: set[str] = set()  # replacements that were used in it

    def allowed(self, sentence: str, minor: bool) -> str:
        """A sentence of the model, or its replacement; "" for a second replacement of the same kind in one reply."""
        stops = (stop for stop in self._rules.stop if minor or not stop.minors)
        instead = next((stop.say for stop in stops if stop.pattern.search(sentence)), "")
        private, so_far = self._private(), f"{self._said[-LONGEST_CODE:]} {sentence}"
        if not instead and (_betrays(sentence, private) or _tells_code(so_far, private, self._rules.digits)):
            instead = self._rules.leak
        if not instead:
            self._said = so_far
            return sentence
        said = instead not in self._stopped
        self._stopped.add(instead)
        return instead if said else ""


def _betrays(said: str, private: Private) -> bool:
    """Whether it repeats `LEAK_WORDS` words of a rule in a row or all of a short one, a code in a rule, or a
    `LEAK_WORDS_OF_INSTRUCTIONS` part of the instructions."""
    if _codes(private) & set(words(said)):
        return True
    short = {tuple(words(sentence)) for sentence in _SENTENCE.split(private.rules)}
    whole = any(one in _runs(said, len(one)) for one in short if SHORTEST_RULE_WORDS <= len(one) < LEAK_WORDS)
    return whole or any(
        _runs(said, n) & _runs(text, n)
        for text, n in zip(private, (LEAK_WORDS, LEAK_WORDS_OF_INSTRUCTIONS), strict=True)
    )


def _tells_code(said: str, private: Private, digits: Sequence[str]) -> bool:
    """Whether it spells out a code in a rule; ``digits`` are the words for 0 to 9."""
    if not (codes := _codes(private)):
        return False
    for value, word in enumerate(digits):
        said = re.sub(rf"\b{word}\b", str(value), said, flags=re.IGNORECASE)
    joined = re.sub(r"(?<=\d)[\W_]+(?=\d)", "", said.lower())
    return any(code in joined for code in codes)


def _codes(private: Private) -> set[str]:
    return {word for word in words(private.rules) if sum(map(str.isdigit, word)) >= CODE_DIGITS}


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Every run of this many words."""
    all_words = words(text)
    return {tuple(all_words[start : start + length]) for start in range(len(all_words) - length + 1)}
