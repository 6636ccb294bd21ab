"""The output filter: replaces sentences that a language model must not say, such as professional advice, or the
instructions that it was given."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from companion.safety.policy import Output
from companion.speech.text.sentences import words

LEAK_WORDS = 7  # consecutive words of a rule that count as a leak
CODE_DIGITS = 3  # digits from which on a word counts as a code
LONGEST_CODE = 200  # characters of earlier sentences that are searched for a code spelled out digit by digit
LEAK_WORDS_OF_INSTRUCTIONS = 10  # the same as LEAK_WORDS for instructions, parts of which may rightly be said
SHORTEST_RULE_WORDS = 4  # words of the shortest rule that is protected; a short rule leaks only as a whole
_SENTENCE = re.compile(r"[.!?]\s|\n(?![a-z])")  # ends of sentences; a line that starts in lower case continues one


class Private(NamedTuple):
    """Texts that must not be repeated to users: ``rules``, which are protected strictly, and ``instructions``."""

    rules: str = ""
    instructions: str = ""


class OutputFilter:
    """The filter of one session, by the policy's ``output``; ``private`` returns the texts that no user may read."""

    def __init__(self, output: Output, private: Callable[[], Private]) -> None:
        self._rules, self._private = output, private
        self.begin()

    def begin(self) -> None:
        """Start a new reply."""
        self._said = ""  # in this reply
        self._stopped: set[str] = set()  # replacements that were used in it

    def allowed(self, sentence: str, minor: bool) -> str:
        """Filter the next sentence of a reply -> the sentence or its replacement; "" where the same replacement was
        already used in this reply. ``minor``: also apply the rules for minors."""
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
    """Whether ``said`` repeats `LEAK_WORDS` consecutive words of a rule, all of a short rule, a code in a rule, or
    `LEAK_WORDS_OF_INSTRUCTIONS` consecutive words of the instructions."""
    if _codes(private) & set(words(said)):
        return True
    short = {tuple(words(sentence)) for sentence in _SENTENCE.split(private.rules)}
    whole = any(one in _runs(said, len(one)) for one in short if SHORTEST_RULE_WORDS <= len(one) < LEAK_WORDS)
    return whole or any(
        _runs(said, n) & _runs(text, n)
        for text, n in zip(private, (LEAK_WORDS, LEAK_WORDS_OF_INSTRUCTIONS), strict=True)
    )


def _tells_code(said: str, private: Private, digits: Sequence[str]) -> bool:
    """Whether ``said`` spells out a code in a rule; ``digits`` are the words for 0 to 9."""
    if not (codes := _codes(private)):
        return False
    for value, word in enumerate(digits):
        said = re.sub(rf"\b{word}\b", str(value), said, flags=re.IGNORECASE)
    joined = re.sub(r"(?<=\d)[\W_]+(?=\d)", "", said.lower())
    return any(code in joined for code in codes)


def _codes(private: Private) -> set[str]:
    return {word for word in words(private.rules) if sum(map(str.isdigit, word)) >= CODE_DIGITS}


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Every n-gram of ``length`` words in ``text``."""
    all_words = words(text)
    return {tuple(all_words[start : start + length]) for start in range(len(all_words) - length + 1)}
