"""Compiled kernels: how they are made, the array types they take, and the lookups that eyes and mouths share.

It knows nothing of faces. Start with `animator.render.kernels.jit`.
"""
