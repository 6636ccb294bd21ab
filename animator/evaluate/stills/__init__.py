"""Pictures to look at: contact sheets of a face, and frames of several videos at the same times.

They measure nothing. Start with `animator.evaluate.stills.sheet`.
"""
