"""``companion talk``: a conversation without browser or server, recorded as a client would see and hear it.

It runs the server's `Session` in this process, plays audio files as the user's microphone in real time, and saves the
face and its voice.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from animator.cli.terminal import fail
from animator.marks.credentials import Ingredient, Signature
from animator.marks.installation import SigningError, operators
from animator.media.files import MediaError, check_place, read_audio
from companion.avatar.portraits import PictureError
from companion.call.caller import Caller, Saying, TalkError, call
from companion.call.recording import Recording, Turn
from companion.config import ConfigError, load
from companion.dialogue.personas.personas import PromptError
from companion.engine import Engine, build
from companion.errors import StageError
from companion.session.session import Session
from companion.stages.protocols import SPEAK_RATE, VAD

STEPS = ("transcript", "first_token", "first_audio", "first_frame")


async def converse(
    questions: Sequence[Path], *, called: AbstractAsyncContextManager[Caller], vad: Callable[[], VAD], threshold: float
) -> Recording:
    """Ask each question once the one before has been answered, and return the recording.

    Args:
        questions: audio files.
        called: opens the conversation.
        vad, threshold: find the end of the speech in each question, from which the turn's ``times`` count.

    Raises:
        TalkError: the session reports an error or does not answer, or a question holds no speech.
        MediaError: a question cannot be read.
    """
    said = [Saying(read_audio(path, SPEAK_RATE), vad(), threshold, str(path)) for path in questions]
    async with called as caller:
        for path, now in zip(questions, said, strict=True):
            await caller.ask(now.audio, now.end, f"{path} was not answered")
    return caller.recording


def summary(recording: Recording) -> dict[str, Any]:
    """The JSON object that ``companion talk`` prints last. Times in ms, from the end of the user's speech."""
    factor = recording.real_time_factor()
    return {
        "turns": [{"user": t.user, "assistant": t.assistant, "ms": _milliseconds(t)} for t in recording.turns],
        "frames": len(recording.packets),
        "fps": 25,
        "width": recording.width,
        "height": recording.height,
        "dropped_frames": recording.dropped_frames(),
        "real_time_factor": None if factor is None else round(factor, 3),
    }


def talk(
    wav: Annotated[list[Path], typer.Option(help="What the user says, one file a turn; any audio format.")],
    out: Annotated[Path, typer.Option(help="The MP4 to write.")],
    persona: Annotated[str | None, typer.Option(help="A file of prompts/personas; the config's if not given.")] = None,
    portrait: Annotated[str, typer.Option(help="A picture, or a character; the persona's if not given.")] = "",
    config: Annotated[str, typer.Option(help="A file of configs/, or a path to one.")] = "default",
    only_json: Annotated[bool, typer.Option("--json", help="Print nothing but the JSON line.")] = False,
) -> None:
    """Holds a conversation with audio files as the user, and records the face and its voice to an MP4.

    Prints the words and the latencies; the last line of the output is one JSON object.
    """
    try:
        check_place(out)
        chosen = load(config)
        signer = operators(Path(chosen.marks.certificate), Path(chosen.marks.key)) if chosen.marks.certificate else None
        recording, picture = _record(wav, persona, portrait, build(chosen))
        recording.save(out, Signature([Ingredient.of("portrait", picture)], signer))
    except (TalkError, MediaError, ConfigError, PromptError, PictureError, StageError, SigningError) as error:
        fail(str(error))
    if not only_json:
        _print(recording)
    typer.echo(json.dumps(summary(recording)))


def _record(wav: list[Path], persona: str | None, portrait: str, engine: Engine) -> tuple[Recording, bytes]:
    """Hold the conversation -> its recording, and the content of the picture's file."""
    persona = engine.config.session.persona if persona is None else persona
    if persona not in engine.prompts.personas:
        raise TalkError(f"There is no persona {persona!r}; there are {', '.join(engine.prompts.personas)}.")
    picture = Path(portrait)
    if portrait and picture.is_file():
        content = picture.read_bytes()
        portrait = engine.portraits.add(content).id
    else:
        own = engine.prompts.personas[persona].character
        content, _ = engine.portraits.picture(portrait or own or engine.default_character)
    read = partial(engine.rehearsal.read, engine.tts)
    called = call(opens=partial(Session, engine), read=read, persona=persona, character=portrait)
    talked = converse(wav, called=called, vad=engine.vad, threshold=engine.config.turns.threshold)
    return asyncio.run(talked), content


def _milliseconds(turn: Turn) -> dict[str, int]:
    return {step: round(turn.times[step] * 1000) for step in STEPS if step in turn.times}


def _print(recording: Recording) -> None:
    console = Console()
    table = Table("ms after the end of speech", *STEPS)
    for number, turn in enumerate(recording.turns, 1):
        console.print(f"[bold]You:[/] {escape(turn.user)}\n[bold]Face:[/] {escape(turn.assistant)}")
        found = _milliseconds(turn)
        table.add_row(str(number), *(str(found.get(step, "-")) for step in STEPS))
    console.print(table)
