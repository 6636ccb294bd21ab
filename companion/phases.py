"""State machines, such as those of a reply or a turn: a table says which state may follow which."""

from collections.abc import Mapping, Set
from enum import Enum
from typing import TypeVar

P = TypeVar("P", bound=Enum)


def following(follows: Mapping[P, Set[P]], before: P, after: P) -> P:
    """Return ``after`` if the table ``follows`` allows it after ``before``.

    Raises AssertionError otherwise, which is a programming error.
    """
    assert after in follows[before], f"{before.value} -> {after.value}"
    return after
