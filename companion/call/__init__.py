"""A conversation without a browser: sound files are the user, and what the client would get is recorded.

It does not know how its session works inside; it only sends and receives events. Start with `companion.call.caller`;
``companion talk`` is `companion.call.talk`.
"""
