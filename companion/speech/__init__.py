"""Speech on its way to the user: sound waits to be shown, and what is often said is kept ready.

It does not know who writes the text or who shows the sound. Start with `companion.speech.playout`, the buffer in which
the two loops of a session meet; ``text`` makes sentences of what a language model writes.
"""
