"""The companion: listens to a user, decides what to say, and says it with an animated face.

It does not know how a face is moved or rendered: that is `animator`, which it imports and which never imports it. Start
with `companion.session.session` (one conversation) and `companion.stages.protocols` (the interface of each model).
"""

__version__ = "0.1.0"
