"""What is remembered between sessions: stored as it is said, recalled by meaning, seen and changed by its user.

Whether it may be is the caller's question, and the user's answer. Start with `companion.memory.longterm`; what is
worth keeping is decided in `companion.memory.notes`, by the patterns of ``prompts/memory.md``.
"""

from companion.memory.longterm import LongTerm, Off

__all__ = ["LongTerm", "Off"]
