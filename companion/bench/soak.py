"""``companion bench soak``: an endurance test with conversations over real websockets; half of the answers are
cancelled."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

import numpy as np
import typer

from companion.bench.sayings import quantile
from companion.bench.served import Served, served
from companion.call.caller import Caller
from companion.call.distant import dial
from companion.call.recording import Recording, Turn
from companion.config import Config, load
from companion.protocol import events
from companion.stages.streams import ended

QUESTION = "Tell me something about the sea."
HEARD_S = (0.3, 2.0)  # s of an answer that are received before it is cancelled
PAUSE_S = 1.0  # s between an answer and the next question
SETTLING_SHARE = 0.25  # share of the time that is left out of the growth of memory: caches and pools fill then
LOOK_S = 5.0  # s between two samples of the server's memory


class Delay(TypedDict):
    """A quantile in ms; None if there are no values."""

    p95: float | None


class Figures(TypedDict):
    """The JSON object of the last line. ``drift_ms_per_min``: how much the output clock falls behind the wall clock, in
    the worst session. ``dropped_frames``: over all sessions. ``rss_growth_mb``: growth of the server's memory in the
    last three quarters. ``cancel_ms``: from a cancellation to the last packet of the answer, at the client."""

    minutes: float
    sessions: int
    drift_ms_per_min: float
    dropped_frames: int
    rss_growth_mb: float
    cancel_ms: Delay


@dataclass(slots=True)
class _Client:
    """A simulated user, who types questions and cancels every other answer while it plays."""

    caller: Caller
    rng: random.Random
    cancels: list[float] = field(default_factory=list[float])  # s

    async def talk(self, until: float) -> None:
        """Ask again and again until the time ``until`` (`time.monotonic`, s). Raises TalkError."""
        cut = False
        while time.monotonic() < until:
            turn = self._ask()
            await self._until(lambda turn=turn: "first_sent" in turn.times or bool(turn.status))
            if cut and not turn.status:
                await self._cut_off(turn)
            await self._until(lambda turn=turn: bool(turn.status))
            await asyncio.sleep(PAUSE_S)
            cut = not cut

    def _ask(self) -> Turn:
        turn, send = self.caller.recording.begin_turn(), self.caller.microphone.send
        content = [{"type": "input_text", "text": QUESTION}]
        send(events.ConversationItemCreate({"type": "message", "role": "user", "content": content}))
        send(events.ResponseCreate())
        return turn

    async def _until(self, condition: Callable[[], bool]) -> None:
        await self.caller.until(condition, "A question was not answered")

    async def _cut_off(self, turn: Turn) -> None:
        await asyncio.sleep(self.rng.uniform(*HEARD_S))
        if turn.status:
            return
        at = asyncio.get_running_loop().time()
        self.caller.microphone.send(events.ResponseCancel())
        await self._until(lambda: bool(turn.status))
        await asyncio.sleep(PAUSE_S)  # for packets that are still under way
        self.cancels.append(max(self.caller.recording.sound_times[-1], turn.times["over"]) - at)


def soak(
    minutes: Annotated[float, typer.Option(help="How long.", min=0.05)] = 30.0,
    sessions: Annotated[int, typer.Option(help="Conversations at a time.", min=1)] = 4,
    config: Annotated[str, typer.Option(help="A file of configs/, or a path to one.")] = "default",
) -> None:
    """Runs concurrent conversations with faces for a long time. The last line of the output is one JSON object."""
    typer.echo(json.dumps(asyncio.run(_measure(load(config), minutes, sessions))))


async def _measure(config: Config, minutes: float, sessions: int) -> Figures:
    resident: list[float] = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(served(config, sessions, 60 * minutes))
        # At the same time: one after the other, a busy server would refuse the last ones for the load of the first.
        lines = (stack.enter_async_context(dial(server.realtime, server.key)) for _ in range(sessions))
        callers = await asyncio.gather(*lines)
        clients = [_Client(caller, random.Random(number)) for number, caller in enumerate(callers)]
        watching = asyncio.create_task(_watch(server, resident))
        until = time.monotonic() + 60 * minutes
        try:
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(client.talk(until))
        finally:
            await ended(watching)
        dropped = (await server.figures())["vasari_frames_dropped_total"]
    settled = resident[int(SETTLING_SHARE * len(resident)) :] or [0.0]
    return Figures(
        minutes=minutes,
        sessions=sessions,
        drift_ms_per_min=round(max(_drift(caller.recording) for caller in callers), 2),
        dropped_frames=int(dropped),
        rss_growth_mb=round(settled[-1] - settled[0], 1),
        cancel_ms=Delay(p95=quantile([1000 * seconds for client in clients for seconds in client.cancels], 0.95)),
    )


async def _watch(server: Served, resident: list[float]) -> None:
    while True:
        resident.append((await server.figures()).get("process_resident_memory_bytes", 0.0) / 1e6)
        await asyncio.sleep(LOOK_S)


def _drift(recording: Recording) -> float:
    """The slope of the frames' delay behind their presentation times, in ms per minute; 0 for fewer than two frames."""
    if len(recording.frame_pts) < 2:
        return 0.0
    arrived, place = np.array(recording.frame_times), np.array(recording.frame_pts) / 1000
    return float(60_000 * np.polyfit(arrived - arrived[0], arrived - place, 1)[0])
