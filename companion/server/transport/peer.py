"""A WebRTC connection as a `Wire`: events on a data channel, both voices and the face as media tracks.

Needs the extra ``webrtc``. Of aiortc it uses two parts that are not public, both in `_adapt`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast
from urllib.parse import unquote

import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from animator.units import from_pcm16, pcm16
from companion.hearing.audio.resampling import Resampler
from companion.protocol import codec
from companion.protocol.events import (
    AudioDelta,
    AvatarState,
    ClientEvent,
    Error,
    InputAudioBufferAppend,
    OutputAudioCleared,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    VideoDelta,
)
from companion.server.transport.tracks import FaceTrack, Playout, VoiceTrack
from companion.server.transport.wire import GOODBYE_S, End, GoneError, Left
from companion.stages.protocols import SPEAK_RATE, sample_at

log = logging.getLogger(__name__)

CHANNEL = "oai-events"  # the label of the data channel, as OpenAI's clients name it
OPUS_RATE = 48_000  # samples/s of what aiortc decodes, stereo
MOST_GAP = OPUS_RATE // 2  # samples of lost sound that are replaced by silence; longer, the microphone was off
MOST_WAITING = 500  # messages and packets of sound of the client that may wait: 10 s of sound
MOST_BUFFERED = 256_000  # bytes of events that may wait to be sent
GATHER_S = 10.0  # s that STUN and TURN servers may take to answer
SILENT_S = 12.0  # s without any packet after which a client is gone: the slowest report every 7.5 s
LOOK_S = 1.0  # s between two looks at that
VIDEO_CODECS = ("video/VP8", "video/rtx")


class OfferError(Exception):
    """The client's offer cannot be answered; the message says why."""


