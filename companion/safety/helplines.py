"""Whom a user in danger is referred to, and with which words."""

from collections.abc import Callable

from companion.protocol.settings import Settings
from companion.safety.policy import Line, Policy, Words


class Helplines:
    """One session's. ``country`` (ISO 3166) is the operator's, for a user who names none; ``settings`` gives those that
    hold now; ``minor`` tells whether the user is one. ``about`` is the danger, as in `Line`."""

    def __init__(
        self, policy: Policy, country: str, settings: Callable[[], Settings], minor: Callable[[], bool]
    ) -> None:
        self._policy, self._country, self._settings, self._minor = policy, country, settings, minor

    def lines(self, about: str) -> list[Line]:
        """The helplines of the user's country, the best one first."""
        return self._policy.help.lines_for(self._settings().safety.country or self._country, self._minor(), about)

    def words(self, about: str) -> Words:
        """What is said about this danger, in the user's language if there are words in it."""
        if about != "suicide":
            return self._policy.emergencies.words(about)
        asked = self._settings().audio.input.transcription
        return self._policy.handoff.languages.get((asked and asked.language) or "", self._policy.handoff)

    def whom_to_call(self, about: str) -> str:
        """The best helpline as a sentence."""
        lines, words = self.lines(about), self.words(about)
        if not lines:
            return words.nobody
        own = lines[0].about == about and not lines[0].hours
        help = words.help if own or about not in ("suicide", "abuse") else words.sometimes
        return help.format(name=lines[0].name, call=lines[0].call, emergency=lines[0].emergency)
