"""Draws the frames of `animator.render` on a GPU, with torch: all faces of a process together in batches.

It prepares nothing itself: it draws the layers that `animator.render` makes, and its frames differ from those of the
CPU by rounding only. Start with `animator.render.gpu.pool`.
"""
