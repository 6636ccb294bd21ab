"""The server: the ASGI application, one websocket and its outbox, who may enter, pictures and memories over HTTP.

It does not know what is said in a session: it passes events on, both ways. Start with `companion.server.app`, the
routes, and `companion.server.connection`, one websocket; `companion.server.launch` runs them.
"""
