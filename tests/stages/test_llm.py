"""The language model stage: real streaming over a socket, stopping, and errors that say what to do."""

import asyncio
import contextlib

import numpy as np
import pytest
from endpoint import Endpoint, serve
from langchain_core.language_models import FakeListChatModel
from safetensors.numpy import save as safetensors

from companion.errors import StageError
from companion.models import adapter
from companion.stages.llm.chat_model import LangChain
from companion.stages.llm.local import LocalChat
from companion.stages.protocols import Call, CallPart, Message

HELLO = [
    Message("system", "Be brief."),
    Message("user", "Hello."),
    Message("assistant", "Hi!"),
    Message("user", "Well?"),
]


def openai(url: str) -> LangChain:
    return LangChain("langchain_openai:ChatOpenAI", model="m", base_url=url, api_key="k", max_retries=0)


async def test_an_openai_endpoint_streams_and_sees_the_whole_conversation():
    async with serve(Endpoint()) as endpoint:
        deltas = [delta async for delta in openai(endpoint.url).reply(HELLO)]
    assert deltas == ["Good ", "morning."]
    sent = endpoint.requests[0]["messages"]
    assert [(m["role"], m["content"]) for m in sent] == [(m.role, m.content) for m in HELLO]


async def test_a_delta_is_passed_on_before_the_reply_is_complete():
    async with (
        serve(Endpoint(endless=True)) as endpoint,
        contextlib.aclosing(openai(endpoint.url).reply(HELLO)) as reply,
    ):
        assert await asyncio.wait_for(anext(reply), 10) == "Good "
        assert not endpoint.client_left.is_set()


async def test_closing_the_reply_ends_the_request_so_that_the_endpoint_can_stop():
    async with serve(Endpoint(endless=True)) as endpoint:
        reply = openai(endpoint.url).reply(HELLO)
        await anext(reply)
        await reply.aclose()
        await asyncio.wait_for(endpoint.client_left.wait(), 10)


async def test_cancelling_the_task_that_reads_ends_the_request_as_well():
    async with serve(Endpoint(endless=True)) as endpoint:
        started = asyncio.Event()

        async def read() -> None:
            async for _ in openai(endpoint.url).reply(HELLO):
                started.set()

        task = asyncio.create_task(read())
        await asyncio.wait_for(started.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(endpoint.client_left.wait(), 10)


WEATHER = {"type": "function", "name": "weather", "description": "Now.", "parameters": {"type": "object"}}


def calling(index: int, **function: str) -> dict:
    return {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": function}]}


async def test_calls_of_tools_stream_in_pieces_and_their_results_go_back():
    pieces = ["One moment.", calling(0, name="weather", arguments='{"city":'), calling(0, arguments=' "Oslo"}')]
    async with serve(Endpoint([*pieces, calling(1, name="weather", arguments="{}")])) as endpoint:
        llm = openai(endpoint.url)
        assert llm.abilities.calls_tools
        parts = [part async for part in llm.converse(HELLO, [WEATHER])]
        assert parts[0] == "One moment."
        written = "".join(part.arguments for part in parts[1:] if part.index == 0)
        assert (parts[1].id, parts[1].name, written) == ("call_0", "weather", '{"city": "Oslo"}')
        assert parts[-1] == CallPart(1, "call_1", "weather", "{}")
        asked = Message("assistant", "", (Call("call_0", "weather", written),))
        async for _ in llm.converse([*HELLO, asked, Message("tool", "Rain", call_id="call_0")], [WEATHER]):
            pass
    assert endpoint.requests[0]["tools"] == [
        {"type": "function", "function": {k: v for k, v in WEATHER.items() if k != "type"}}
    ]
    sent = endpoint.requests[1]["messages"]
    assert sent[-2]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Oslo"}'}
    assert sent[-1] == {"role": "tool", "content": "Rain", "tool_call_id": "call_0"}


def test_a_model_without_tools_says_so():
    assert not LangChain(FakeListChatModel(responses=["x"])).abilities.calls_tools


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "llm_unauthorized"), (404, "llm_not_found"), (429, "llm_rate_limited"), (500, "llm_failed")],
)
async def test_a_refusal_gets_a_stable_code(status, code):
    async with serve(Endpoint(status=status)) as endpoint:
        with pytest.raises(StageError) as caught:
            [delta async for delta in openai(endpoint.url).reply(HELLO)]
    assert caught.value.code == code
    assert "beans" not in str(caught.value), "what an endpoint says may repeat the prompt"


async def test_an_endpoint_that_is_not_there():
    async with serve(Endpoint()) as endpoint:
        url = endpoint.url
    with pytest.raises(StageError, match="base_url") as caught:
        [delta async for delta in openai(url).reply(HELLO)]
    assert caught.value.code == "llm_unreachable"


async def test_any_chat_model_can_be_given_as_it_is():
    stage = LangChain(FakeListChatModel(responses=["As you wish."]))
    assert "".join([delta async for delta in stage.reply(HELLO)]) == "As you wish."


