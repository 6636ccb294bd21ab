"""Tests whether a face follows its control input: one parameter at a time is swept, rendered, encoded and tracked.

It does not know how a face implements a parameter. Start with `animator.evaluate.wishes.sweep` (the motion) and
`animator.evaluate.wishes.obedience` (the scores).
"""
