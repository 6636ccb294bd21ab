"""Measurements: how long a person waits, how many a server holds, when a turn is over, what echo and noises do.

They run the parts that conversations run, by the rules that ship, and change none of them. Start with
`companion.bench.latency` (``companion bench``) and `companion.bench.listening`.
"""
