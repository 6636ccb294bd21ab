"""Builds the speech corpus: clips of speech with the mouth motion that belongs to it, from synthesizers with known
phonemes, from singing, and from motion-captured and filmed people.

It does not know which networks are trained on them. Start with `animator.learn.corpus.corpus`.
"""
