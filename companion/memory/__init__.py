"""What is remembered between sessions. Whether it may be is the caller's question, and the user's answer."""

from companion.memory.longterm import LongTerm, Off

__all__ = ["LongTerm", "Off"]
