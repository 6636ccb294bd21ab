"""``companion replay``: replays a logged conversation deterministically, on a virtual clock.

Transcripts and the language model's replies are taken from the log; turn-taking and all that follows from it is
computed by the current code. No model is loaded and nothing is rendered.
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

Events = list[tuple[float, Json]]  # (s from the start, event)

UNDERSTOOD = "conversation.item.input_audio_transcription.completed"
UNSAID = "and so on, " * 40  # in place of the unknown rest of an interrupted reply
AFTER_S = 10.0  # s that the replay goes on after the client's last event
MINE = ("recording", "memory", "avatar", "id", "object", "model")  # settings of the session that are not replayed
COMPARED = (  # types of the events that must agree
    "input_audio_buffer.speech_started",
    UNDERSTOOD,
    "response.created",
    "response.done",
)


class Replies:
    """An LLM that gives the logged replies: ``replies`` are pairs (what the user said, the reply), each used once."""

    def __init__(self, replies: Sequence[Sequence[str]]) -> None:
        self._replies = [(said, reply) for said, reply in replies]

    async def reply(self, messages: Sequence[Message]) -> AsyncIterator[str]:
        """Stream the reply to the last user's message, word by word; a stock phrase if the log has none."""
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
    """Replays a logged conversation on a virtual clock, with the current code, and compares the turns.

    Prints one event a line with its time in s; the last line is one JSON object.
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
    """Replay the client's events of ``logged`` -> what the session sends now, without video and audio."""
    said = [event for _, event in logged.sent]
    texts = [event["transcript"] for event in said if event["type"] == UNDERSTOOD]
    stages = {
        "asr": {"use": "companion.stages.fakes:ScriptedASR", "texts": texts or [""]},
        "llm": {"use": f"{__name__}:Replies", "replies": _replies(said)},
    }
    return run(_hold(build(replace(load("fakes", stages), turns=turns)), logged))


def compared(before: Events, now: Events) -> Json:
    """{"same": whether the turns agree, "log" and "replay": the number of events by type}, for types in `COMPARED`."""
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
    """Pairs of the user's last words and the reply to them. The rest of an interrupted reply is not in the log, so
    `UNSAID` stands in for it."""
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
