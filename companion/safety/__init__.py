"""Safety: detects crises and refers to helplines, discloses that this is an AI, filters output, limits minors' time.

It does not know what to say or which patterns to look for: those are data, in ``prompts/safety``. Start with
`companion.safety.guard` (the safety of one session).
"""

from companion.safety.guard import Guard, Safety
from companion.safety.output import Private

__all__ = ["Guard", "Private", "Safety"]
