"""A client of WebRTC, as aiortc makes one: what it hears, sees and is told, and a microphone."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import httpx
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from tests.server.loopback import Running

RATE, PIECE = 48_000, 960
LOUD = 0.01  # RMS


class Microphone(AudioStreamTrack):
    """A tone while ``loud``, else silence; in real time."""

    loud = False

    async def recv(self) -> Any:
        quiet = await super().recv()
        n = quiet.samples
        t = (quiet.pts + np.arange(n)) / quiet.sample_rate
        wave = (np.sin(2 * np.pi * 220 * t) * (9000 if self.loud else 0)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = quiet.sample_rate, quiet.pts, quiet.time_base
        return frame


class Caller:
    """One call. ``heard`` and ``seen``: loop time and RTP time in s, with the RMS of 20 ms or the picture."""

    def __init__(self, video: bool) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone = Microphone()
        self.events: list[dict[str, Any]] = []
        self.heard: list[tuple[float, float, float]] = []
        self.seen: list[tuple[float, float, Any]] = []
        self.location = ""
        self._told = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.connection.addTrack(self.microphone)
        if video:
            self.connection.addTransceiver("video", "recvonly")
        self.channel = self.connection.createDataChannel("oai-events")
        self.channel.on("message", self._tell)
        self.connection.on("track", lambda track: self._tasks.append(asyncio.create_task(self._take(track))))

    async def call(self, http: httpx.AsyncClient, path: str = "", **more: Any) -> httpx.Response:
        """Send the offer, and take the answer, with its addresses through ``through``, if there is one."""
        through: Callable[[str], str] = more.pop("through", str)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = more.pop("offer", str)(self.connection.localDescription.sdp)
        headers = {"Content-Type": "application/sdp"} | more.pop("headers", {})
        answer = await http.post(f"/v1/realtime/calls{path}", content=offer, headers=headers, **more)
        if answer.status_code == 201:
            self.location = answer.headers["Location"]
            await self.connection.setRemoteDescription(RTCSessionDescription(through(answer.text), "answer"))
        return answer

    def send(self, kind: str, **fields: Any) -> None:
        self.channel.send(json.dumps({"type": kind, **fields}))

    def ask(self, text: str) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        self.send("conversation.item.create", item=item)
        self.send("response.create")

    async def wait(self, condition: Callable[[], bool], within: float = 60.0) -> None:
        """Until a condition holds."""
        async with asyncio.timeout(within):
            while not condition():
                self._told.clear()
                await self._told.wait()

    async def until(self, kind: str, count: int = 1, within: float = 60.0) -> dict[str, Any]:
        """The ``count``-th event of a kind."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if event["type"] == kind]

        await self.wait(lambda: len(found()) >= count, within)
        return found()[count - 1]

    def loudness(self, since: float = 0.0) -> float:
        """Of the loudest 20 ms heard since loop time ``since``."""
        return max((rms for at, _, rms in self.heard if at >= since), default=0.0)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.close()

    def _tell(self, message: str) -> None:
        self.events.append(json.loads(message) | {"at": asyncio.get_running_loop().time()})
        self._told.set()

    async def _take(self, track: Any) -> None:
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                at = frame.pts * float(frame.time_base)
                if track.kind == "audio":
                    sound = frame.to_ndarray().astype(np.float64) / 32768
                    self.heard.append((clock(), at, float(np.sqrt(np.mean(sound**2)))))
                else:
                    self.seen.append((clock(), at, frame.to_ndarray(format="rgb24")))
                self._told.set()


@contextlib.asynccontextmanager
async def calling(server: Running, path: str = "", video: bool = True, **more: Any) -> AsyncIterator[Caller]:
    """A call that has begun."""
    headers = more.pop("headers", {})
    async with httpx.AsyncClient(base_url=server.http, trust_env=False, headers=headers) as http:
        caller = Caller(video)
        try:
            answer = await caller.call(http, path, **more)
            assert answer.status_code == 201, answer.text
            await caller.until("session.created")
            yield caller
        finally:
            await caller.close()
