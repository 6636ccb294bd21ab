"""Care for the user: crises are recognised and handed over, an AI says that it is one, nobody talks without a break.

What is said and by which rules is in ``prompts/safety``; here is only the machinery. Start with
`companion.safety.guard`, one session's care.
"""

from companion.safety.guard import Guard, Safety
from companion.safety.output import Private

__all__ = ["Guard", "Private", "Safety"]
