"""A session's sound and pictures as media tracks, sent in step: what is heard together leaves together.

Both tracks carry what the session has encoded already; nothing is drawn or encoded for them a second time, except that
the voice becomes Opus. Positions are samples at `SPEAK_RATE`: ``at`` is one of the session's clock, as ``pts_ms``.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from companion.protocol.events import VideoDelta
from companion.stages.protocols import SPEAK_RATE, Samples, sample_at

PIECE = SPEAK_RATE // 50  # samples of an Opus packet: 20 ms
LEAD = SPEAK_RATE * 8 // 100  # samples by which sound is sent after it came: the next chunk may be late by as much
FADE = SPEAK_RATE // 100  # samples of the fade where sound breaks off, so that it does not click
BEHIND = SPEAK_RATE // 2  # samples; a track that falls farther behind the clock leaves out time
BIT_RATE = 40_000  # of the voice; with what repairs the packet before
KEYFRAME_S = 0.3  # s between two keyframes that a client's losses ask for
SILENCE: Samples = np.zeros(PIECE, np.float32)


class Playout:
    """The moment at which each position of the session's clock is sent, on a clock that both tracks share and that
    begins now. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._begun = clock, clock()
        self._shift: int | None = None

    @property
    def now(self) -> int:
        """The tracks' clock."""
        return round((self._clock() - self._begun) * SPEAK_RATE)

    def arrive(self, at: int, resting: bool) -> None:
        """Sound of position ``at`` has come. While nothing is heard (``resting``), the lead is set right again; in the
        middle of speech all that follows moves back if that sound would be too late."""
        due = self.now - at
        lead = due if self._shift is None else self._shift - due
        if self._shift is None or (resting and not LEAD // 2 <= lead <= 2 * LEAD):
            self._shift = due + LEAD
        elif lead < PIECE:
            self._shift = due + PIECE

    def place(self, at: int) -> int:
        """When position ``at`` is sent, on the tracks' clock. One that nothing came before is sent with a lead."""
        if self._shift is None:
            self.arrive(at, resting=True)
        return at + (self._shift or 0)


class VoiceTrack(MediaStreamTrack):
    """The voice in Opus, with silence where there is none: 20 ms at a time, so that the client's clock never stops."""

    kind = "audio"

    def __init__(self, playout: Playout) -> None:
        super().__init__()
        self._playout = playout
        self._queue: deque[tuple[int, Samples]] = deque()  # position, sound
        self._tail: Samples = SILENCE  # how what was cleared fades out
        self._pieces = 0  # sent, or left out
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = SPEAK_RATE, "mono", "s16"
        self._encoder.bit_rate = BIT_RATE
        self._encoder.options = {"application": "voip", "fec": "1", "packet_loss": "10"}
        self.hushed = False  # what comes meanwhile is not heard

    def put(self, at: int, sound: Samples) -> None:
        """The sound (n,) of position ``at`` on."""
        self._playout.arrive(at, resting=not self._queue)
        self._queue.append((at, sound))

    def clear(self) -> None:
        """Fall silent now."""
        self._tail = self._sound(self._pieces * PIECE).copy()
        self._tail[:FADE] *= np.linspace(1, 0, FADE, dtype=np.float32)
        self._tail[FADE:] = 0
        self._queue.clear()

    async def recv(self) -> "av.Packet[Any]":
        """The next packet, at its time. Raises MediaStreamError once the track is stopped."""
        while True:
            behind = self._playout.now - self._pieces * PIECE
            if behind > BEHIND:
                self._pieces += behind // PIECE
            elif behind < 0:
                await asyncio.sleep(-behind / SPEAK_RATE)
            if self.readyState != "live":
                raise MediaStreamError
            first = self._pieces * PIECE
            self._pieces += 1
            if packets := self._coded(self._next(first), first):
                return packets[0]

    def _next(self, first: int) -> Samples:
        sound = self._sound(first)
        if self.hushed:
            sound = SILENCE
        if self._tail is not SILENCE:
            sound, self._tail = sound + self._tail, SILENCE
        return sound

    def _sound(self, first: int) -> Samples:
        """What is heard of the waiting sound in the piece at ``first``, (PIECE,)."""
        piece = SILENCE.copy()
        while self._queue:
            at, sound = self._queue[0]
            start = self._playout.place(at) - first
            if start >= PIECE:
                break
            late, start = max(0, -start), max(0, start)
            part = sound[late : late + PIECE - start]
            piece[start : start + len(part)] = part
            if late + len(part) < len(sound):
                self._queue[0] = at + late + len(part), sound[late + len(part) :]
                break
            self._queue.popleft()
        return piece

    def _coded(self, sound: Samples, first: int) -> "list[av.Packet[Any]]":
        levels = np.clip(np.round(sound * 32767), -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(levels[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SPEAK_RATE, first, Fraction(1, SPEAK_RATE)
        packets = self._encoder.encode(frame)
        for packet in packets:
            packet.pts, packet.time_base = first, Fraction(1, SPEAK_RATE)
        return packets


class FaceTrack(MediaStreamTrack):
    """The pictures as the session encoded them, each when the sound with its pts is sent; late ones at once.
    ``dropped`` is called with the number of frames that cannot be shown, or 0 where the client has lost some: the next
    one must be a keyframe."""

    kind = "video"

    def __init__(self, playout: Playout, dropped: Callable[[int], None]) -> None:
        super().__init__()
        self._playout, self._dropped = playout, dropped
        self._queue: deque[VideoDelta] = deque()
        self._ready = asyncio.Event()
        self._broken = False  # frames were dropped: none can be decoded before a keyframe
        self._last = -1  # timestamp of the last one
        self._asked = -KEYFRAME_S  # when the client last asked for a keyframe

    def put(self, frame: VideoDelta) -> None:
        """The next frame."""
        if self._broken and not frame.keyframe:
            return self._dropped(1)
        self._broken = False
        self._queue.append(frame)
        return self._ready.set()

    def clear(self, response: str) -> None:
        """Do not show what waits of a response, nor what builds on it."""
        first = next((n for n, frame in enumerate(self._queue) if frame.response_id == response), None)
        if first is not None:
            cleared = len(self._queue) - first
            self._queue, self._broken = deque(list(self._queue)[:first]), True
            self._dropped(cleared)

    def renew(self) -> None:
        """The client cannot decode what it gets."""
        now = asyncio.get_running_loop().time()
        if now - self._asked >= KEYFRAME_S:
            self._asked = now
            self._dropped(0)

    def stop(self) -> None:
        super().stop()
        self._ready.set()

    async def recv(self) -> "av.Packet[Any]":
        """The next frame, at its time. Raises MediaStreamError once the track is stopped."""
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            if not self._queue:
                self._ready.clear()
                await self._ready.wait()
                continue
            due = self._playout.place(sample_at(self._queue[0].pts_ms))
            early = due - self._playout.now
            if early <= 0:
                return self._packet(self._queue.popleft(), due)
            await asyncio.sleep(early / SPEAK_RATE)

    def _packet(self, frame: VideoDelta, due: int) -> "av.Packet[Any]":
        packet: av.Packet[Any] = av.Packet(frame.delta)
        self._last = max(due, self._last + 1)
        packet.pts, packet.time_base = self._last, Fraction(1, SPEAK_RATE)
        return packet
