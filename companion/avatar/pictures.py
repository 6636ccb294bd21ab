"""The drawing of the face: chunks of sound are queued, drawn, encoded and sent in order, off the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from animator.control import Control
from animator.face import Face
from animator.units import FPS, SAMPLES_PER_FRAME
from companion.avatar.device import Device, EncodedFrame
from companion.avatar.elastic import ElasticEncoder
from companion.avatar.thrift import Thrift
from companion.metrics import Metrics
from companion.protocol.events import ServerEvent, VideoDelta
from companion.speech.playout import Speaker
from companion.stages.protocols import SPEAK_RATE, Samples

MOST_WAITING = 4  # chunks that may wait to be drawn; a machine too slow for more shows fewer frames, never less sound
HALVED_WAITING = 2  # chunks that wait from which on only every second frame is drawn, so that the face need not freeze


@dataclass(frozen=True, slots=True)
class Look:
    """A face, and the encoder of its pictures."""

    face: Face
    encoder: ElasticEncoder
    codec: str


@dataclass(frozen=True, slots=True)
class Sounds:
    """What the face says in a chunk, and what it hears of the user meanwhile; (n,) each at `SPEAK_RATE`."""

    own: Samples
    user: Samples


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which frames of a chunk: the first of each ``every`` is drawn, and encoded if it is ``sent``; the first of these
    as a ``keyframe``. ``interrupted``: the face forgets what it has looked ahead before."""

    every: int
    sent: Sequence[bool]
    interrupted: bool
    keyframe: bool


