"""Compiled kernels: their compilation and cache, the array types they take, and the sampling that eyes and mouths
share.

It knows nothing of faces. Start with `animator.render.kernels.jit`.
"""
