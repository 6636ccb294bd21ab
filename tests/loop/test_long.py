"""A conversation of fifty turns stays as quick and as small as it was at the beginning."""

import asyncio
import gc
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from animator.bench.footprint import resident_mb
from companion.call.virtual_time import run
from companion.protocol import events
from companion.stages import fakes
from tests.loop.conversation import Conversation, engine

TURNS = 50


class Forgetful(Conversation):
    """Keeps nothing but when replies began and how many have ended."""

    def __init__(self) -> None:
        self.over, self.began = 0, list[float]()
        made = engine(llm=fakes.ScriptedLLM(["I heard you."]))
        super().__init__(made)

    def _note(self, event: events.ServerEvent) -> None:
        if isinstance(event, events.OutputAudioStarted):
            self.began.append(asyncio.get_running_loop().time())
        self.over += isinstance(event, events.ResponseDone)


async def _turns() -> tuple[list[float], list[tuple[int, float]], int]:
    """Seconds from the end of each question to its answer; objects and MB there are after each; messages the model saw
    last."""
    async with Forgetful() as talk:
        waited, there = list[float](), list[tuple[int, float]]()
        for number in range(1, TURNS + 1):
            await talk.hear(0.4)
            ended = talk.now()
            while talk.over < number:
                await talk.silence(0.2)
            waited.append(talk.began[-1] - ended)
            asked = talk.engine.llm.asked  # type: ignore[attr-defined]
            del asked[:-1]
            if number in (20, TURNS):
                mb = resident_mb()
                there.append((len(gc.get_objects()), mb))
        return waited, there, len(asked[-1])


def _talk() -> tuple[list[float], list[tuple[int, float]], int]:
    return run(_turns())


def test_fifty_turns_keep_latency_and_memory_flat():
    """In a process of its own: the resident memory of this one also grows by what other tests left behind."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        waited, (before, after), seen = alone.submit(_talk).result()
    assert max(waited[10:]) - min(waited[:10]) < 0.1
    assert after[0] - before[0] < 30 * 20, "objects, of which each turn keeps its two items"
    assert after[1] - before[1] < 4.0, "MB"
    assert seen < 40
