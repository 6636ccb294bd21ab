"""Writes the server's events as classes of the Python client, from `companion.protocol.events`:

python -m scripts.python_events > clients/python/vasari_client/events.py

The package stands alone, so that it holds the classes themselves: their source is taken as it is.
"""

import ast
import inspect
import sys

from companion.protocol import events

HEAD = '''\
"""What a server sends, one frozen dataclass each; names are those of OpenAI Realtime, Azure Voice Live and Vasari.

Times named ``_ms`` are milliseconds: ``pts_ms`` on the session's output clock, which sound and pictures share,
``audio_start_ms`` and ``audio_end_ms`` of the sound that was sent, ``audio_offset_ms`` from the start of the item's.

Written by scripts/python_events.py from the server's own.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Json = dict[str, Any]
'''
TAIL = '''@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that this version of the package does not know; of media the bytes are ``data["delta"]``."""

    type: str
    data: Json


Event = ServerEvent | Unknown
'''
OWN = (events.ServerEvent, events.Problem)


def main() -> None:
    sys.stdout.write(module())


def module() -> str:
    """The text of events.py."""
    source = inspect.getsource(events)
    lines = source.split("\n")
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and _sent(node.name)]
    texts = ["\n".join(lines[node.decorator_list[0].lineno - 1 : node.end_lineno]) for node in classes]
    return "\n\n\n".join([HEAD.rstrip("\n"), *texts, TAIL])


def _sent(name: str) -> bool:
    """Whether a class of `companion.protocol.events` is, or is within, what a server sends."""
    kind = getattr(events, name)
    return kind in OWN or issubclass(kind, events.ServerEvent)


if __name__ == "__main__":
    main()
