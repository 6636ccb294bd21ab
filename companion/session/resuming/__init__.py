"""Resuming: what is kept of a conversation when its connection is lost, and how the next session goes on with it.

It does not know how connections come and go, nor where the data is stored. Start with the `Snapshot`.
"""
