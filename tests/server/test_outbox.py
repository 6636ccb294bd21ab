"""What happens to a client that reads slowly, on a clock that jumps."""

import asyncio

from companion.call.virtual_time import run
from companion.protocol import events
from companion.server.outbox import MOST_FRAMES, Outbox


def frame(number: int, keyframe: bool = False) -> events.VideoDelta:
    return events.VideoDelta(b"", "h264", "", number * 40.0, 40.0, keyframe, 8, 8, None)


async def drain(outbox: Outbox) -> list:
    found = []
    try:
        async with asyncio.timeout(0.1):
            async for event in outbox.messages():
                found.append(event)
    except TimeoutError:
        return found
    raise AssertionError("messages() ended by itself")


def test_video_is_dropped_up_to_a_keyframe_and_nothing_else_is():
    async def script():
        lost = []
        outbox = Outbox(lost.append)
        sent = [events.AudioDelta("r", "i", b"", 0.0), *(frame(i, i == 0) for i in range(MOST_FRAMES + 5))]
        for event in [*sent, events.SwitchToIdle(), frame(90, True), frame(91)]:
            outbox.put(event)
        return await drain(outbox), sum(lost)

    found, lost = run(script())
    assert [getattr(e, "pts_ms", None) for e in found] == [0.0, None, 3600.0, 3640.0]
    assert lost == MOST_FRAMES + 5


def test_a_client_that_reads_loses_nothing():
    async def script():
        outbox = Outbox()
        reading = asyncio.create_task(drain_for(outbox, 4.0))
        for i in range(100):
            outbox.put(frame(i, i == 0))
            await asyncio.sleep(0.04)
        return await reading

    async def drain_for(outbox, seconds):
        found = []
        try:
            async with asyncio.timeout(seconds + 0.5):
                async for event in outbox.messages():
                    found.append(event)
        except TimeoutError:
            return found
        raise AssertionError("messages() ended by itself")

    assert len(run(script())) == 100


def test_a_client_that_takes_nothing_is_let_go():
    async def script():
        outbox = Outbox()
        for seconds in range(13):
            outbox.put(events.AudioDelta("r", "i", b"", 0.0))
            if outbox.stalled.is_set():
                return seconds
            await asyncio.sleep(1)
        return None

    assert run(script()) == 11


def test_a_client_that_is_asked_to_read_too_much_is_let_go():
    async def script():
        outbox = Outbox()
        for _ in range(5000):
            outbox.put(events.SwitchToIdle())
        return outbox.stalled.is_set()

    assert run(script())
