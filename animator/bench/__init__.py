"""Measurements: how fast faces are on this machine, and how much memory they take.

They run what conversations run, and know nothing of how a face looks; that is `animator.evaluate`. Start with
`animator.bench.frames` (``animator bench``).
"""
