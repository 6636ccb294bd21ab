"""Compensates the picture's own expression: half-shut eyes are opened, parted lips are closed.

It does not draw. Start with `animator.render.neutral.parted`.
"""
