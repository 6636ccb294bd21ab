"""What carries a session's events to its client and back: a websocket, or WebRTC with media tracks.

It does not know who may enter, nor what a session does with an event. Start with `companion.server.transport.wire`.
"""
