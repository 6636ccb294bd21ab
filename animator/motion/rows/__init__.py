"""Rows of motion: 64 numbers a frame, which they are, how they change smoothly, and files of them.

It knows neither voices nor behaviours. Start with `animator.motion.rows.space`.
"""
