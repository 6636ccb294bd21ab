"""Does a face follow its control? One wish at a time is swept, drawn, encoded and tracked.

It knows wishes and frames, not how a face carries them out. Start with `animator.evaluate.wishes.sweep`, the
motion, and `animator.evaluate.wishes.obedience`, the scores.
"""
