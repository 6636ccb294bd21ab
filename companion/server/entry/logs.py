"""Logging: keeps the log small whatever clients do, records who is let in, and adds request ids to lines."""

import json
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from companion.session.client.visitor import Visitor

AUDIT = logging.getLogger("companion.audit")  # one line for each conversation that begins

MOST_LINES = 5  # lines of one kind
MOST_KINDS = 1000
WITHIN_S = 60.0


KNOWN_LINE = "ASGI callable returned without completing handshake."  # what uvicorn says of a client that was refused
CLIENT_LINE = "Invalid UTF-8 sequence received from client."  # and, with a traceback, of a broken one


REQUEST: ContextVar[str] = ContextVar("request", default="")  # id of the one that is answered here


class Lines(logging.Formatter):
    """Lines of text, which end in the id of the request if there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        request = REQUEST.get()
        return super().formatMessage(record) + (f" [{request}]" if request else "")


class Objects(logging.Formatter):
    """Lines of JSON: ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``; ``request_id`` and ``error`` (a
    traceback) where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= {"request_id": request} if (request := REQUEST.get()) else {}
        line |= {"error": self.formatException(record.exc_info)} if record.exc_info else {}
        return json.dumps(line, ensure_ascii=False)


def admitted(address: str, visitor: Visitor, sessions: int) -> None:
    """Note that a conversation begins, the ``sessions``th of those that go on: from where, and with whose rights; no
    names."""
    rights = {None: "all users", "": "nobody"}.get(visitor.user, "one user")
    AUDIT.info("a conversation from %s, which speaks for %s; %d now", address, rights, sessions)


def brief(record: logging.LogRecord) -> bool:
    """Of uvicorn's lines: a refusal has been told already, and a client's mistake needs no traceback."""
    if record.msg == CLIENT_LINE:
        record.exc_info = None
    return record.msg != KNOWN_LINE


class Sparing(logging.Filter):
    """Lets `MOST_LINES` lines of a kind pass within `WITHIN_S`, and says with the next one how many were left out.
    Lines of `AUDIT` always pass."""

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
