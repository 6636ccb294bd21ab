"""A face as Pipecat's video service: speech in, the same speech with its pictures out, in real time."""

import asyncio
from collections import deque
from dataclasses import replace

import numpy as np
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.ai_service import AIService
from pipecat.services.settings import ServiceSettings

from animator.control import State
from animator.streaming import Moment, StreamedFace
from animator.units import RATE, pcm16


class FaceVideoService(AIService):
    """``face`` says what the voice before it says. It shows itself from the pipeline's start on, silent or not.

    `TTSAudioRawFrame` comes out at 24 kHz in pieces of 40 ms, each with the `OutputImageRawFrame` that belongs to it;
    `TTSStoppedFrame` when all was said. An interruption silences it at once; the end of the pipeline waits for it.
    """

    def __init__(self, face: StreamedFace) -> None:
        super().__init__(settings=ServiceSettings(model=None))
        self._face = face
        self._showing: asyncio.Task[None] | None = None
        self._quiet = asyncio.Event()
        self._context: str | None = None
        self._ends: deque[TTSStoppedFrame] = deque()

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        self._showing = self.create_task(self._show())

    async def stop(self, frame: EndFrame) -> None:
        await super().stop(frame)
        self._face.end()
        self._quiet.clear()
        await self._quiet.wait()

    async def cleanup(self) -> None:
        await super().cleanup()
        if self._showing:
            await self.cancel_task(self._showing)
            self._showing = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM and isinstance(frame, TTSAudioRawFrame):
            self._context = frame.context_id
            self._face.say(np.frombuffer(frame.audio, np.int16).reshape(-1, frame.num_channels), frame.sample_rate)
            return
        if direction is FrameDirection.DOWNSTREAM and isinstance(frame, TTSStoppedFrame) and self._face.end():
            self._ends.append(frame)
            return
        self._follow(frame)
        await self.push_frame(frame, direction)

    def _follow(self, frame: Frame) -> None:
        """What the rest of the pipeline does to the face."""
        if isinstance(frame, InterruptionFrame | CancelFrame):
            self._face.clear()
            self._ends.clear()
        elif isinstance(frame, UserStartedSpeakingFrame):
            self._become("listening")
        elif isinstance(frame, UserStoppedSpeakingFrame):
            self._become("thinking")

    def _become(self, state: State) -> None:
        self._face.control = replace(self._face.control, state=state)

    async def _show(self) -> None:
        async for moment in self._face.paced():
            await self._push(moment)
            if not self._face.busy:
                self._quiet.set()

    async def _push(self, moment: Moment) -> None:
        if moment.sound is not None:
            await self.push_frame(TTSAudioRawFrame(pcm16(moment.sound), RATE, 1, context_id=self._context))
        height, width, _ = moment.picture.shape
        await self.push_frame(OutputImageRawFrame(moment.picture.tobytes(), (width, height), "RGB"))
        for _ in range(min(moment.ended, len(self._ends))):
            self._become("idle")
            await self.push_frame(self._ends.popleft())
