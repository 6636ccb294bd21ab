"""What happened in a conversation, to be replayed: a line of JSON for each event, with its second; no pictures.

The first line holds the settings with which it began. Sound is that of the user alone.
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
    """A log cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Logged:
    """``settings`` with which it began; what the client sent and what it was sent, with their seconds."""

    settings: Json
    got: list[tuple[float, ClientEvent]]
    sent: list[tuple[float, Json]]


class Log:
    """``settings`` are those that hold now."""

    def __init__(self, settings: Json) -> None:
        self._now = asyncio.get_running_loop().time
        self._start = self._now()
        self._encode = Encoder(binary=False)
        self._lines = [json.dumps({"log": FORMAT, "session": settings})]

    def got(self, event: ClientEvent) -> None:
        """From the client."""
        self._add("got", request(event))

    def sent(self, event: ServerEvent) -> None:
        """To the client; media are left out."""
        if not isinstance(event, AudioDelta | VideoDelta):
            self._add("sent", str(self._encode(event)))

    def take(self) -> str:
        """The lines since the last time."""
        lines, self._lines = self._lines, []
        return "".join(f"{line}\n" for line in lines)

    def _add(self, kind: str, message: str) -> None:
        self._lines.append(f'{{"at": {self._now() - self._start:.3f}, "{kind}": {message}}}')


def read(path: Path) -> Logged:
    """A last line that was cut is left out. Raises LogError."""
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