@pytest.mark.parametrize("name", ["embedded:Embedded", "huggingface:Transformers"])
def test_a_chat_model_named_as_before_the_moves_is_answered_with_its_new_name(name):
    with pytest.raises(StageError, match=f'It has moved: chat = "companion.stages.llm.{name}"'):
        LangChain(f"companion.{name}")


async def test_preparing_leaves_endpoints_alone():
    async with serve(Endpoint()) as endpoint:
        await openai(endpoint.url).prepare(HELLO)
    assert endpoint.requests == []


class Silent(LocalChat):
    """Ends its turn without a word, as small models sometimes do."""

    @property
    def _llm_type(self) -> str:
        return "silent"

    def _complete(self, turns, stop, on_delta):
        pass


async def test_a_model_with_nothing_to_say_is_no_failure():
    stage = LangChain(Silent())
    await stage.prepare(HELLO)
    assert [delta async for delta in stage.reply(HELLO)] == []


def test_a_missing_key_names_the_variable(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(StageError, match="OPENAI_API_KEY"):
        LangChain("langchain_openai:ChatOpenAI", model="m")


def test_a_missing_extra_gives_the_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "langchain_ollama", None)
    with pytest.raises(StageError, match=r'pip install "vasari\[ollama\]"') as caught:
        LangChain("langchain_ollama:ChatOllama", model="llama3.2")
    assert caught.value.code == "llm_missing_extra"


def test_a_class_that_is_not_there_is_named():
    with pytest.raises(StageError, match="ChatNothing"):
        LangChain("langchain_openai:ChatNothing")


def test_a_model_that_cannot_be_loaded(tmp_path):
    nonsense = tmp_path / "nonsense.gguf"
    nonsense.write_bytes(b"not a model")
    with pytest.raises(StageError, match=r"nonsense\.gguf"):
        LangChain("companion.stages.llm.embedded:Embedded", path=str(nonsense))


@pytest.mark.model
def test_an_adapter_that_is_none_is_named(tmp_path):
    nonsense = tmp_path / "nonsense.safetensors"
    for content in (b"not an adapter", safetensors({"blk.0.attn_q.weight.lora_a": np.zeros((2, 2), np.float16)})):
        nonsense.write_bytes(content)
        with pytest.raises(StageError, match=r"nonsense\.safetensors is no adapter"):
            LangChain("companion.stages.llm.embedded:Embedded", adapter=str(nonsense))


def test_an_adapter_that_cannot_be_kept_takes_one_folder_however_often_it_is_loaded(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(adapter, "keep", full)
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(safetensors({"a": np.zeros((2, 2), np.float16)}, {"architecture": "qwen2", "alpha": "8"}))
    ready = [adapter.ready(mine) for _ in range(3)]
    assert len({file.parent for file in ready}) == 1
    assert ready[0].read_bytes().startswith(b"GGUF")


@pytest.mark.model
async def test_the_embedded_model_answers_and_streams():
    from companion.stages.llm.embedded import Embedded

    stage = LangChain(Embedded(temperature=0.0))
    deltas = [delta async for delta in stage.reply([Message("user", "What is the capital of France?")])]
    assert len(deltas) > 2
    assert "Paris" in "".join(deltas)


@pytest.mark.model
async def test_closing_the_reply_stops_the_embedded_model_at_once():
    from companion.stages.llm.embedded import Embedded

    class Counted(Embedded):
        tokens: int = 0

        def _complete(self, turns, stop, on_delta):
            def count(delta: str) -> bool:
                self.tokens += 1
                return on_delta(delta)

            super()._complete(turns, stop, count)

    chat = Counted(temperature=0.0, enough=1900, max_tokens=1900, parallel=1)
    reply = LangChain(chat).reply([Message("user", "Write a very long story about the sea, with many chapters.")])
    await anext(reply)
    await reply.aclose()
    await asyncio.to_thread(chat._pool.submit(lambda: None).result)  # when the thread that generates is free again
    assert chat.tokens < 500


@pytest.mark.model
async def test_a_conversation_longer_than_the_context_is_shortened():
    from companion.stages.llm.embedded import Embedded

    chat = LangChain(Embedded(context=256, max_tokens=8))
    history = [Message("user" if i % 2 else "assistant", "All work and no play. " * 60) for i in range(41)]
    question = [Message("system", "Be brief."), *history, Message("user", "Say hello.")]
    async with contextlib.aclosing(chat.reply(question)) as reply:
        assert await anext(reply)


@pytest.mark.model
@pytest.mark.parametrize("text", ["मेरा नाम अन्ना है और मैं यहाँ रहती हूँ। ", "😀🎉🦊", "我叫安娜，我住在这里。", "e"])
async def test_long_texts_of_any_script_are_shortened_until_they_fit(text):
    from companion.stages.llm.embedded import Embedded

    chat = LangChain(Embedded(context=512, max_tokens=8))
    question = [Message("system", "Be brief."), Message("user", (text * 5000)[:5000])]
    async with contextlib.aclosing(chat.reply(question)) as reply:
        assert await anext(reply)
