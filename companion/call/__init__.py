"""Conversations without a browser: audio files act as the user, and what a client would receive is recorded.

It does not know how a session works inside; it only sends and receives events. Start with `companion.call.caller`;
the commands are `companion.call.talk` (``companion talk``) and `companion.call.replay`.
"""
