"""What the face answers and does: the life of a reply, what interrupts it, what goes on while the user speaks.

It does not know what a client sent, nor how a reply is worded or drawn. Start with the `Responder`, the one place where
a reply begins and is interrupted; `Agent` puts the parts together.
"""
