"""Logging: limits repeated lines whatever clients do, records admissions, and adds request ids to lines."""

import json
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from companion.session.client.visitor import Visitor

AUDIT = logging.getLogger("companion.audit")  # one line for each conversation that begins

MOST_LINES = 5  # lines of one kind that are logged within `WITHIN_S`
MOST_KINDS = 1000  # kinds that are counted at a time
WITHIN_S = 60.0  # s


KNOWN_LINE = "ASGI callable returned without completing handshake."  # uvicorn's line for a refused client
CLIENT_LINE = "Invalid UTF-8 sequence received from client."  # its line, with a traceback, for a broken one


REQUEST: ContextVar[str] = ContextVar("request", default="")  # id of the request that this task answers


class Lines(logging.Formatter):
    """Formats records as lines of text, with the id of the request at the end if there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        request = REQUEST.get()
        return super().formatMessage(record) + (f" [{request}]" if request else "")


class Objects(logging.Formatter):
    """Formats records as one JSON object a line: ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``, and
    where there are any ``request_id`` and ``error`` (a traceback)."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= {"request_id": request} if (request := REQUEST.get()) else {}
        line |= {"error": self.formatException(record.exc_info)} if record.exc_info else {}
        return json.dumps(line, ensure_ascii=False)


def admitted(address: str, visitor: Visitor, sessions: int) -> None:
    """Write to the audit log that a conversation begins: the client's ``address``, whether it acts for all users, one
    or none (not which), and how many ``sessions`` are now running."""
    rights = {None: "all users", "": "nobody"}.get(visitor.user, "one user")
    AUDIT.info("a conversation from %s, which speaks for %s; %d now", address, rights, sessions)


def brief(record: logging.LogRecord) -> bool:
    """A filter for uvicorn's log: drop its line about a refusal, which is logged elsewhere, and the traceback of a
    client's mistake."""
    if record.msg == CLIENT_LINE:
        record.exc_info = None
    return record.msg != KNOWN_LINE


class Sparing(logging.Filter):
    """Passes at most `MOST_LINES` lines of a kind (logger and message template) within `WITHIN_S` seconds, and adds to
    the next one how many were dropped. Lines of `AUDIT` always pass. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}  # kind -> (start of its window, lines since)

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
