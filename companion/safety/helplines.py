"""Helplines: whom a user in danger is referred to, and in which words."""

from collections.abc import Callable

from companion.protocol.settings import Settings
from companion.safety.policy import Line, Policy, Words


class Helplines:
    """The helplines for one session. ``country`` (ISO 3166-1 alpha-2) is the operator's default; ``settings`` returns
    the session's current settings, ``minor`` whether the user is a minor. In the methods ``about`` is the kind of
    danger, as in `Verdict`."""

    def __init__(
        self, policy: Policy, country: str, settings: Callable[[], Settings], minor: Callable[[], bool]
    ) -> None:
        self._policy, self._country, self._settings, self._minor = policy, country, settings, minor

    def lines(self, about: str) -> list[Line]:
        """The helplines of the user's country for this danger, the best one first; empty if none are known."""
        return self._policy.help.lines_for(self._settings().safety.country or self._country, self._minor(), about)

    def words(self, about: str) -> Words:
        """What to say about this danger; about suicide in the user's language, where the policy has it."""
        if about != "suicide":
            return self._policy.emergencies.words(about)
        asked = self._settings().audio.input.transcription
        return self._policy.handoff.languages.get((asked and asked.language) or "", self._policy.handoff)

    def whom_to_call(self, about: str) -> str:
        """A sentence that names the best helpline, or what to say where none is known."""
        lines, words = self.lines(about), self.words(about)
        if not lines:
            return words.nobody
        own = lines[0].about == about and not lines[0].hours
        help = words.help if own or about not in ("suicide", "abuse") else words.sometimes
        return help.format(name=lines[0].name, call=lines[0].call, emergency=lines[0].emergency)
