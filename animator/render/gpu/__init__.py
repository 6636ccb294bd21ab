"""The same frames in batches on a GPU, with torch: the faces of a process are drawn together.

It prepares nothing itself: it draws the layers of `animator.render`, within rounding of its frames. Start with
`animator.render.gpu.pool`.
"""
