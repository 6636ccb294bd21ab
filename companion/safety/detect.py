"""Detects whether a user is in danger, and which: by phrases that say so explicitly, then by a small network that
classifies each sentence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from companion.safety.network import Judges
from companion.safety.policy import Crisis

Level = Literal["none", "concern", "ask", "crisis"]

MOST_SENTENCES = 40  # last sentences of a message that are judged
LONGEST_MESSAGE = 20_000  # last characters of a message that are read
SHORT_ANSWER_WORDS = 8  # words up to which a message is judged together with the user's previous one
EARLIER_MESSAGES = 6  # earlier messages that are searched for the start of a role play
SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a message.

    ``level``: "crisis" is certain, "ask" is likely enough to ask the user, "concern" is explicit, but about somebody
    else, the past or a story. ``score`` is the probability of danger from 0 to 1, or a fixed value where a phrase
    decided; ``about`` is the kind of danger; ``by`` is the layer that decided.
    """

    level: Level
    score: float = 0.0
    about: str = "suicide"
    by: Literal["phrase", "meaning", "none"] = "none"


class Detector:
    """Judges messages by the patterns of ``policy`` and by ``network``; without one, by the patterns alone."""

    def __init__(self, policy: Crisis, network: Judges | None) -> None:
        self._policy, self._network = policy, network

    def judge(self, text: str, before: Sequence[str] = ()) -> Verdict:
        """Judge a message -> the verdict on its most worrying sentence.

        ``before`` are the messages before it, alternately of the user and the companion, the companion's last. Blocks
        for a few milliseconds per sentence. Raises StageError when the network's model is missing.
        """
        text = text[-LONGEST_MESSAGE:].replace("\u2019", "'")
        sentences = [s for s in (part.strip() for part in SENTENCE.findall(text)) if s][-MOST_SENTENCES:]
        meant = bool(self._policy.real.search(text))
        if not meant and self._is_play(text, before):
            said = any(_matches(self._policy.certain, sentence) for sentence in sentences)
            own = said and not self._policy.told.search(text) and not _matches(self._policy.excuses, text)
            return Verdict("ask", 1.0, by="phrase") if own else Verdict("concern" if said else "none")
        outright = [found for sentence in sentences if (found := self._outright(sentence, meant))]
        if certain := next((found for found in outright if found.level == "crisis"), None):
            return certain
        pairs = [" ".join(pair) for pair in zip(sentences, sentences[1:], strict=False)]
        near = self._near([*sentences, *pairs], text, before)
        return near if near.level == "ask" or not outright else outright[0]

    def _is_play(self, text: str, before: Sequence[str]) -> bool:
        policy = self._policy
        return bool(policy.told.search(text)) or any(
            policy.played.search(told[-LONGEST_MESSAGE:]) for told in (*before[-EARLIER_MESSAGES:], text)
        )

    def _outright(self, sentence: str, meant: bool) -> Verdict | None:
        """The verdict of the patterns on one sentence: a crisis, a concern where the context excuses it, or None."""
        policy = self._policy
        about = "suicide" if _matches(policy.certain, sentence) else ""
        about = about or next((sign.about for sign in policy.sure if sign.pattern.search(sentence)), "")
        if not about:
            return None
        excused = not meant and _matches(policy.excuses, sentence) and not policy.insists.search(sentence)
        return Verdict("concern", 0.5, about, "phrase") if excused else Verdict("crisis", 1.0, about, "phrase")

    def _near(self, sentences: Sequence[str], text: str, before: Sequence[str]) -> Verdict:
        if self._network is None or not sentences:
            return Verdict("none")
        joined = [f"{before[-2]} {text}"] if len(before) > 1 and len(text.split()) <= SHORT_ANSWER_WORDS else []
        if joined and self._network.judge([before[-2][-LONGEST_MESSAGE:]])[0].danger >= self._policy.near:
            joined = []  # the previous message was judged dangerous itself
        worst = max(self._network.judge([*sentences, *joined]), key=lambda near: near.danger)
        return Verdict("ask" if worst.danger >= self._policy.near else "none", worst.danger, worst.about, "meaning")


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)
