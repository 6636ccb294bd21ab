"""``companion talk``: a conversation without browser or server, recorded as a client would see it.

It runs the server's own `Session` in this process, plays sound files as the user's microphone in real time, and stores
what comes back: the face, listening and speaking, and its voice.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from animator.media import MediaError, check_place, read_audio
from companion import events
from companion.config import ConfigError, load
from companion.engine import Engine, build
from companion.personas import PromptError
from companion.portraits import PictureError
from companion.recording import Recording, Turn
from companion.session import Session
from companion.stages import HEAR_RATE, SPEAK_RATE, VAD, Samples, StageError

BLOCK = SPEAK_RATE // 50  # samples of one message from the microphone, 20 ms
WINDOW = 512  # samples at HEAR_RATE, what a VAD takes
BEFORE = 1.0  # s in which the face is seen idle before the first question
AFTER = 1.0  # s in which it is seen after each answer
PATIENCE = 120.0  # s without a sign of work on the face or the answer
STEPS = ("transcript", "first_token", "first_audio", "first_frame")


class TalkError(Exception):
    """The conversation could not be held; the message says why."""


@dataclass(slots=True)
class Microphone:
    """What the user's microphone hears: silence, and what `play` puts into it, in blocks paced by the clock."""

    session: Session
    waiting: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    due: float = 0.0  # when the next block is complete, on the loop's clock

    def play(self, audio: Samples) -> float:
        """(n,) at `SPEAK_RATE` -> the time at which its first sample is heard."""
        self.waiting = audio
        return self.due - BLOCK / SPEAK_RATE

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        self.due = loop.time()
        while True:
            self.due += BLOCK / SPEAK_RATE
            await asyncio.sleep(max(0.0, self.due - loop.time()))
            block, self.waiting = self.waiting[:BLOCK], self.waiting[BLOCK:]
            pcm = np.zeros(BLOCK, "<i2")
            pcm[: len(block)] = np.round(block * 32767)
            self.session.receive(events.InputAudioBufferAppend(pcm.tobytes()))


def end_of_speech(audio: Samples, vad: VAD, threshold: float) -> float:
    """(n,) at `HEAR_RATE` -> seconds at which the last speech ends; 0 if there is none."""
    windows = audio[: len(audio) // WINDOW * WINDOW].reshape(-1, WINDOW)
    spoken = [i for i, window in enumerate(windows) if vad(window) >= threshold]
    return (spoken[-1] + 1) * WINDOW / HEAR_RATE if spoken else 0.0


async def converse(engine: Engine, questions: Sequence[Path], persona: str | None, character: str) -> Recording:
    """Ask each question when the one before has been answered. Each turn's ``times`` count from the end of speech.

    Raises TalkError when the session reports an error or gives no answer, `MediaError` for an unreadable question.
    """
    heard = [(read_audio(path, SPEAK_RATE), _spoken_s(engine, path)) for path in questions]
    loop = asyncio.get_running_loop()
    recording = Recording()
    problem: TalkError | None = None
    await engine.read_persona()
    async with Session(engine, lambda event: recording.add(event, loop.time()), persona) as session:
        session.receive(events.SessionUpdate({"avatar": {"character": character, "video": {"codec": "h264"}}}))
        microphone = Microphone(session)
        listening = asyncio.create_task(microphone.run(), name="microphone")
        try:
            await _until(lambda: bool(recording.packets), recording, "The face did not appear")
            await asyncio.sleep(BEFORE)
            for path, (audio, spoken_s) in zip(questions, heard, strict=True):
                await _ask(audio, spoken_s, microphone, recording, f"{path} was not answered")
        except TalkError as error:  # raised below: a session wraps what is raised inside it in a group
            problem = error
        finally:
            listening.cancel()
    if problem:
        raise problem
    return recording


async def _ask(audio: Samples, spoken_s: float, microphone: Microphone, recording: Recording, otherwise: str) -> None:
    turn = recording.begin_turn()
    ended = microphone.play(audio) + spoken_s
    await asyncio.sleep(spoken_s)
    await _until(lambda: recording.answered, recording, otherwise)
    turn.times = {name: at - ended for name, at in turn.times.items()}
    await asyncio.sleep(AFTER)


def summary(recording: Recording) -> dict[str, Any]:
    """The JSON object that ``companion talk`` ends in. Each ms counts from the end of the user's speech."""
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
    """Holds a conversation with sound files as the user, and records the face and its voice to an MP4.

    Prints what was said and how long it took; the last line of the output is one JSON object.
    """
    try:
        check_place(out)
        recording = _record(wav, persona, portrait, config)
        recording.save(out)
    except (TalkError, MediaError, ConfigError, PromptError, PictureError, StageError) as error:
        _fail(str(error))
    if not only_json:
        _print(recording)
    typer.echo(json.dumps(summary(recording)))


def _record(wav: list[Path], persona: str | None, portrait: str, config: str) -> Recording:
    engine = build(load(config))
    if persona is not None and persona not in engine.prompts.personas:
        raise TalkError(f"There is no persona {persona!r}; there are {', '.join(engine.prompts.personas)}.")
    picture = Path(portrait)
    if portrait and picture.is_file():
        portrait = engine.portraits.add(picture.read_bytes()).id
    return asyncio.run(converse(engine, wav, persona, portrait))


def _spoken_s(engine: Engine, path: Path) -> float:
    audio = read_audio(path, HEAR_RATE)
    ended = end_of_speech(audio, engine.vad(), engine.config.turns.threshold)
    if not ended:
        raise TalkError(f"{path}: nobody speaks in it. Give a recording of speech.")
    return ended


async def _until(condition: Callable[[], bool], recording: Recording, otherwise: str) -> None:
    """Wait for ``condition``. Raises TalkError with what the session reported, or when it stands still."""
    loop = asyncio.get_running_loop()
    deadline, steps = loop.time() + PATIENCE, recording.steps
    while not condition():
        if steps != recording.steps:
            deadline, steps = loop.time() + PATIENCE, recording.steps
        if recording.errors:
            code, message = recording.errors[0]
            raise TalkError(f"{otherwise}: {message} ({code})")
        if loop.time() > deadline:
            raise TalkError(f"{otherwise}: nothing happened for {PATIENCE:.0f} s.")
        await asyncio.sleep(0.02)


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


def _fail(message: str) -> NoReturn:
    Console(stderr=True).print(f"[red]Error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(1)
