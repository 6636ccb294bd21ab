"""Long-term memory: what users say is stored during a session, recalled by embedding, and open to its user's changes.

It does not know whether the user has consented: callers must ask before they store anything. Start with
`companion.memory.longterm`; `companion.memory.notes` decides what to keep, by the patterns of ``prompts/memory.md``.
"""

from companion.memory.longterm import LongTerm, Off

__all__ = ["LongTerm", "Off"]
