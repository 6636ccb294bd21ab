"""Keeps the log small, whatever clients do, and notes who is let in."""

import logging
import time
from collections.abc import Callable

from companion.session.client.visitor import Visitor

AUDIT = logging.getLogger("companion.audit")  # one line for each conversation that begins

MOST_LINES = 5  # lines of one kind
MOST_KINDS = 1000
WITHIN_S = 60.0


KNOWN = "ASGI callable returned without completing handshake."  # what uvicorn says of a client that was refused
CLIENTS = "Invalid UTF-8 sequence received from client."  # and, with a traceback, of a broken one


def admitted(address: str, visitor: Visitor, sessions: int) -> None:
    """Note that a conversation begins, the ``sessions``th of those that go on: from where, and with whose rights; no
    names."""
    rights = {None: "all users", "": "nobody"}.get(visitor.user, "one user")
    AUDIT.info("a conversation from %s, which speaks for %s; %d now", address, rights, sessions)


def brief(record: logging.LogRecord) -> bool:
    """Of uvicorn's lines: a refusal has been told already, and a client's mistake needs no traceback."""
    if record.msg == CLIENTS:
        record.exc_info = None
    return record.msg != KNOWN


class Sparing(logging.Filter):
    """Lets `MOST_LINES` lines of a kind pass in `WITHIN_S`, and says of the next how many were left out before it.
    Those of `AUDIT` all pass."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}  # kind -> when it was first seen, and how often since

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == AUDIT.name:
            return True
        kind, now = (record.name, str(record.msg)), self._clock()
        since, count = self._seen.get(kind, (now, 0))
        left_out = 0
        if now - since >= WITHIN_S:
            since, count, left_out = now, 0, max(0, count - MOST_LINES)
        if len(self._seen) >= MOST_KINDS:
            self._seen.clear()
        self._seen[kind] = (since, count + 1)
        if left_out:
            record.msg = f"{record.msg} (and {left_out} more like this before)"
        return count < MOST_LINES
