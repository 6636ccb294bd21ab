"""Text of a language model becomes sentences that can be spoken: thoughts, marks and code are taken out of it.

It is pure, and knows nothing of sound. Start with `companion.speech.text.sentences`: deltas go in, sentences come out.
"""
