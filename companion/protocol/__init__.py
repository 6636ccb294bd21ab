"""The protocol: every event, its encoding as a websocket message, and the settings that a client may change.

It does not know what an event does: that is up to the session. Start with `companion.protocol.events`; authors of
clients start with ``docs/protocol.md``.
"""
