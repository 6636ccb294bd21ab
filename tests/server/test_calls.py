"""A conversation over WebRTC: the events of the websocket on a data channel, sound and pictures as tracks."""

import asyncio
import random
from typing import Any

import httpx
import pytest

from companion.server.transport import peer, signalling
from tests.server.caller import LOUD, Caller, calling
from tests.server.loopback import receive, running, send
from tests.server.test_resume import cut

KEY = {"Authorization": "Bearer key"}
AVATAR = {"type": "realtime", "avatar": {"video": {"codecs": ["h264", "vp8", "jpeg"]}}}
LONG = {"use": "companion.stages.fakes:ScriptedLLM", "replies": ["This is a long story. " * 60]}


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it stays on this machine, whatever networks that has."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


async def test_a_call_holds_a_turn_with_sound_and_picture_and_ends():
    async with running() as server, calling(server) as caller:
        caller.send("session.update", session=AVATAR)
        session = (await caller.until("session.updated"))["session"]
        assert session["avatar"]["output_protocol"] == "webrtc" and session["avatar"]["video"]["codec"] == "vp8"
        caller.ask("Hello")
        done = await caller.until("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "My name is Anna. I live here."
        await caller.until("output_audio_buffer.stopped")
        await caller.wait(lambda: caller.loudness() > LOUD and len(caller.seen) > 20)
        assert {"response.output_audio.delta", "response.video.delta"}.isdisjoint(e["type"] for e in caller.events)
        assert caller.seen[-1][2].shape == (64, 64, 3)
        assert (await receive_hangup(server.http, caller)).status_code == 200
        await server.emptied()


async def receive_hangup(http: str, caller: Caller) -> httpx.Response:
    async with httpx.AsyncClient(base_url=http, trust_env=False) as client:
        return await client.post(f"{caller.location}/hangup")


async def test_who_speaks_over_it_silences_it_and_is_answered():
    async with running(llm=LONG) as server, calling(server) as caller:
        caller.send("session.update", session=AVATAR)
        await caller.until("session.updated")
        caller.ask("Tell me a story.")
        await caller.wait(lambda: caller.loudness() > LOUD)
        caller.microphone.loud = True
        await caller.until("output_audio_buffer.cleared")
        caller.microphone.loud = False
        await caller.until("conversation.item.input_audio_transcription.completed")
        done = await caller.until("response.done")
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        await caller.until("response.created", 2)


async def tried(http: httpx.AsyncClient, path: str = "", **more: Any) -> httpx.Response:
    """The answer to a call that is over at once."""
    caller = Caller(video=True)
    try:
        return await caller.call(http, path, **more)
    finally:
        await caller.close()


async def test_calls_are_refused_for_the_reasons_of_the_websocket(monkeypatch):
    settings = {"server": {"max_sessions": 1, "api_key": "key"}}
    async with running(**settings) as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        assert (await tried(http)).status_code == 401
        assert (await http.post("/v1/realtime/calls", content="v=0", headers=KEY)).json()["error"][
            "code"
        ] == "invalid_offer"
        assert (await tried(http, "?persona=nobody", headers=KEY)).status_code == 404
        async with server.connect("realtime", "openai-insecure-api-key.key") as ws:
            await receive(ws, "session.created")
            full = await tried(http, headers=KEY)
            assert (full.status_code, full.json()["error"]["code"]) == (503, "session_limit_reached")
        await server.emptied()
        async with calling(server, headers=KEY) as caller:
            assert (await http.post(f"{caller.location}/hangup")).status_code == 401
            async with server.connect("realtime", "openai-insecure-api-key.key") as ws:
                assert (await receive(ws, "error"))["error"]["code"] == "session_limit_reached"
        monkeypatch.setattr(signalling, "find_spec", lambda name: None)
        missing = await tried(http, headers=KEY)
        assert missing.status_code == 501 and "vasari[webrtc]" in missing.json()["error"]["message"]


async def test_a_client_that_vanishes_frees_its_place_and_goes_on_by_another_line(monkeypatch):
    monkeypatch.setattr(peer, "SILENT_S", 2.0)
    monkeypatch.setattr(peer, "LOOK_S", 0.2)
    async with running() as server:
        async with calling(server) as caller:
            token = (await caller.until("session.created"))["session"]["resume"]["token"]
            caller.ask("Hello")
            item = (await caller.until("conversation.item.added"))["item"]["id"]
            vanish(caller)
            await server.emptied()
        async with server.connect("realtime", f"vasari-resume.{token}") as ws:
            session = (await receive(ws, "session.created"))["session"]
            assert session["resume"]["resumed"] and session["avatar"] is None
            await send(ws, "conversation.item.retrieve", item_id=item)
            await receive(ws, "conversation.item.retrieved")
            token = session["resume"]["token"]
            await cut(ws)
        await server.emptied()
        async with calling(server, headers={"Vasari-Resume": token}) as again:
            assert (await again.until("session.created"))["session"]["resume"]["resumed"]


class Mute:
    """A transport by which nothing leaves any more."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def sendto(self, *packet: Any) -> None:
        pass


def vanish(caller: Caller) -> None:
    """No packet comes of it any more, and nothing is said about it."""
    for protocol in caller.connection.sctp.transport.transport._connection._protocols:  # type: ignore[union-attr]
        protocol.transport = Mute(protocol.transport)


class Lossy(asyncio.DatagramProtocol):
    """Carries packets between a client and a server, and loses some, as a bad network does."""

    def __init__(self, share: float) -> None:
        self._share, self._dice = share, random.Random(16)
        self._server = self._client = ("", 0)
        self.carried = self.lost = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._client = self._client if address == self._server else address
        self.carried += 1
        if self._dice.random() < self._share:
            self.lost += 1
        else:
            self.transport.sendto(data, self._client if address == self._server else self._server)

    def lead(self, answer: str) -> str:
        """The answer of the server, whose address is now this one."""
        old = next(line for line in answer.split("\r\n") if line.startswith("a=candidate")).split(" ")[4:6]
        new = [str(part) for part in self.transport.get_extra_info("sockname")]
        self._server = (old[0], int(old[1]))
        return answer.replace(" ".join(old), " ".join(new))


def hidden(offer: str) -> str:
    """Without the client's own addresses, by which the server would find another way."""
    return "\r\n".join(line for line in offer.split("\r\n") if "candidate" not in line)


async def test_where_packets_are_lost_events_arrive_and_the_face_is_seen():
    endpoint = asyncio.get_running_loop().create_datagram_endpoint(lambda: Lossy(0.05), local_addr=("127.0.0.1", 0))
    transport, lossy = await endpoint
    async with running(llm=LONG) as server, calling(server, through=lossy.lead, offer=hidden) as caller:
        caller.send("session.update", session=AVATAR)
        caller.ask("Hello")
        await caller.wait(lambda: lossy.lost > 10 and sum(rms > LOUD for *_, rms in caller.heard) > 20)
        await caller.wait(lambda: len(caller.seen) > 20)
        assert lossy.lost / lossy.carried < 0.1
        caller.send("response.cancel")
        assert (await caller.until("response.done"))["response"]["status"] == "cancelled"
    transport.close()
