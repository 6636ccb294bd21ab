"""The companion: hears a user, decides what to say, and says it with a face.

It does not know how a face is moved or drawn: that is `animator`, which it imports and which never imports it. Start
with `companion.session.session`, one conversation, and `companion.stages.protocols`, what every model has to do.
"""

__version__ = "0.1.0"
