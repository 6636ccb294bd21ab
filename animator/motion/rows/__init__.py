"""Rows of motion: the meaning of their 64 numbers, filters that smooth them, and files of them.

It knows neither voices nor behaviours. Start with `animator.motion.rows.space`.
"""