class Peer:
    """One client's connection, once `answer` has settled what it carries; ``encode`` turns events into messages."""

    def __init__(self, connection: RTCPeerConnection, encode: codec.Encoder) -> None:
        self.tracks = True
        self.dropped: Callable[[int], None] = lambda frames: None
        self.answered = asyncio.Event()  # set while the client is alive
        self.answered.set()
        self._connection, self._encode = connection, encode
        self._inbox: deque[str | bytes | ClientEvent] = deque()
        self._changed = asyncio.Event()  # something was received, or the client left
        self._left: Left | None = None
        self._channel: RTCDataChannel | None = None
        self._open, self._drained = asyncio.Event(), asyncio.Event()
        self._answering = False  # a response has begun and is not done
        self._listening: list[asyncio.Task[None]] = []
        playout = Playout(asyncio.get_running_loop().time)
        self._voice = VoiceTrack(playout)
        self._face = FaceTrack(playout, lambda frames: self.dropped(frames))
        connection.on("datachannel", self._take_channel)
        connection.on("connectionstatechange", self._look)

    async def answer(self, offer: str) -> str:
        """Settle what is carried -> the answer to an SDP ``offer``. Raises OfferError."""
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        except Exception as error:  # aiortc's parser raises whatever a malformed offer leads to
            raise OfferError("The body is not an SDP offer that can be answered: Opus and VP8 are needed.") from error
        if self._connection.sctp is None:
            raise OfferError(f"The offer needs a data channel: createDataChannel({CHANNEL!r}) before createOffer().")
        transceivers = self._connection.getTransceivers()
        if sorted(one.kind for one in transceivers) not in (["audio"], ["audio", "video"]):
            raise OfferError("The offer needs one audio section, and may have one video section.")
        for transceiver in transceivers:
            self._furnish(transceiver)
        try:
            async with asyncio.timeout(GATHER_S):
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except TimeoutError as error:
            raise OfferError("The STUN and TURN servers of this server do not answer.") from error
        self._start(self._watch())
        return self._connection.localDescription.sdp

    async def connected(self, within: float) -> bool:
        """Wait until the data channel is open -> whether it is ``within`` so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._open.wait()
        return self._open.is_set() and not self._left

    def begin(self, event: ClientEvent) -> None:
        """Take an event as if the client had sent it first."""
        self._inbox.append(event)

    async def receive(self) -> str | bytes | ClientEvent | Left:
        """As `Wire.receive`; the user's track arrives as `InputAudioBufferAppend`."""
        while not self._inbox:
            if self._left:
                return self._left
            self._changed.clear()
            await self._changed.wait()
        return self._inbox.popleft()

    async def send(self, event: ServerEvent) -> None:
        """As `Wire.send`; sound and pictures go to their tracks."""
        if isinstance(event, AudioDelta):
            return self._voice.put(sample_at(event.pts_ms), from_pcm16(event.delta))
        if isinstance(event, VideoDelta):
            return self._face.put(event)
        self._follow(event)
        return await self._tell(event)

    async def close(self, end: End) -> None:
        """As `Wire.close`."""
        with suppress(GoneError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                if end.problem and self._channel:
                    await self._tell(Error(end.problem), most=0)
        self.leave()
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self._connection.close()

    def leave(self, for_good: bool = False) -> None:
        """The client has gone, or hung up (``for_good``)."""
        self._left = self._left or Left(for_good)
        self._changed.set()
        self._drained.set()
        self._open.set()

    def ask(self) -> None:
        """As `Line.ask`; whether the client is alive is known all the time."""

    def drop(self) -> None:
        """As `Line.drop`."""
        self.leave()

    def _furnish(self, transceiver: RTCRtpTransceiver) -> None:
        """Send our track in a section of the offer, and hear the user's if it is sound."""
        if transceiver.kind == "audio":
            self._connection.addTrack(self._voice)
            if track := cast(MediaStreamTrack | None, transceiver.receiver.track):
                self._start(self._hear(track))
        else:
            known = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences([one for one in known if one.mimeType in VIDEO_CODECS])
            self._connection.addTrack(self._face)
            transceiver.direction = "sendonly"
        _adapt(transceiver, self._face.renew)

    def _take_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL or self._channel:
            return channel.close()
        self._channel = channel
        channel.on("message", self._take)
        channel.on("close", self.leave)
        channel.on("bufferedamountlow", self._drained.set)
        return self._open.set()

    def _take(self, message: str | bytes | ClientEvent) -> None:
        """What the client sent. Of one that sends more than can be acted upon, sound is lost; else it is dropped."""
        if len(self._inbox) < MOST_WAITING:
            self._inbox.append(message)
            self._changed.set()
        elif not isinstance(message, InputAudioBufferAppend):
            self.leave()

    def _follow(self, event: ServerEvent) -> None:
        """What an event means for the tracks."""
        match event:
            case ResponseCreated():
                self._answering = True
            case OutputAudioCleared():
                self._silence(event.response_id)
            case ResponseDone():
                self._answering = False
                if event.response.get("status") == "cancelled":
                    self._silence(event.response["id"])
            case AvatarState():  # somebody may begin to speak: the pause begins with what is on its way already
                self._voice.hushed = self._answering and event.state == "listening"
            case _:
                pass

    def _silence(self, response: str) -> None:
        self._voice.clear()
        self._face.clear(response)

    async def _tell(self, event: ServerEvent, most: int = MOST_BUFFERED) -> None:
        """Send an event on the data channel, and wait until at most ``most`` bytes wait there. Raises GoneError."""
        channel = self._channel
        try:
            if channel is None or self._left:
                raise GoneError
            channel.bufferedAmountLowThreshold = most
            channel.send(str(self._encode(event)))
        except (InvalidStateError, ConnectionError) as error:
            raise GoneError from error
        except ValueError:
            return log.warning("an event is larger than a client accepts on a data channel: %s", event.type)
        while channel.bufferedAmount > most and not self._left:
            self._drained.clear()
            await self._drained.wait()
        return None

    async def _hear(self, track: MediaStreamTrack) -> None:
        """Take the user's sound until it ends."""
        resample, expected = Resampler(OPUS_RATE, SPEAK_RATE), None
        with suppress(MediaStreamError):
            while True:
                frame: Any = await track.recv()
                sound = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, 2).mean(1) / 32768
                lost = 0 if expected is None else frame.pts - expected
                expected = frame.pts + len(sound)
                if 0 < lost <= MOST_GAP:
                    sound = np.concatenate([np.zeros(lost, np.float32), sound])
                self._take(InputAudioBufferAppend(pcm16(resample(sound))))

    async def _watch(self) -> None:
        """Notice a client that has gone without a word: not even reports come of it."""
        clock = asyncio.get_running_loop().time
        received, at = -1, clock()
        while not self._left:
            report = await self._connection.getStats()
            now = sum(one.packetsReceived for one in report.values() if one.type == "transport")
            if now != received:
                received, at = now, clock()
                self.answered.set()
            elif clock() - at > SILENT_S:
                self.answered.clear()
                self.leave()
            await asyncio.sleep(LOOK_S)

    def _look(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self.leave()

    def _start(self, work: Any) -> None:
        self._listening.append(asyncio.create_task(work))


def connection(servers: Sequence[str]) -> RTCPeerConnection:
    """A new connection that finds its way by ``servers``, as `ice_server` reads them."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[ice_server(server) for server in servers]))


def ice_server(url: str) -> RTCIceServer:
    """``stun:HOST:PORT`` or ``turn:USER:PASSWORD@HOST:PORT?transport=udp``, percent-encoded -> aiortc's object."""
    scheme, _, rest = url.partition(":")
    account, _, host = rest.rpartition("@")
    user, _, password = account.partition(":")
    return RTCIceServer(f"{scheme}:{host}", unquote(user) or None, unquote(password) or None)


def _adapt(transceiver: RTCRtpTransceiver, renew: Callable[[], None]) -> None:
    """Have ``renew`` called where the client asks for a keyframe, and lose a packet of the user's sound after 0.16 s
    instead of 0.32 s, which would delay all that follows by as much."""
    sender, receiver = cast(Any, transceiver.sender), cast(Any, transceiver.receiver)
    if transceiver.kind == "video":
        sender._send_keyframe = renew
    else:
        name = f"_{RTCRtpReceiver.__name__}__jitter_buffer"
        assert isinstance(getattr(receiver, name), JitterBuffer)
        setattr(receiver, name, JitterBuffer(capacity=8, prefetch=3))
