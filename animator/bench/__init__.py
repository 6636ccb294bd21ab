"""Benchmarks of rendering: how many faces this machine animates in real time, and their memory.

They run the code that conversations run, and do not judge how a face looks; that is `animator.evaluate`. Start with
`animator.bench.frames` (``animator bench``).
"""
