"""The clock on which logs are replayed, for scripted conversations."""

from companion.call.virtual_time import VirtualLoop, run

__all__ = ["VirtualLoop", "run"]
