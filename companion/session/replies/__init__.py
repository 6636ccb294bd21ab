"""What the face answers and does: the life of a reply, interruptions, reactions while the user speaks.

It does not know what a client sent, nor how a reply is worded or rendered. Start with `Responder`, the only place where
a reply begins and is interrupted; `Agent` assembles the parts.
"""
