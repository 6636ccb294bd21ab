"""Phases of what lives for a while: a table says which may follow which."""

from collections.abc import Mapping, Set
from enum import Enum
from typing import TypeVar

P = TypeVar("P", bound=Enum)


def following(follows: Mapping[P, Set[P]], before: P, after: P) -> P:
    """``after``, which may follow ``before``. AssertionError where it may not: a mistake of ours, and no user's."""
    assert after in follows[before], f"{before.value} -> {after.value}"
    return after
