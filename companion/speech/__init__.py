"""Speech on its way to the user: the playout buffer, and phrases that are synthesized in advance.

It does not know who writes the text or who shows the speech. Start with `companion.speech.playout`, the buffer in which
the two loops of a session meet; ``text`` makes sentences of what a language model writes.
"""
