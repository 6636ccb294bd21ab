"""LiveKit's own avatar classes play our face; the room is a fake, since there is no LiveKit server to be had here."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("livekit.agents")

from livekit import rtc
from livekit.agents import Agent, AgentSession, UserStateChangedEvent
from livekit.agents.voice.avatar import AvatarRunner, DataStreamAudioOutput
from vasari_livekit import join, serve

from animator.streaming import StreamedFace
from animator.units import RATE
from tests.clients.rooms import room
from tests.lamps import lamp

pytestmark = pytest.mark.extra
FRAME = RATE // 25


@pytest.fixture
async def face() -> AsyncIterator[StreamedFace]:
    streamed = StreamedFace(lamp())
    yield streamed
    streamed.close()


class Played:
    """What LiveKit's player was given, while it plays it; pictures as their brightness."""

    def __init__(self, runner: AvatarRunner) -> None:
        self.frames: list[tuple[float, np.ndarray | None]] = []  # brightness, and the sound that came behind it
        self._came = asyncio.Event()
        push = runner.av_sync.push

        async def noted(frame: rtc.VideoFrame | rtc.AudioFrame, *rest: Any) -> None:
            pcm = np.frombuffer(frame.data, np.int16 if isinstance(frame, rtc.AudioFrame) else np.uint8)
            if isinstance(frame, rtc.AudioFrame):
                self.frames[-1] = self.frames[-1][0], pcm
            else:
                self.frames.append((pcm.mean() / 250, None))
            self._came.set()
            await push(frame, *rest)

        runner.av_sync.push = noted

    def said(self) -> list[tuple[float, np.ndarray]]:
        return [(light, pcm) for light, pcm in self.frames if pcm is not None]

    async def more(self, count: int, said: bool = False) -> None:
        """Wait for so many more frames, or for as many with sound."""
        until = len(self.said() if said else self.frames) + count
        async with asyncio.timeout(10):
            while len(self.said() if said else self.frames) < until:
                self._came.clear()
                await self._came.wait()


def speech(seconds: float) -> list[rtc.AudioFrame]:
    """Tones of 80 ms, some loud and some quiet, in frames of 20 ms."""
    levels = np.resize([0.7, 0.1, 0.4, 0.0, 0.5], round(seconds / 0.08))
    tone = np.sin(2 * np.pi * 300 * np.arange(2 * FRAME) / RATE)
    pcm = (np.concatenate([level * tone for level in levels]) * 32767).astype(np.int16)
    return [rtc.AudioFrame(piece.tobytes(), RATE, 1, FRAME // 2) for piece in pcm.reshape(-1, FRAME // 2)]


def check_sync(said: list[tuple[float, np.ndarray]]) -> None:
    """From the fifth frame on, when it is known how loud the voice is."""
    lights = np.array([light for light, _ in said[4:]])
    loud = np.array([np.abs(pcm.astype(float)).max() / 32768 for _, pcm in said[4:]])
    np.testing.assert_allclose(lights, loud * lights.max() / loud.max(), atol=0.03)
    assert np.ptp(lights) > 0.2


async def test_a_worker_says_what_an_agent_sends(face: StreamedFace):
    agent_room, worker_room = room("agent", "avatar")
    speaks = DataStreamAudioOutput(agent_room, destination_identity="avatar", wait_playback_start=True)
    runner = await serve(worker_room, face)
    played = Played(runner)
    sent = speech(0.8)
    for frame in sent:
        await speaks.capture_frame(frame)
    speaks.flush()
    async with asyncio.timeout(10):
        finished = await speaks.wait_for_playout()
    assert (finished.interrupted, finished.playback_position) == (False, pytest.approx(0.8))
    assert b"".join(pcm.tobytes() for _, pcm in played.said()) == b"".join(bytes(frame.data) for frame in sent)
    check_sync(played.said())
    assert len(worker_room.local_participant.tracks) == 2

    for frame in speech(4.0):
        await speaks.capture_frame(frame)
    await played.more(10, said=True)
    speaks.clear_buffer()
    async with asyncio.timeout(1):
        finished = await speaks.wait_for_playout()
    heard = len(played.said())
    assert finished.interrupted
    assert 0.3 < finished.playback_position < 2.0
    await played.more(6)
    assert len(played.said()) == heard
    assert played.frames[-1][0] == 0
    await runner.aclose()


async def test_an_agent_speaks_through_the_face_in_its_own_process(face: StreamedFace):
    (agent_room,) = room("agent")
    session = AgentSession()
    runner = await join(session, agent_room, face)
    played = Played(runner)
    await session.start(Agent(instructions=""))

    session.emit("user_state_changed", UserStateChangedEvent(old_state="listening", new_state="speaking"))
    assert face.control.state == "listening"

    async def spoken() -> AsyncIterator[rtc.AudioFrame]:
        for frame in speech(0.8):
            yield frame

    async with asyncio.timeout(10):
        await session.say("Good morning.", audio=spoken())
    assert sum(len(pcm) for _, pcm in played.said()) == 0.8 * RATE
    check_sync(played.said())
    assert face.control.state == "idle"
    await session.aclose()
    await runner.aclose()