@dataclass(slots=True)
class Chunk:
    """The input of one step of the face, and whose pictures they are. ``clock``: of its first sample."""

    clock: int
    sounds: Sounds
    control: Control
    speaker: Speaker | None
    epoch: int
    drawn: asyncio.Event = field(default_factory=asyncio.Event)  # its sound need not wait for the pictures any longer
    heard: asyncio.Event = field(default_factory=asyncio.Event)  # its sound was sent: its pictures may follow

    async def wait(self, until: float) -> None:
        """Wait until its pictures are drawn, until loop time ``until`` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self.drawn.wait()


class Pictures:
    """One session's; ``send`` gets the frames."""

    def __init__(self, device: Device, send: Callable[[ServerEvent], None], metrics: Metrics) -> None:
        self._device, self._send, self._metrics = device, send, metrics
        self._look: Look | None = None
        self._new: Look | None = None
        self._change = False  # `_new` is to be put on before the next chunk
        self._waiting: deque[Chunk] = deque()
        self._ready = asyncio.Event()
        self._epoch = self._face_epoch = 0
        self._keyframe = False
        self._watched = True
        self.thrift = Thrift()

    @property
    def look(self) -> Look | None:
        """The face of the chunks that are added now."""
        return self._new if self._change else self._look

    def wear(self, look: Look | None) -> None:
        """Change to another face, or to none, from the next chunk that is added."""
        self._waiting.clear()
        _close(self._new)
        self._new, self._change = look, True
        self._ready.set()

    def want_keyframe(self) -> None:
        """Make the next frame a keyframe."""
        self._keyframe = True

    def watch(self, watched: bool) -> None:
        """Whether anybody sees the face from now on. While nobody does, it is not drawn, and no frames count as
        missed."""
        self._watched = watched
        self._keyframe = True

    def interrupt(self) -> None:
        """Do not show the sound of the chunks so far."""
        self._epoch += 1

    def leave_out(self, frames: int = 0) -> None:
        """The machine is too busy: drop the queue, and the next ``frames``."""
        if self.look:
            self._miss(frames + len(self._waiting) * self.look.face.chunk_frames)
        self._waiting.clear()

    def add(self, clock: int, sounds: Sounds, control: Control, speaker: Speaker | None) -> Chunk:
        """Queue sound from the buffer and the microphone; ``clock`` is when its pictures are due."""
        if len(self._waiting) >= MOST_WAITING:
            self.leave_out()
        chunk = Chunk(clock, sounds, control, speaker, self._epoch)
        self._waiting.append(chunk)
        self._ready.set()
        return chunk

    async def run(self, failed: Callable[[Exception], None]) -> None:
        """Draw what is added, until cancelled. A face that fails is taken off, and ``failed`` is told why."""
        try:
            while True:
                await self._ready.wait()
                if self._change:
                    _close(self._look)
                    self._look, self._new, self._change = self._new, None, False
                if self._waiting:
                    await self._show(self._waiting.popleft(), failed)
                else:
                    self._ready.clear()
        finally:
            _close(self._look)
            _close(self._new)

    async def _show(self, chunk: Chunk, failed: Callable[[Exception], None]) -> None:
        look, clock = self._look, asyncio.get_running_loop().time
        begun, every = clock(), 2 if len(self._waiting) >= HALVED_WAITING else 1
        packets = await self._draw(look, chunk, every, failed) if look and self._watched else {}
        drawn = clock()
        chunk.drawn.set()
        await chunk.heard.wait()
        if look is None:
            return
        speaker = chunk.speaker if chunk.epoch == self._epoch else None
        frames = max(every, self.thrift.every)
        for pts, packet in packets.items():
            self._send(_event(look, packet, pts, frames, speaker.id if speaker else None))
        if not packets:
            return
        self._miss(look.face.chunk_frames - len(range(0, look.face.chunk_frames, every)))
        self._metrics.frames.inc(len(packets))
        self._metrics.drawing.observe(drawn - begun)
        if speaker:
            speaker.seen(begun, drawn)

    def _miss(self, frames: int) -> None:
        self._metrics.dropped.inc(frames)
        self._metrics.undrawn.inc(frames)

    async def _draw(
        self, look: Look, chunk: Chunk, every: int, failed: Callable[[Exception], None]
    ) -> dict[int, EncodedFrame]:
        """The frames that are sent, by their clock."""
        sounds = chunk.sounds
        if chunk.epoch != self._epoch:
            sounds = replace(sounds, own=np.zeros_like(sounds.own))
        interrupted, self._face_epoch = self._face_epoch != self._epoch, self._epoch
        clocks = [chunk.clock + i * SAMPLES_PER_FRAME for i in range(0, look.face.chunk_frames, every)]
        sent = [self.thrift.sends(clock // SAMPLES_PER_FRAME, every) for clock in clocks]
        keyframe = self._keyframe and any(sent)
        self._keyframe = self._keyframe and not keyframe
        look.encoder.share = self.thrift.share
        wanted = Wanted(every, sent, interrupted, keyframe)
        try:
            packets = await self._device.run(_step, look, sounds, chunk.control, wanted)
        except Exception as error:  # any face may fail in any way; the conversation goes on without it
            self.wear(None)
            failed(error)
            return {}
        return dict(zip(compress(clocks, sent), packets, strict=True))


def _event(look: Look, packet: EncodedFrame, clock: int, frames: int, response_id: str | None) -> VideoDelta:
    return VideoDelta(
        delta=packet.data,
        codec=look.codec,
        codec_string=look.encoder.codec_string,
        pts_ms=clock * 1000 / SPEAK_RATE,
        duration_ms=1000 * frames / FPS,
        keyframe=packet.keyframe,
        width=look.face.width,
        height=look.face.height,
        response_id=response_id,
    )


def _step(look: Look, sounds: Sounds, control: Control, wanted: Wanted) -> list[EncodedFrame]:
    """On the device's thread: the next frames of the face, encoded."""
    if wanted.interrupted:
        look.face.interrupt()
    packets: list[EncodedFrame] = []
    shown = look.face.step(sounds.own, control, sounds.user, wanted.every)
    for frame in compress(shown.frames, wanted.sent):
        packets += look.encoder.encode(frame, wanted.keyframe and not packets)
    return packets


def _close(look: Look | None) -> None:
    if look:
        look.encoder.close()
