"""Renders the frames of `animator.render` on a GPU with torch, the faces of a process together in batches.

It prepares nothing itself: it draws the layers that `animator.render` makes, and its frames differ from the CPU's only
by rounding. Start with `animator.render.gpu.pool`.
"""
