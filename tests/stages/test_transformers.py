"""A Hugging Face model's real loading path, with a tiny Llama of random weights that is built here."""

import asyncio

import pytest

from companion.stages.llm.chat_model import LangChain
from companion.stages.protocols import Message

transformers = pytest.importorskip("transformers", reason='needs pip install "vasari[transformers]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns about its own insides

TEMPLATE = "{% for m in messages %}{{ m['role'] + ' ' + m['content'] + ' ' }}{% endfor %}{{ 'assistant ' }}"
HELLO = [Message("system", "be brief"), Message("user", "hello")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["<unk>", "user", "assistant", "system", "hello", "be", "brief", *(f"word{i}" for i in range(57))]
    plain = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="<unk>", chat_template=TEMPLATE)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.LlamaConfig(vocab_size=len(words), eos_token_id=None, max_position_embeddings=8192, **shape)
    place = str(tmp_path_factory.mktemp("llama"))
    transformers.LlamaForCausalLM(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


async def test_it_streams(folder):
    stage = LangChain("companion.stages.llm.huggingface:Transformers", model=folder, device="cpu", max_new_tokens=12)
    deltas = [delta async for delta in stage.reply(HELLO)]
    assert len(deltas) > 2


async def test_closing_the_reply_stops_the_generation(folder):
    from companion.stages.llm.huggingface import Transformers

    class Counted(Transformers):
        tokens: int = 0

        def _complete(self, turns, stop, on_delta):
            def count(delta: str) -> bool:
                self.tokens += 1
                return on_delta(delta)

            super()._complete(turns, stop, count)

    chat = Counted(model=folder, device="cpu", max_new_tokens=6000)
    reply = LangChain(chat).reply(HELLO)
    await anext(reply)
    await reply.aclose()
    await asyncio.to_thread(chat._pool.submit(lambda: None).result)  # when the thread that generates is free again
    assert chat.tokens < 3000
