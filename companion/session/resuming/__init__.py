"""Resuming: what is stored of a conversation when its connection is lost, and how the next session continues it.

It does not know how connections come and go, nor where the data is stored. Start with `Snapshot`.
"""
