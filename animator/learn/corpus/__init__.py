"""The corpus of speech: synthesizers that tell their phonemes, song, captured and filmed people, as clips.

It does not know which network learns from them. Start with `animator.learn.corpus.corpus`.
"""
