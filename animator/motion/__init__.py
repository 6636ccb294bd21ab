"""Motion: two voices and a wish become one row of 64 numbers a frame.

It does not know whose face is moved, nor how it is drawn. Start with `animator.motion.rows.space`, what the numbers
mean, and `animator.motion.generator`, which puts a row together.
"""
