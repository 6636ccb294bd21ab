"""``companion replay``: a conversation that was logged, held again on a clock that jumps, always the same.

What was understood and what the language model answered are taken from the log; who speaks when, and what follows from
it, is found anew by the code as it is now. Nothing is loaded, nothing is drawn.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from animator.cli.terminal import fail
from companion.call.virtual_time import run
from companion.config import ConfigError, Turns, load
from companion.engine import Engine, build
from companion.filming.log import LogError, Logged, read
from companion.protocol.codec import Encoder
from companion.protocol.events import AudioDelta, Json, ServerEvent, SessionUpdate, VideoDelta
from companion.session.session import Session
from companion.stages.protocols import Message

Events = list[tuple[float, Json]]  # with their seconds

UNDERSTOOD = "conversation.item.input_audio_transcription.completed"
UNSAID = "and so on, " * 40
AFTER_S = 10.0  # that it goes on after the client's last event
MINE = ("recording", "memory", "avatar", "id", "object", "model")  # settings of a session that its replay has not
COMPARED = (  # events by which two conversations are the same
    "input_audio_buffer.speech_started",
    UNDERSTOOD,
    "response.created",
    "response.done",
)


class Replies:
    """A language model that answers what it answered in the log: ``replies`` are (what the user said, the reply)."""

    def __init__(self, replies: Sequence[Sequence[str]]) -> None:
        self._replies = [(said, reply) for said, reply in replies]

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        asked = next((message.content for message in reversed(messages) if message.role == "user"), "")
        found = next((pair for pair in self._replies if pair[0] == asked), None) or (asked, "I have nothing to say.")
        if found in self._replies:
            self._replies.remove(found)
        for word in found[1].split(" "):
            yield word + " "


def replay(
    log: Annotated[Path, typer.Argument(help="The .jsonl beside a recording.", exists=True, dir_okay=False)],
    config: Annotated[str, typer.Option(help="The configuration whose [turns] hold.")] = "default",
) -> None:
    """Holds a logged conversation again, on a clock that jumps: what happens when, with the code as it is now.

    Prints an event a line with its second; the last line is one JSON object.
    """
    try:
        logged, turns = read(log), load(config).turns
    except (LogError, ConfigError) as error:
        fail(str(error))
    now = replayed(logged, turns)
    for at, event in now:
        typer.echo(f"{at:9.2f}  {event['type']}  {_words(event)}".rstrip())
    typer.echo(json.dumps(compared(logged.sent, now)))


def replayed(logged: Logged, turns: Turns) -> Events:
    """What the server sends, pictures and sound left out, if a client does what it did."""
    said = [event for _, event in logged.sent]
    texts = [event["transcript"] for event in said if event["type"] == UNDERSTOOD]
    stages = {
        "asr": {"use": "companion.stages.fakes:ScriptedASR", "texts": texts or [""]},
        "llm": {"use": f"{__name__}:Replies", "replies": _replies(said)},
    }
    return run(_hold(build(replace(load("fakes", stages), turns=turns)), logged))


def compared(before: Events, now: Events) -> Json:
    """Whether the turns are those of the log, and how often each of their events came then and now."""
    then, new = ([_turn(event) for _, event in events if event["type"] in COMPARED] for events in (before, now))
    counts = (dict(Counter(kind for kind, _ in turns)) for turns in (then, new))
    return {"same": then == new, "log": next(counts), "replay": next(counts)}


async def _hold(engine: Engine, logged: Logged) -> Events:
    loop, encode = asyncio.get_running_loop(), Encoder(binary=False)
    sent: Events = []

    def send(event: ServerEvent) -> None:
        if not isinstance(event, AudioDelta | VideoDelta):
            sent.append((loop.time() - start, json.loads(encode(event))))

    start = loop.time()
    persona = str(logged.settings.get("persona"))
    async with Session(engine, send, persona if persona in engine.prompts.personas else None) as session:
        session.receive(SessionUpdate(_own(logged.settings)))
        for at, event in logged.got:
            await asyncio.sleep(max(0.0, start + at - loop.time()))
            session.receive(replace(event, session=_own(event.session)) if isinstance(event, SessionUpdate) else event)
        await asyncio.sleep(AFTER_S)
    return sent


def _own(settings: Json) -> Json:
    return {name: value for name, value in settings.items() if name not in MINE}


def _replies(events: list[Json]) -> list[tuple[str, str]]:
    """What the user had said last, and the reply to it. What would have followed in one that was interrupted is not
    known: it goes on with `UNSAID`."""
    pairs: list[tuple[str, str]] = []
    said = reply = ""
    for event in events:
        item = event.get("item", {})
        if event["type"] == UNDERSTOOD:
            said = event["transcript"]
        elif event["type"] == "conversation.item.added" and item.get("role") == "user":
            said = " ".join(part.get("text") or "" for part in item.get("content", []) if "text" in part) or said
        elif event["type"] in ("response.output_audio_transcript.done", "response.output_text.done"):
            reply = event.get("transcript") or event.get("text") or ""
        elif event["type"] == "response.done":
            cut = event["response"]["status"] == "cancelled"
            pairs.append((said, f"{reply} {UNSAID}" if cut else reply))
            reply = ""
    return pairs


def _turn(event: Json) -> tuple[str, str]:
    return event["type"], event.get("transcript") or event.get("response", {}).get("status") or ""


def _words(event: Json) -> str:
    return str(event.get("transcript") or event.get("delta") or event.get("state") or _turn(event)[1])
