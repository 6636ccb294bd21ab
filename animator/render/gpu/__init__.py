"""The same frames in batches on a GPU, with torch: the faces of a process are drawn together.

It draws what `animator.render` has prepared, within rounding of its frames. Start with `animator.render.gpu.pool`.
"""
