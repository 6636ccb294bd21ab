"""Motion: two voices and a `Control` become one row of 64 numbers a frame.

It does not know whose face moves, nor how it is rendered. Start with `animator.motion.rows.space` (what the numbers
mean) and `animator.motion.generator`, which assembles a row.
"""
