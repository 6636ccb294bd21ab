"""A real Pipecat pipeline speaks through our face."""

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

pytest.importorskip("pipecat")

from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InterruptionFrame,
    OutputImageRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner
from vasari_pipecat import FaceVideoService

from animator.streaming import StreamedFace
from tests.lamps import lamp

pytestmark = pytest.mark.extra
RATE = 16_000  # Hz, of the voice
FRAME = RATE // 25


class Output(FrameProcessor):
    """What would be sent to the user, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[tuple[float, Frame]] = []
        self._more = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.came.append((time.monotonic(), frame))
        self._more.set()
        await self.push_frame(frame, direction)

    def of(self, kind: type[Frame]) -> list[Frame]:
        return [frame for _, frame in self.came if isinstance(frame, kind)]

    async def until(self, kind: type[Frame], count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.of(kind)) < count:
                self._more.clear()
                await self._more.wait()


class Call:
    """A pipeline that runs: a voice would be before the face, a transport behind it."""

    def __init__(self, face: StreamedFace) -> None:
        self.output = Output()
        self._worker = PipelineWorker(
            Pipeline([FaceVideoService(face), self.output]), cancel_on_idle_timeout=False, enable_rtvi=False
        )

    async def __aenter__(self) -> "Call":
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        self._running = asyncio.create_task(runner.run())
        await self.output.until(OutputImageRawFrame, 1)
        return self

    async def send(self, *frames: Frame) -> None:
        await self._worker.queue_frames(list(frames))

    async def __aexit__(self, *_: object) -> None:
        await self.send(EndFrame())
        async with asyncio.timeout(10):
            await self._running


def speech(frames: int) -> list[TTSAudioRawFrame]:
    """Tones of 80 ms, some loud and some quiet, in pieces of 100 ms."""
    levels = np.repeat(np.resize([0.7, 0.1, 0.4, 0.0, 0.5], -(-frames // 2)), 2)[:frames]
    tone = np.sin(2 * np.pi * 300 * np.arange(FRAME) / RATE)
    pcm = (np.concatenate([level * tone for level in levels]) * 32767).astype(np.int16)
    return [
        TTSAudioRawFrame(piece.tobytes(), RATE, 1, context_id="turn")
        for piece in np.split(pcm, range(1600, len(pcm), 1600))
    ]


@pytest.fixture
async def face() -> AsyncIterator[StreamedFace]:
    streamed = StreamedFace(lamp())
    yield streamed
    streamed.close()


def loudness(frame: TTSAudioRawFrame) -> float:
    return np.abs(np.frombuffer(frame.audio, np.int16).astype(float)).max() / 32768


async def test_speech_comes_out_whole_in_time_with_its_pictures(face: StreamedFace):
    async with Call(face) as call:
        await call.send(TTSStartedFrame(), *speech(20), TTSStoppedFrame())
        await call.output.until(TTSStoppedFrame, 1)
    came = call.output.came
    sounds = [at for at, (_, frame) in enumerate(came) if isinstance(frame, TTSAudioRawFrame)]
    assert len(sounds) == 20
    assert {(f.sample_rate, f.num_channels, f.context_id) for f in call.output.of(TTSAudioRawFrame)} == {
        (24_000, 1, "turn")
    }
    assert came[sounds[-1]][0] - came[sounds[0]][0] > 0.6  # in real time
    known = sounds[4:]  # how loud the voice is
    lights = np.array([np.frombuffer(came[at + 1][1].image, np.uint8).mean() / 250 for at in known])
    loud = np.array([loudness(came[at][1]) for at in known])
    np.testing.assert_allclose(lights, loud * lights.max() / loud.max(), atol=0.03)
    assert np.ptp(lights) > 0.2
    stopped = next(at for at, (_, frame) in enumerate(came) if isinstance(frame, TTSStoppedFrame))
    assert stopped > sounds[-1]


async def test_an_interruption_silences_it_and_the_next_words_are_said(face: StreamedFace):
    async with Call(face) as call:
        await call.send(*speech(100), TTSStoppedFrame())
        await call.output.until(TTSAudioRawFrame, 5)
        await call.send(UserStartedSpeakingFrame(), InterruptionFrame())
        await call.output.until(InterruptionFrame, 1)
        heard, shown = len(call.output.of(TTSAudioRawFrame)), len(call.output.of(OutputImageRawFrame))
        assert face.control.state == "listening"
        await call.output.until(OutputImageRawFrame, shown + 8)
        assert len(call.output.of(TTSAudioRawFrame)) <= heard + 1
        assert not call.output.of(TTSStoppedFrame)
        assert not np.frombuffer(call.output.of(OutputImageRawFrame)[-1].image, np.uint8).any()
        await call.send(*speech(10))  # no stop: the end of the pipeline is that of the utterance
    assert len(call.output.of(TTSAudioRawFrame)) >= heard + 10
