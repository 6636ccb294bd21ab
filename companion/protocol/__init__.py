"""What travels on the wire: every event, its form as a message, and what a client may set.

It does not know what an event does; that is the session's business. Start with `companion.protocol.events`; for
authors of clients there is ``docs/protocol.md``.
"""
