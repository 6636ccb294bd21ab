"""The log of a conversation, for ``companion replay``: JSON lines, one for each event with its time.

The first line holds the initial settings. Video and the face's audio are left out; the user's audio is included.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from companion.protocol.codec import Encoder, WireError, decode, request
from companion.protocol.events import AudioDelta, ClientEvent, Json, ServerEvent, VideoDelta

FORMAT = 1


class LogError(Exception):
    """A log could not be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A log that was read: the initial ``settings``, the client's events (``got``) and the server's (``sent``), with
    their times in s from the start."""

    settings: Json
    got: list[tuple[float, ClientEvent]]
    sent: list[tuple[float, Json]]


class Log:
    """Collects the lines of a log, timed by the running event loop. ``settings``: the session's at the start."""

    def __init__(self, settings: Json) -> None:
        self._now = asyncio.get_running_loop().time
        self._start = self._now()
        self._encode = Encoder(binary=False)
        self._lines = [json.dumps({"log": FORMAT, "session": settings})]

    def got(self, event: ClientEvent) -> None:
        """Log an event from the client."""
        self._add("got", request(event))

    def sent(self, event: ServerEvent) -> None:
        """Log an event to the client; audio and video are left out."""
        if not isinstance(event, AudioDelta | VideoDelta):
            self._add("sent", str(self._encode(event)))

    def take(self) -> str:
        """The lines since the last call."""
        lines, self._lines = self._lines, []
        return "".join(f"{line}\n" for line in lines)

    def _add(self, kind: str, message: str) -> None:
        self._lines.append(f'{{"at": {self._now() - self._start:.3f}, "{kind}": {message}}}')


def read(path: Path) -> Logged:
    """Read a log; an incomplete last line is ignored.

    Raises:
        LogError: the file cannot be read, or is not a log of this version's format.
    """
    try:
        lines = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
        head, *events = [json.loads(line) for line in lines] or [{}]
        if head.get("log") != FORMAT:
            raise LogError(f"{path} is no log of a conversation that this version can read.")
        sent = [(event["at"], event["sent"]) for event in events if "sent" in event]
        return Logged(head["session"], _got(events), sent)
    except (OSError, ValueError, KeyError, AttributeError, WireError) as error:
        raise LogError(f"{path} cannot be read as the log of a conversation: {error}") from error


def _got(events: list[Any]) -> list[tuple[float, ClientEvent]]:
    return [(event["at"], decode(json.dumps(event["got"]))) for event in events if "got" in event]
