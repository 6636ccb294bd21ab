"""Benchmarks of conversations: latency, load, endurance, endpointing, barge-in and echo.

They run the shipped parts with the shipped settings and change neither; nothing imports them but the command line.
Start with `companion.bench.latency` (``companion bench``) and `companion.bench.listening`.
"""
