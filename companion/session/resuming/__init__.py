"""A conversation that outlives its line: what is kept of it, when, and how the next session goes on with it.

It does not know how lines come and go, nor where what is kept lies. Start with the `Snapshot`.
"""
