"""Turns a language model's text into sentences that can be spoken, without thoughts, markup and code.

It is pure, and knows nothing of audio. Start with `companion.speech.text.sentences`: deltas go in, sentences come out.
"""
