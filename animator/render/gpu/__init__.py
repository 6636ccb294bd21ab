"""The same pictures in batches on a GPU, with torch: all faces of a process together.

It draws what `animator.render` has prepared, within rounding of its frames. Start with `animator.render.gpu.pool`.
"""
