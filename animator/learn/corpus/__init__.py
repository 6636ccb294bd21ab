"""Builds the speech corpus: clips of sound with the mouth that made it, from synthesizers with known phonemes, from
song, and from captured and filmed people.

It does not know which networks are trained on them. Start with `animator.learn.corpus.corpus`.
"""
