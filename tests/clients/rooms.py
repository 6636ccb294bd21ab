"""Two ends of a LiveKit room without a server: byte streams and calls go from one to the other, tracks go nowhere."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

from livekit import rtc


class Stream:
    """Both ends of a byte stream."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self.info = SimpleNamespace(attributes=attributes, stream_id="stream")
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def write(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    async def aclose(self) -> None:
        self._pieces.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if (data := await self._pieces.get()) is None:
            raise StopAsyncIteration
        return data


class Publication:
    async def wait_for_subscription(self) -> None:
        """Somebody watches already."""


class Participant:
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    state = rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE

    def __init__(self, identity: str, room: "Room") -> None:
        self.identity = identity
        self.room = room
        self.tracks: list[Any] = []
        self._rpc_handlers: dict[str, Callable[[Any], str]] = {}

    def register_rpc_method(self, name: str, handler: Callable[[Any], str]) -> None:
        self._rpc_handlers[name] = handler

    async def perform_rpc(self, destination_identity: str, method: str, payload: str) -> str:
        other = self.room.remote_participants[destination_identity]
        return other._rpc_handlers[method](SimpleNamespace(caller_identity=self.identity, payload=payload))

    async def stream_bytes(
        self, name: str, topic: str, destination_identities: list[str], attributes: dict[str, str]
    ) -> Stream:
        stream = Stream(attributes)
        for identity in destination_identities:
            self.room.remote_participants[identity].room.streams[topic](stream, self.identity)
        return stream

    async def publish_track(self, track: Any, options: Any) -> Publication:
        self.tracks.append(track)
        return Publication()


class Room(rtc.EventEmitter[str]):
    """What `identity` sees of it."""

    def __init__(self, identity: str) -> None:
        super().__init__()
        self.name = "room"
        self.local_participant = Participant(identity, self)
        self.remote_participants: dict[str, Participant] = {}
        self.streams: dict[str, Callable[[Stream, str], None]] = {}

    def isconnected(self) -> bool:
        return True

    def register_byte_stream_handler(self, topic: str, handler: Callable[[Stream, str], None]) -> None:
        self.streams[topic] = handler


def room(*identities: str) -> list[Room]:
    """One room, as each of them sees it."""
    ends = [Room(identity) for identity in identities]
    for end in ends:
        others = [other.local_participant for other in ends if other is not end]
        end.remote_participants = {other.identity: other for other in others}
    return ends
