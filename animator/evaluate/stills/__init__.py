"""Images for inspection by eye: contact sheets of a face, and frames of several videos at the same times.

They measure nothing. Start with `animator.evaluate.stills.sheet`.
"""
