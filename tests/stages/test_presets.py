"""The configs that name another language model, against the real server where a package brings one."""

import importlib
from typing import Any

import pytest

from companion import config, models
from companion.llm import LangChain
from companion.resources import folder
from companion.stages import Message


@pytest.mark.parametrize("name", sorted(path.stem for path in folder("configs").glob("*.toml")))
def test_every_shipped_config_loads(name):
    assert config.load(name).llm.use


@pytest.mark.model
async def test_the_llamacpp_preset_talks_to_llama_cpp_s_own_server():
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(models.resolve("smollm2-135m"))
    params.n_ctx, params.verbosity = 512, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    options = config.load("llamacpp").llm.options | {"base_url": f"{server.listening_address}/v1"}
    model = LangChain(**options | {"max_completion_tokens": 12})
    deltas = [delta async for delta in model.reply([Message("user", "Say hello to me, please.")])]
    assert len(deltas) > 2 and any(c.isalpha() for c in "".join(deltas))
