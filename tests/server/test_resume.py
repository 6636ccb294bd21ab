"""A conversation goes on over another line, with whoever holds its token and with nobody else."""

import asyncio
import logging
import sqlite3
import threading
from contextlib import closing
from typing import Any

import httpx
import pytest
import websockets

from companion.memory.resumables import Resumables
from companion.memory.tables import IN_MEMORY
from tests.server.loopback import Running, ask, receive, relay, running, send

SENTENCE = "The sea is wide and mostly blue."
SEA = {"use": "companion.stages.fakes:ScriptedLLM", "replies": [" ".join([SENTENCE] * 3), "Yes."]}
TALK = {"openers": False, "feelings": False}
KEY = {"server": {"api_key": "key"}}
WRITTEN = {"output_modalities": ["text"]}


def resuming(server: Running, token: str, *protocols: str) -> Any:
    return server.connect("realtime", f"vasari-resume.{token}", *protocols)


def key(value: str) -> str:
    return f"openai-insecure-api-key.{value}"


async def created(ws: Any) -> dict[str, Any]:
    return (await receive(ws, "session.created"))["session"]


async def cut(ws: Any) -> None:
    """The line is gone, and nobody said goodbye."""
    ws.transport.abort()
    await ws.wait_closed()


async def said_to(server: Running, ws: Any, text: str) -> list[str]:
    """What the user has said, as the language model is told it when the last of it is ``text``."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await send(ws, "conversation.item.create", item=item)
    await send(ws, "response.create", response=WRITTEN)
    await receive(ws, "response.done")
    asked = server.engine.llm.asked[-1]
    return [message.content for message in asked if message.role == "user"]


async def test_what_was_said_the_settings_and_the_face_come_back():
    wishes = {"instructions": "Be brief.", "persona": "tutor", "avatar": {"character": "dot", "emotion": "happy"}}
    async with running() as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await send(first, "session.update", session=WRITTEN | wishes)
            before = (await receive(first, "session.updated"))["session"]
            await receive(first, "response.video.delta")
            await said_to(server, first, "My dog is called Rex.")
            await cut(first)
        async with resuming(server, token) as second:
            session = await created(second)
            assert session["resume"]["resumed"]
            assert session["resume"]["token"] != token
            assert before.pop("id") != session.pop("id")
            assert {name: session[name] for name in before} == before
            assert (await receive(second, "response.video.delta"))["keyframe"]
            asked = await said_to(server, second, "What is its name?")
    assert asked[-2:] == ["My dog is called Rex.", "What is its name?"]


async def test_what_was_being_said_is_cut_where_it_was_heard_and_said_to_its_end():
    async with running(llm=SEA) as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await ask(first, "Tell me about the sea.")
            item = (await receive(first, "response.output_item.added"))["item"]["id"]
            for _ in range(10):
                await receive(first, "response.output_audio.delta")
            await cut(first)
        async with resuming(server, token) as second:
            await created(second)
            await send(second, "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=300)
            await send(second, "conversation.item.retrieve", item_id=item)
            heard = (await receive(second, "conversation.item.retrieved"))["item"]["content"][0]["transcript"]
            assert heard == "The sea is"  # three words of 100 ms
            rest = (await receive(second, "response.done"))["response"]["output"][0]["content"][0]["transcript"]
    assert f"{heard} {rest}".split()[: len(SENTENCE.split())] == SENTENCE.split()
    assert len(server.engine.llm.asked) == 1, "nothing is asked again"


async def test_a_question_that_was_not_answered_is_answered_later():
    slow = SEA | {"delay_s": 0.5}
    async with running(llm=slow) as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await ask(first, "Tell me about the sea.")
            await receive(first, "response.created")
            await cut(first)
        async with resuming(server, token) as second:
            await receive(second, "response.created")
    assert server.engine.llm.asked[-1][-1].content == "Tell me about the sea."


async def test_nobody_is_greeted_twice():
    async with running(session=TALK | {"greet": True}) as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await send(first, "session.update", session={"avatar": {"character": "dot"}})
            await receive(first, "response.done")
            await cut(first)
        async with resuming(server, token) as second:
            await created(second)
            await receive(second, "response.video.delta")
            with pytest.raises(TimeoutError):
                await receive(second, "response.created", 1.2)


async def test_five_comebacks_in_a_row_find_the_place_of_the_line_before():
    """Also where that line looks alive: its server has not noticed yet."""
    async with running(server={"max_sessions": 1}) as server:
        lines = [await server.connect()]
        token = (await created(lines[-1]))["resume"]["token"]
        await said_to(server, lines[-1], "My dog is called Rex.")
        for _ in range(5):
            lines.append(await resuming(server, token))
            session = await created(lines[-1])
            assert session["resume"]["resumed"]
            token = session["resume"]["token"]
            await receive(lines[-2], "error")  # it was replaced
            await send(lines[-1], "input_audio_buffer.clear")
        assert "My dog is called Rex." in await said_to(server, lines[-1], "Who is Rex?")
        await lines[-1].close()
        await server.emptied()


async def test_a_token_counts_until_its_client_has_the_next_one():
    async with running() as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await cut(first)
        async with resuming(server, token) as lost:  # before the client could read its new token
            assert (await created(lost))["resume"]["resumed"]
            await cut(lost)
        async with resuming(server, token) as second:
            assert (await created(second))["resume"]["resumed"]
            await send(second, "input_audio_buffer.clear")
            await receive(second, "input_audio_buffer.cleared")
            async with resuming(server, token) as thief:
                assert not (await created(thief))["resume"]["resumed"]
            await said_to(server, second, "I am still here.")


async def test_what_is_no_token_begins_a_conversation():
    async with running() as server, server.connect() as first:
        await created(first)
        for token in ("", "wrong", "x" * 5000):
            async with resuming(server, token) as second:
                assert (await created(second))["resume"]["resumed"] is False
        await said_to(server, first, "I am still here.")


async def test_a_token_is_its_users_alone():
    async with running(**KEY) as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:

        async def secret(user: str) -> str:
            body = {"session": {"memory": {"user": user}}}
            headers = {"Authorization": "Bearer key"}
            return key((await http.post("/v1/realtime/client_secrets", json=body, headers=headers)).json()["value"])

        async with server.connect("realtime", await secret("anna")) as first:
            token = (await created(first))["resume"]["token"]
            await said_to(server, first, "My dog is called Rex.")
            for other in (await secret("bob"), key("key")):  # the operator's own key neither
                async with resuming(server, token, other) as second:
                    assert not (await created(second))["resume"]["resumed"]
            await said_to(server, first, "I am still here.")
            await cut(first)
        async with resuming(server, token, await secret("anna")) as second:  # the secret may be another one
            assert (await created(second))["resume"]["resumed"]


async def test_a_goodbye_leaves_nothing_to_come_back_to():
    async with running() as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await said_to(server, first, "My dog is called Rex.")
        await server.emptied()
        async with resuming(server, token) as second:
            assert not (await created(second))["resume"]["resumed"]


async def test_its_time_ends(tmp_path):
    file = tmp_path / "kept.sqlite"
    async with running(resume={"seconds": 0.5, "url": str(file)}) as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await cut(first)
        await asyncio.sleep(0.8)
        with closing(sqlite3.connect(file)) as rows:
            assert rows.execute("SELECT COUNT(*) FROM vasari_resumables").fetchone() == (0,), "nobody had to ask"
        async with resuming(server, token) as second:
            assert not (await created(second))["resume"]["resumed"]


async def test_where_nothing_is_to_be_kept_nothing_is(tmp_path):
    file = tmp_path / "kept.sqlite"
    async with running(resume={"seconds": 0, "url": str(file)}) as server, server.connect() as first:
        assert "resume" not in await created(first)
        await said_to(server, first, "My dog is called Rex.")
        async with resuming(server, "any") as second:
            assert "resume" not in await created(second)
    assert not file.exists()


async def test_what_is_kept_tells_nothing_without_the_token_and_no_log_has_that(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    file = tmp_path / "kept.sqlite"
    async with running(resume={"url": str(file)}) as server:
        async with server.connect() as first:
            tokens = [(await created(first))["resume"]["token"]]
            await said_to(server, first, "My dog is called Rumpelstiltskin.")
            await cut(first)
        async with resuming(server, tokens[0]) as second:
            tokens.append((await created(second))["resume"]["token"])
            await said_to(server, second, "Who is Rumpelstiltskin?")
            await cut(second)
        await server.emptied()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"vasari_resumables" in stored
    assert b"Rumpelstiltskin" not in stored  # a short word may be in what is sealed by chance
    assert not [token for token in tokens if token.encode() in stored or token in caplog.text]


async def test_who_deletes_everything_deletes_this_too(tmp_path):
    memory = {"use": "tests.server.test_killed:Memory", "url": str(tmp_path / "memories.sqlite")}
    async with running(memory=memory) as server, httpx.AsyncClient(base_url=server.http, trust_env=False) as http:
        async with server.connect() as first, server.connect() as other:
            tokens = [(await created(ws))["resume"]["token"] for ws in (first, other)]
            for ws, user in ((first, "anna"), (other, "bob")):
                await send(ws, "session.update", session=WRITTEN | {"memory": {"user": user, "consent": True}})
                await said_to(server, ws, "My dog is called Rex.")
            await asyncio.sleep(1.1)  # in which it is stored whose they are
            assert (await http.delete("/v1/memories", headers={"Vasari-User": "anna"})).json()["deleted"]
            await said_to(server, first, "Who is Rex?")  # goes on, and is not kept again
            await cut(first)
            await cut(other)
        for token, resumed in zip(tokens, (False, True), strict=True):
            async with resuming(server, token) as second:
                assert (await created(second))["resume"]["resumed"] is resumed


async def test_a_line_that_sleeps_is_left_for_the_next_one():
    """A laptop whose lid is shut: nothing is closed, and nothing comes any more."""
    async with (
        running(server={"max_sessions": 1}) as server,
        relay(server) as (address, dead),
        websockets.connect(address, subprotocols=["realtime"], proxy=None) as asleep,
    ):
        token = (await created(asleep))["resume"]["token"]
        await said_to(server, asleep, "My dog is called Rex.")
        asleep.transport.pause_reading()
        async with resuming(server, token) as awake:
            assert (await created(awake))["resume"]["resumed"]
            assert "My dog is called Rex." in await said_to(server, awake, "Who is Rex?")
        dead.set()
        asleep.transport.abort()


async def test_a_database_that_cannot_be_opened_is_no_reason_not_to_start(tmp_path, caplog):
    (tmp_path / "file").touch()
    store = Resumables(60.0, str(tmp_path / "file" / "kept.sqlite"))
    await store.begin("token", "", b"words")
    assert await store.find("token") == b"words"
    assert "until this process ends" in caplog.text
    store.close()


async def test_danger_is_not_forgotten_with_the_line():
    async with running() as server:
        async with server.connect() as first:
            token = (await created(first))["resume"]["token"]
            await send(first, "session.update", session=WRITTEN)
            await ask(first, "I want to kill myself tonight.")
            await receive(first, "response.done")
            await cut(first)
        async with resuming(server, token) as second:
            await created(second)
            asked = len(server.engine.llm.asked)
            await ask(second, "Hm.")
            await receive(second, "response.done")
    assert len(server.engine.llm.asked) == asked, "a model was left alone with somebody in danger"


async def test_a_conversation_whose_line_is_lost_at_once_is_kept():
    """The session ends while the database still works for others: what it began to keep is kept."""
    store = Resumables(60.0, IN_MEMORY)
    busy = threading.Event()
    store._pool.submit(busy.wait)
    first = asyncio.create_task(store.begin("token", "", b"words"))
    await asyncio.sleep(0)
    first.cancel()
    busy.set()
    assert await store.keep("token", "", b"more words")
    assert await store.find("token") == b"more words"
    store.close()
