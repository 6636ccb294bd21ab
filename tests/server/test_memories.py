"""Memories over the wire and over HTTP: whose they are is settled by who comes, not by what is asked."""

import base64
import contextlib
from urllib.parse import quote

import httpx
import pytest

from companion.avatar.faces.consent import Consents
from companion.config import Care
from companion.errors import StageError
from companion.memory import LongTerm
from companion.safety.allowance import Allowance
from companion.server.http.belongings import Belongings
from companion.stages.fakes import DictMemory
from tests.memory.conftest import Words
from tests.server.loopback import ask, receive, running, send
from tests.server.test_server import picture

KEY = {"Authorization": "Bearer key"}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A server with a key and a real memory."""
    opened = []

    def memory(**options):
        opened.append(LongTerm(str(tmp_path / "memories.sqlite"), embedder=Words()))
        return opened[-1]

    monkeypatch.setattr("companion.stages.fakes.DictMemory", memory)
    yield {"server": {"api_key": "key"}, "memory": {"use": "companion.stages.fakes:DictMemory"}}
    for one in opened:
        one.close()


async def talk(server, key, memory):
    async with server.connect("realtime", f"openai-insecure-api-key.{key}") as ws:
        await send(ws, "session.update", session={"output_modalities": ["text"]})
        await receive(ws, "session.updated")
        await send(ws, "session.update", session={"memory": memory})
        while (answer := await receive_any(ws))["type"] not in ("session.updated", "error"):
            pass
        if answer["type"] == "session.updated":
            await ask(ws, "My dog is called Rex.")
            await receive(ws, "response.done")
        return answer


async def receive_any(ws):
    import json

    return json.loads(await ws.recv())


async def secret(http, user):
    body = {"session": {"memory": {"user": user}}} if user else {}
    return (await http.post("/v1/realtime/client_secrets", json=body, headers=KEY)).json()["value"]


async def test_a_user_sees_corrects_and_deletes_what_was_said(kept):
    async with running(**kept) as server, httpx.AsyncClient(base_url=server.http) as http:
        mine = await secret(http, "anna")
        assert (await talk(server, mine, {"consent": True}))["session"]["memory"]["user"] == "anna"
        await server.emptied()
        headers = {"Authorization": f"Bearer {mine}"}
        (memory,) = [m for m in (await http.get("/v1/memories", headers=headers)).json()["memories"] if m["id"]]
        assert memory["text"] == "My dog is called Rex."
        path = f"/v1/memories/{memory['id']}"
        assert (await http.put(path, json={"text": "My dog is called Max."}, headers=headers)).status_code == 204
        assert (await http.put(path, json={"words": 1}, headers=headers)).status_code == 422
        (memory,) = (await http.get("/v1/memories", headers=headers)).json()["memories"][:1]
        assert (memory["text"], memory["kind"]) == ("My dog is called Max.", "told")
        assert (await http.delete(path, headers=headers)).status_code == 204
        assert (await http.delete(path, headers=headers)).status_code == 404
        assert (await http.delete("/v1/memories", headers=headers)).status_code == 200
        assert (await http.get("/v1/memories", headers=headers)).json() == {"memories": []}


async def test_everything_that_is_kept_is_exported_and_deleted(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("VASARI_DATA", str(tmp_path))
    twin = picture() + b"another file"
    resume = {"seconds": 60, "url": ":memory:"}
    async with running(**kept, resume=resume) as server, httpx.AsyncClient(base_url=server.http) as http:
        anna, bert = [{"Authorization": f"Bearer {await secret(http, name)}"} for name in ("anna", "bert")]
        one, other, withdrawn = [
            (await http.post("/v1/portraits?ground=self", content=content, headers=who)).json()["id"]
            for content, who in ((picture(), anna), (picture(), bert), (twin, KEY | {"Vasari-User": "anna"}))
        ]
        assert (await http.delete(f"/v1/portraits/{withdrawn}", headers=anna)).status_code == 204
        assert (await http.get("/v1/export", headers=anna | {"Vasari-User": "bert"})).status_code == 403
        async with server.connect("realtime", f"openai-insecure-api-key.{anna['Authorization'][7:]}") as ws:
            await send(ws, "session.update", session={"memory": {"consent": True}, "output_modalities": ["text"]})
            await ask(ws, "My dog is called Rex.")
            await receive(ws, "response.done")
            answer = await http.get("/v1/export", headers=anna)
            deleted = (await http.delete("/v1/memories", headers=anna)).json()["deleted"]
        after = (await http.get("/v1/export", headers=anna)).json()
        bert = (await http.get("/v1/export", headers=bert)).json()
        again = await http.post("/v1/portraits?ground=self", content=twin, headers=KEY)
    before = answer.json()
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "My dog is called Rex." in [memory["text"] for memory in before["memories"]]
    assert [entry["ground"] for entry in before["consents"]] == ["self", "self", "withdrawn"]
    assert [portrait["id"] for portrait in before["pictures"]] == [one]
    assert base64.b64decode(before["pictures"][0]["jpeg"].partition("base64,")[2]) == picture()
    assert len(before["conversations_that_can_be_resumed"]) == 1
    things = ("memories", "conversations_that_can_be_resumed", "consents", "pictures")
    assert deleted >= 6 and not any(after[thing] for thing in things)
    assert [portrait["id"] for portrait in bert["pictures"]] == [other] and len(bert["consents"]) == 1
    assert again.json()["error"]["code"] == "picture_denied"


async def test_a_store_that_cannot_delete_keeps_no_other_from_it(tmp_path):
    consents, allowance = Consents(tmp_path / "consent.jsonl"), Allowance(Care())
    consents.given("0" * 64, "self", "anna")
    allowance.spend(allowance.of("anna"), 5.0)
    with pytest.raises(StageError, match="cannot be listed"):
        await Belongings(DictMemory(), consents, allowance=allowance).forget("anna")
    assert consents.of("anna") == []
    assert allowance.told("anna") is None


async def test_a_hostile_user_gets_nothing_of_another(kept):
    async with running(**kept) as server, httpx.AsyncClient(base_url=server.http) as http:
        await talk(server, await secret(http, "anna"), {"consent": True})
        await server.emptied()
        for user in ("bert", ""):
            hostile = await secret(http, user)
            refused = await talk(server, hostile, {"user": "anna", "consent": True})
            assert refused["error"]["code"] == "forbidden_user"
            headers = {"Authorization": f"Bearer {hostile}", "Vasari-User": "anna"}
            for method in ("GET", "DELETE"):
                assert (await http.request(method, "/v1/memories", headers=headers)).status_code == 403
            assert (await http.put("/v1/memories/1", json={"text": "x"}, headers=headers)).status_code == 403
            more = await http.post(
                "/v1/realtime/client_secrets", json={}, headers={"Authorization": f"Bearer {hostile}"}
            )
            assert more.status_code == 403
        own = {"Authorization": f"Bearer {await secret(http, 'bert')}"}
        assert (await http.delete("/v1/memories/1", headers=own)).status_code == 404
        assert (await http.get("/v1/memories")).status_code == 401
        anna = await http.get("/v1/memories", headers=KEY | {"Vasari-User": "anna"})
        assert "My dog is called Rex." in anna.text


async def test_without_consent_nothing_is_stored_and_withdrawing_it_ends_storing(kept):
    async with running(**kept) as server, httpx.AsyncClient(base_url=server.http) as http:
        await talk(server, "key", {"user": "anna", "consent": False})
        await server.emptied()
        headers = KEY | {"Vasari-User": "anna"}
        assert (await http.get("/v1/memories", headers=headers)).json() == {"memories": []}
        async with server.connect("realtime", "openai-insecure-api-key.key") as ws:
            await send(ws, "session.update", session={"output_modalities": ["text"]})
            await ask(ws, "I play the violin.")
            await receive(ws, "response.done")
            await send(ws, "session.update", session={"memory": {"user": "anna", "consent": True}})
            await ask(ws, "I like tea.")
            await receive(ws, "response.done")
            await send(ws, "session.update", session={"memory": {"consent": False}})
            await ask(ws, "I like coffee.")
            await receive(ws, "response.done")
        await server.emptied()
        stored = (await http.get("/v1/memories", headers=headers)).json()["memories"]
        assert [m["text"] for m in stored] == ["I like tea."]


@pytest.mark.parametrize("user", ["Jürgen", "Юлия", "名前", "100%25"])
async def test_a_user_s_name_may_have_any_letters(kept, user):
    async with running(**kept) as server, httpx.AsyncClient(base_url=server.http) as http:
        written = [user.encode(), f"UTF-8''{quote(user)}".encode()]
        with contextlib.suppress(UnicodeEncodeError):
            written.append(user.encode("latin-1"))
        for header in written:
            await talk(server, "key", {"user": user, "consent": True})
            await server.emptied()
            headers = [(b"Authorization", b"Bearer key"), (b"Vasari-User", header)]
            assert "My dog is called Rex." in (await http.get("/v1/memories", headers=headers)).text
            assert (await http.delete("/v1/memories", headers=headers)).json()["deleted"]
            assert (await http.get("/v1/memories", headers=headers)).json() == {"memories": []}


async def test_a_memory_needs_a_user(kept):
    async with running(**kept) as server, httpx.AsyncClient(base_url=server.http) as http:
        refused = await talk(server, "key", {"consent": True})
        assert refused["error"]["param"] == "session.memory.user"
        assert (await http.get("/v1/memories", headers=KEY)).status_code == 422
        odd = await http.post("/v1/realtime/client_secrets", content=b'{"session": 3}', headers=KEY)
        assert odd.status_code == 422


async def test_recordings_are_had_and_deleted_by_their_user_alone(kept, tmp_path):
    folder = tmp_path / "films"
    changes = {"base_url": "", "trust_env": False, "headers": KEY}
    async with running(**kept, recording={"folder": str(folder)}) as server, httpx.AsyncClient(**changes) as http:
        http.base_url = server.http
        async with server.connect("realtime", "openai-insecure-api-key.key") as ws:
            assert (await receive(ws, "session.created"))["session"]["recordable"]
            wish = {"recording": {"consent": True}, "memory": {"user": "anna", "consent": False}}
            await send(ws, "session.update", session=wish)
            await ask(ws, "Hello")
            await receive(ws, "output_audio_buffer.stopped")
        await server.emptied()
        anna, bob = {"Vasari-User": "anna"}, {"Vasari-User": "bob"}
        (one,) = (await http.get("/v1/recordings", headers=anna)).json()["recordings"]
        assert (await http.get("/v1/recordings", headers=bob)).json() == {"recordings": []}
        assert (await http.get("/v1/recordings")).status_code == 422
        film = f"/v1/recordings/{one['id']}.mp4"
        assert (await http.get(film, headers=bob)).status_code == 404
        assert (await http.get(film, headers=anna)).content[4:8] == b"ftyp"
        (exported,) = (await http.get("/v1/export", headers=anna)).json()["recordings"]
        assert "<v Face>" in exported["captions"] and film in exported["files"]
        assert (await http.delete(f"/v1/recordings/{one['id']}", headers=bob)).status_code == 404
        assert (await http.delete("/v1/memories", headers=anna)).json() == {"deleted": 1}
        assert not list(folder.iterdir())
