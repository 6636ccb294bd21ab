"""The server as clients meet it, friendly and otherwise."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Sequence

import av
import httpx
import numpy as np
import pytest
import websockets
from PIL import Image

from companion import config
from companion.config import ConfigError
from companion.server.launch import serve
from companion.stages import fakes
from companion.stages.protocols import Abilities, Message
from tests.server.loopback import ask, receive, running, send


def picture(colour: str | None = None) -> bytes:
    """Of one colour, in which the fakes find no face, or a gradient, in which they do."""
    file = io.BytesIO()
    (Image.new("RGB", (64, 64), colour) if colour else Image.linear_gradient("L").resize((64, 64))).save(file, "png")
    return file.getvalue()


async def test_a_face_over_the_binary_protocol():
    async with running() as server, server.connect("realtime.binary") as ws:
        assert ws.subprotocol == "realtime.binary"
        await send(ws, "session.update", session={"avatar": {"video": {"codecs": ["jpeg", "h264"]}}})
        updated = await receive(ws, "session.updated")
        assert updated["session"]["avatar"]["video"]["codec"] == "h264"
        decoder = av.CodecContext.create("h264", "r")
        await ask(ws, "Hello")
        frames, sound, seen, heard, done = [], b"", [], set(), False
        while not done or seen[-1] < max(heard):
            message = await asyncio.wait_for(ws.recv(), 20)
            if isinstance(message, str):
                done = done or json.loads(message)["type"] == "response.done"
                continue
            head, _, body = message.partition(b"\n")
            event = json.loads(head)
            if event["type"] == "response.video.delta":
                frames += [f.to_ndarray(format="rgb24") for f in decoder.decode(av.Packet(body))]
                seen.append(event["pts_ms"])
            else:
                sound += body
                heard.add(event["pts_ms"])
        dropped = server.engine.metrics.registry.get_sample_value("vasari_frames_dropped_total")
    assert len(heard) > 5
    assert len(heard - set(seen)) <= dropped, "sound and pictures of a moment share its time"
    assert frames[0].shape == (64, 64, 3)
    assert any((a != b).any() for a, b in zip(frames, frames[1:], strict=False))
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 1000


async def test_sessions_are_limited_and_come_back():
    async with running(server={"max_sessions": 1}) as server:
        async with server.connect() as first:
            await receive(first, "session.created")
            async with server.connect() as second:
                assert (await receive(second, "error"))["error"]["code"] == "session_limit_reached"
                await asyncio.wait_for(second.wait_closed(), 5)
                assert second.close_code == 1013
            await ask(first, "Still there?")
            await receive(first, "response.done")
        await server.emptied()
        async with server.connect() as third:
            await receive(third, "session.created")


async def test_a_dead_socket_ends_its_session():
    async with running() as server:
        ws = await server.connect("realtime.binary")
        await send(ws, "session.update", session={"avatar": {}})
        await ask(ws, "Hello")
        await receive(ws, "response.created")
        ws.transport.abort()
        await server.emptied()


async def test_nonsense_is_answered_and_the_session_lives():
    bad = ["", "null", "[]", "{", '{"type":"x"}', b"\x00" * 50, b"\xff\n", '{"type":"session.update","session":[]}']
    bad += ['{"type":"session.update","session":{"avatar":{"character":"../../etc/passwd"}}}']
    bad += [
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_image"}]}}'
    ]
    bad += ['{"type":"conversation.item.delete","item_id":"nope"}', '{"type":"response.cancel"}']
    bad += ['{"type":"response.create","response":{"conversation":"every"}}']
    bad += ['{"type":"input_audio_buffer.append","audio":"AAAA"}', '{"type":"input_audio_buffer.commit"}']
    async with running() as server, server.connect() as ws:
        for message in bad:
            await ws.send(message)
            assert (await receive(ws, "error"))["error"]["code"], message
        await ask(ws, "Are you well?")
        assert (await receive(ws, "response.done"))["response"]["status"] == "completed"


async def test_a_message_beyond_the_bound_closes_one_connection():
    async with running() as server, server.connect() as other:
        async with server.connect() as ws:
            with pytest.raises(websockets.ConnectionClosed):
                await ws.send("x" * 5_000_000)
                await receive(ws, "never")
        await ask(other, "Hello")
        await receive(other, "response.done")


async def test_keys():
    async with running(server={"api_key": "right"}) as server, httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(websockets.InvalidStatus) as caught:
            await server.connect()
        assert caught.value.response.status_code == 401
        assert json.loads(caught.value.response.body)["error"]["code"] == "invalid_api_key"
        for key in ("wrong", "ek_wrong", "r\u00efght", ""):
            answer = await http.post(f"{server.http}/v1/portraits", headers={"api-key": key.encode()})
            assert answer.status_code == 401
        async with server.connect("realtime", "openai-insecure-api-key.right") as ws:
            assert ws.subprotocol == "realtime"
        async with server.connect(additional_headers={"Authorization": "Bearer right"}) as ws:
            await receive(ws, "session.created")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example:8765"},
        {"Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"},
    ],
)
async def test_foreign_pages_may_not_use_a_server_without_a_key(headers):
    async with running() as server, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{server.http}/v1/portraits", content=picture(), headers=headers)
        assert answer.status_code == 403
        if "Host" not in headers:
            with pytest.raises(websockets.InvalidStatus):
                await server.connect(origin=headers["Origin"])


async def test_own_and_allowed_pages_may():
    async with running(server={"allowed_origins": ["https://school.example"]}) as server:
        for origin in (server.http, "https://school.example"):
            async with server.connect(origin=origin) as ws:
                await receive(ws, "session.created")


async def test_any_page_may_load_the_web_component_and_only_allowed_ones_read_anything_else():
    async with running(server={"allowed_origins": ["https://school.example"]}) as server, httpx.AsyncClient() as http:
        for origin, component, rest in (
            ("https://school.example", "https://school.example", "https://school.example"),
            ("https://evil.example", "*", None),
        ):
            for path, allowed in (("vasari.js", component), ("v1/characters", rest), ("health", rest)):
                answer = await http.get(f"{server.http}/{path}", headers={"Origin": origin})
                assert answer.headers.get("access-control-allow-origin") == allowed


async def test_a_page_that_may_not_connect_can_read_what_its_owner_has_to_do():
    async with running() as server, httpx.AsyncClient() as http:
        asked = f"{server.http}/v1/realtime/client_secrets"
        answer = await http.post(asked, headers={"Origin": "https://mine.example"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (403, "*")
        assert 'allowed_origins = ["https://mine.example"]' in answer.json()["error"]["message"]


async def test_pictures_are_uploaded_and_worn():
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        as_form = await http.post("/v1/portraits", files={"file": ("me.png", picture())})
        as_body = await http.post("/v1/portraits", content=picture())
        assert (as_form.status_code, as_body.status_code) == (201, 201)
        assert as_form.json()["warnings"] == []
        async with server.connect() as ws:
            await send(ws, "session.update", session={"avatar": {"character": as_form.json()["id"]}})
            assert (await receive(ws, "session.updated"))["session"]["avatar"]["character"] == as_form.json()["id"]
            await receive(ws, "response.video.delta")


async def test_landmarks_are_seen_and_corrected():
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        made = (await http.post("/v1/portraits", content=picture())).json()
        assert made["check"] is False
        path = f"/v1/portraits/{made['id']}"
        found = (await http.get(f"{path}/landmarks")).json()["landmarks"]
        assert found == made["landmarks"] and "left_iris" in found["points"]
        found["points"]["chin"] = [20, 60]
        assert (await http.put(f"{path}/landmarks", json=found)).json()["landmarks"] == found
        assert (await http.get(f"{path}/landmarks")).json()["landmarks"] == found
        assert (await http.get(f"{path}/picture")).headers["content-type"] == "image/jpeg"
        for request, status, code in [
            (http.put(f"{path}/landmarks", content=b"?"), 422, "invalid_landmarks"),
            (http.put(f"{path}/landmarks", content=b" " * 200_000), 422, "invalid_landmarks"),
            (http.put("/v1/portraits/upload_0/landmarks", json=found), 404, "unknown_portrait"),
            (http.get("/v1/portraits/dot/picture"), 404, "unknown_portrait"),
        ]:
            answer = await request
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_where_no_face_is_found_one_is_placed():
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        refused = await http.post("/v1/portraits", files={"file": ("me.png", picture("white"))})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "no_face")
        points = refused.json()["landmarks"]
        form = {"file": ("me.png", picture("white")), "landmarks": (None, json.dumps(points))}
        placed = await http.post("/v1/portraits", files=form)
        assert (placed.status_code, placed.json()["landmarks"]) == (201, points)


@pytest.mark.parametrize("path", ["upload_1/landmarks", "upload_1/picture"])
async def test_uploads_need_the_key_too(path):
    async with running(server={"api_key": "right"}) as server, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{server.http}/v1/portraits/{path}")).status_code == 401
        assert (await http.put(f"{server.http}/v1/portraits/upload_1/landmarks")).status_code == 401


async def test_what_is_no_picture_is_refused():
    limit = {"max_picture_bytes": 10_000}
    async with running(server=limit) as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        for request, status, code in [
            ({"content": b"not a picture"}, 422, "unreadable_picture"),
            ({"content": b""}, 422, "unreadable_picture"),
            ({"content": b"x" * 50_000}, 413, "picture_too_large"),
            ({"files": {"other": ("me.png", picture())}}, 422, "invalid_form"),
            ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=?"}}, 422, "invalid_form"),
        ]:
            answer = await http.post("/v1/portraits", **request)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_what_stands_beside_the_conversation():
    async with running() as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        cards = (await http.get("/v1/characters")).json()["characters"]
        assert [card["name"] for card in cards] == ["dot", "circle"]
        portrait = await http.get(cards[0]["picture"])
        assert portrait.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(portrait.content)).width == 256
        assert (await http.get("/v1/characters/nobody/picture")).json()["error"]["code"] == "unknown_character"
        personas = (await http.get("/v1/personas")).json()["personas"]
        assert personas[0]["id"] == "companion"
        assert {"id", "name", "summary", "voice"} == set(personas[1])
        voices = (await http.get("/v1/voices")).json()["voices"]
        assert voices == [{"id": "alto", "summary": "a hum"}, {"id": "bass", "summary": "a hum"}]
        assert (await http.get("/health")).json() == {"status": "ok", "sessions": 0, "max_sessions": 4}
        page = await http.get("/")
        assert "text/html" in page.headers["content-type"]
        async with server.connect() as ws:
            await ask(ws, "Hello")
            await receive(ws, "response.done")
            figures = (await http.get("/metrics")).text
        assert "vasari_sessions 1.0" in figures
        assert 'vasari_responses_total{status="completed"} 1.0' in figures
        assert 'vasari_turn_seconds_count{step="first_audio"} 1.0' in figures


async def test_personas_by_address():
    async with running() as server:
        async with websockets.connect(f"{server.ws}?persona=tutor", proxy=None) as ws:
            assert "Hale" in (await receive(ws, "session.created"))["session"]["disclosure"]
        async with websockets.connect(f"{server.ws}?persona=nobody", proxy=None) as ws:
            assert (await receive(ws, "error"))["error"]["code"] == "unknown_persona"


@pytest.mark.parametrize("path", ["/", "/vasari.js", "/v1/characters", "/nothing", "/v1/memories"])
async def test_every_answer_tells_the_browser_to_be_careful(path):
    async with running(server={"allowed_origins": ["https://school.example"]}) as server, httpx.AsyncClient() as http:
        headers = (await http.get(f"{server.http}{path}")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "frame-ancestors 'self' https://school.example"


async def test_figures_need_the_key_and_this_machine_too():
    async with running(server={"api_key": "right"}) as server, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{server.http}/metrics")).status_code == 401
        assert (await http.get(f"{server.http}/metrics", headers={"api-key": "right"})).status_code == 200
    async with running() as server, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{server.http}/metrics", headers={"Host": "evil.example"})).status_code == 403


async def test_a_client_that_does_not_keep_to_the_protocol_is_one_line(caplog):
    async with running(server={"api_key": "right"}) as server:
        with pytest.raises(websockets.InvalidStatus):
            await server.connect()
        async with server.connect("realtime", "openai-insecure-api-key.right") as ws:
            await receive(ws, "session.created")
            await ws.send(b"\xff\xfe", text=True)
            await asyncio.wait_for(ws.wait_closed(), 5)
            assert ws.close_code == 1007
    told = [(record.name, record.getMessage(), record.exc_info) for record in caplog.records if record.levelno > 20]
    assert told == [
        ("companion.server.app", "refused 127.0.0.1: invalid_api_key", None),
        ("uvicorn.error", "Invalid UTF-8 sequence received from client.", None),
    ]


class Reader(fakes.ScriptedLLM):
    """Takes a moment to read what it is prepared for; ``busy`` meanwhile."""

    abilities = Abilities(prepares=True)

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.busy = False

    async def prepare(self, messages: Sequence[Message]) -> None:
        self.busy = True
        try:
            await asyncio.sleep(0.3)
        finally:
            self.busy = False
        self.read.append(messages[0].content)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that within 10 s")


async def test_every_persona_is_read_before_it_is_asked_for_but_not_while_somebody_talks():
    async with running(llm={"use": "tests.server.test_server:Reader"}) as server:
        personas, model = server.engine.prompts.personas, server.engine.llm
        await until(lambda: model.busy)
        async with server.connect("realtime") as ws:
            await receive(ws, "session.created")
            await asyncio.sleep(1.0)
            assert not model.busy
            assert not [text for text in model.read if "You are Anna" not in text], (
                "the session's own is all that is read"
            )
        await until(lambda: len(set(model.read)) == len(personas))
        assert all(any(persona.instructions in text for text in model.read) for persona in personas.values())


async def test_logs_do_not_hold_what_was_said(caplog):
    caplog.set_level(logging.DEBUG)
    async with running(tts={"use": "companion.stages.fakes:Broken"}) as server, server.connect() as ws:
        await ask(ws, "My secret is a teapot")
        await receive(ws, "response.done")
    own = [r.getMessage() for r in caplog.records if r.name.startswith("companion")]
    assert own
    assert not [line for line in own if "teapot" in line or "Anna" in line]


async def test_stopping_the_server_says_goodbye():
    async with running() as server:
        ws = await server.connect()
        await receive(ws, "session.created")
        server.server.should_exit = True
        await asyncio.wait_for(ws.wait_closed(), 10)
        assert ws.close_code in (1001, 1012)


def test_others_are_not_let_in_without_a_key():
    with pytest.raises(ConfigError, match="VASARI_API_KEY"):
        serve(config.load("fakes"), "0.0.0.0", 0)


async def test_a_taken_port_is_explained():
    async with running() as server:
        with pytest.raises(ConfigError, match="--port"):
            serve(config.load("fakes"), "127.0.0.1", server.port)


@pytest.mark.parametrize(
    "path",
    ["/%2e%2e/%2e%2e/pyproject.toml", "/..%2f..%2fprompts/personas/companion.md", "/v1/characters/..%2f..%2fx/picture"],
)
async def test_odd_addresses_reach_no_file(path):
    async with running() as server, httpx.AsyncClient(base_url=server.http) as http:
        assert (await http.get(path)).status_code == 404


async def test_odd_names_in_a_session_change_nothing():
    async with running() as server, server.connect() as ws:
        await receive(ws, "session.created")
        for session in (
            {"avatar": {"character": "../../etc/passwd"}},
            {"persona": "../companion"},
            {"memory": {"user": ["anna"], "consent": True}},
            {"safety": {"country": "../"}},
        ):
            await send(ws, "session.update", session=session)
            assert (await receive(ws, "error"))["error"]["type"] == "invalid_request_error"
        await send(ws, "conversation.item.retrieve", item_id="../x")
        assert (await receive(ws, "error"))["error"]["code"] == "item_not_found"
