"""The visitor of a session: whose memories they may see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose memories this visitor may see: ``user``'s alone; nobody's if it is empty; anyone's if it is None."""

    user: str | None = None

    def may_be(self, user: str) -> bool:
        return self.user is None or self.user == user != ""


NOBODY = Visitor("")  # may talk, and see nobody's memory
