"""A face as LiveKit's avatar: its `VideoGenerator`, and the two ways in which speech reaches it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, UserStateChangedEvent
from livekit.agents.voice.avatar import (
    AudioReceiver,
    AudioSegmentEnd,
    AvatarOptions,
    AvatarRunner,
    DataStreamAudioReceiver,
    QueueAudioOutput,
    VideoGenerator,
)

from animator.control import State
from animator.streaming import Moment, StreamedFace
from animator.units import FPS, RATE, SAMPLES_PER_FRAME, Samples, pcm16


class FaceVideo(VideoGenerator):
    """What LiveKit's `AvatarRunner` plays: a picture every 40 ms, behind it the sound that belongs to it."""

    def __init__(self, face: StreamedFace) -> None:
        self._face = face
        self._clears = 0

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        if isinstance(frame, AudioSegmentEnd):
            self._face.end()
        else:
            pcm = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)
            self._face.say(pcm, frame.sample_rate)

    def clear_buffer(self) -> None:
        self._clears += 1
        self._face.clear()

    async def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        async for moment in self._face:
            clears = self._clears
            yield _video(moment)  # the player takes its time over it
            if clears != self._clears:
                continue
            if moment.sound is not None:
                yield _audio(moment.sound)
            for _ in range(moment.ended):
                yield AudioSegmentEnd()


def _video(moment: Moment) -> rtc.VideoFrame:
    height, width, _ = moment.picture.shape
    return rtc.VideoFrame(width, height, rtc.VideoBufferType.RGB24, moment.picture.tobytes())


def _audio(sound: Samples) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm16(sound), RATE, 1, SAMPLES_PER_FRAME)


async def join(session: AgentSession[Any], room: rtc.Room, face: StreamedFace) -> AvatarRunner:
    """The face says what ``session`` says, in the agent's own process. To be awaited before `AgentSession.start`.

    It also shows that it listens and thinks. Close the runner, then the face, in the end.
    """
    speech = QueueAudioOutput(sample_rate=RATE, wait_playback_start=True)
    runner = await _run(room, speech, face)
    session.output.audio = speech
    _attend(session, face)
    return runner


async def serve(room: rtc.Room, face: StreamedFace, sender: str | None = None) -> AvatarRunner:
    """The face says what another process sends by `DataStreamAudioOutput`: the participant ``sender``, or else the
    first agent that is in the room."""
    return await _run(room, DataStreamAudioReceiver(room, sender_identity=sender), face)


async def _run(room: rtc.Room, speech: AudioReceiver, face: StreamedFace) -> AvatarRunner:
    options = AvatarOptions(face.width, face.height, FPS, RATE, audio_channels=1)
    runner = AvatarRunner(room, audio_recv=speech, video_gen=FaceVideo(face), options=options)
    await runner.start()
    return runner


def _attend(session: AgentSession[Any], face: StreamedFace) -> None:
    def become(state: State) -> None:
        face.control = replace(face.control, state=state)

    def user_changed(event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            become("listening")

    def agent_changed(event: AgentStateChangedEvent) -> None:
        become("thinking" if event.new_state == "thinking" else "idle")

    session.on("user_state_changed", user_changed)
    session.on("agent_state_changed", agent_changed)
