"""Speech on its way: text becomes sentences that can be spoken, and sound waits to be shown.

It does not know who writes the text or who shows the sound. Start with `companion.speech.playout`, the buffer in which
the two loops of a session meet.
"""
