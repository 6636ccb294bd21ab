"""The server: the ASGI application, one client's line and its outbox, access control, pictures and memories over HTTP.

It does not know what is said in a session: it passes events on in both directions. Start with `companion.server.app`
(the routes) and `companion.server.connection` (one line); `companion.server.launch` runs them.
"""
