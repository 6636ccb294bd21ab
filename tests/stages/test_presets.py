"""The configs that name another language model, against the real server where a package brings one."""

import asyncio
import importlib
import json
from typing import Any

import ndjson
import pytest
from endpoint import Endpoint, serve

from companion import config
from companion.errors import StageError
from companion.models import locate
from companion.models.manifest import LANGUAGE_MODEL
from companion.resources import folder
from companion.stages.llm.chat_model import LangChain
from companion.stages.protocols import CallPart, Message


@pytest.mark.parametrize("name", sorted(path.stem for path in folder("configs").glob("*.toml")))
def test_every_shipped_config_loads(name):
    assert config.load(name).llm.use


@pytest.mark.model
async def test_the_llamacpp_preset_talks_to_llama_cpp_s_own_server():
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(locate.resolve(LANGUAGE_MODEL))
    params.n_ctx, params.verbosity = 512, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    options = config.load("llamacpp").llm.options | {"base_url": f"{server.listening_address}/v1"}
    model = LangChain(**options | {"max_completion_tokens": 12})
    deltas = [delta async for delta in model.reply([Message("user", "Say hello to me, please.")])]
    assert len(deltas) > 2 and "".join(deltas).strip()  # what it says is the model's affair


def _ollama(url: str, **changes: Any) -> LangChain:
    return LangChain(**config.load("ollama").llm.options | {"base_url": url} | changes)


async def test_the_ollama_preset_speaks_ollama_s_protocol():
    async with ndjson.serve(ndjson.Ollama()) as server:
        model = _ollama(server.url)
        said = [delta async for delta in model.reply([Message("system", "Be kind."), Message("user", "Hello.")])]
    assert said == ["Good ", "morning."]
    (request,) = server.requests
    assert request["stream"] is True and request["keep_alive"] == "30m"
    assert request["options"]["num_predict"] == 150 and request["options"]["temperature"] == 0.7
    assert [(m["role"], m["content"]) for m in request["messages"]] == [("system", "Be kind."), ("user", "Hello.")]


async def test_a_reasoning_model_in_ollama_is_told_not_to_think():
    options = config.load("ollama-reasoning").llm.options
    async with ndjson.serve(ndjson.Ollama()) as server:
        model = LangChain(**options | {"base_url": server.url, "model": ndjson.MODEL})
        assert [delta async for delta in model.reply([Message("user", "Hi.")])] == ["Good ", "morning."]
    (request,) = server.requests
    assert request["think"] is False and options["model"] == "qwen3:4b"
    assert request["options"]["num_predict"] == 300 and request["keep_alive"] == "30m"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("openai-reasoning", {"reasoning_effort": "minimal", "temperature": 1, "max_completion_tokens": 600}),
        ("llamacpp-reasoning", {"chat_template_kwargs": {"enable_thinking": False}, "max_completion_tokens": 300}),
    ],
)
async def test_a_reasoning_model_behind_an_endpoint_is_told_to_think_as_little_as_it_can(name, told):
    async with serve(Endpoint()) as endpoint:
        options = config.load(name).llm.options | {"base_url": endpoint.url, "api_key": "k"}
        assert [delta async for delta in LangChain(**options).reply([Message("user", "Hi.")])] == ["Good ", "morning."]
    assert {key: endpoint.requests[0].get(key) for key in told} == told


async def test_a_reply_that_is_interrupted_ends_ollama_s_generation():
    async with ndjson.serve(ndjson.Ollama(endless=True)) as server:
        deltas = _ollama(server.url).reply([Message("user", "Hello.")])
        assert await anext(deltas) == "Good "
        await deltas.aclose()
        await asyncio.wait_for(server.client_left.wait(), 10)


async def test_ollama_s_tool_calls_are_calls():
    tool = {
        "type": "function",
        "name": "weather",
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    }
    async with ndjson.serve(ndjson.Ollama([("weather", {"city": "Oslo"})])) as server:
        model = _ollama(server.url)
        parts = [part async for part in model.converse([Message("user", "How is the weather?")], [tool])]
    (call,) = [part for part in parts if isinstance(part, CallPart)]
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Oslo"})
    assert server.requests[0]["tools"][0]["function"]["name"] == "weather"


async def test_a_model_that_was_not_pulled_is_named_as_missing():
    async with ndjson.serve(ndjson.Ollama()) as server:
        with pytest.raises(StageError, match="ollama pull") as caught:
            _ = [delta async for delta in _ollama(server.url, model="llama9").reply([Message("user", "Hello.")])]
    assert caught.value.code == "llm_not_found"


async def test_ollama_that_does_not_run_is_unreachable():
    with pytest.raises(StageError) as caught:
        _ = [delta async for delta in _ollama("http://127.0.0.1:9").reply([Message("user", "Hello.")])]
    assert caught.value.code == "llm_unreachable"
