"""What the embedded language model learns from: dialogues, and the network that learns them, on a tiny model."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from companion.dialogue.personas import personas
from companion.frontmatter import PromptError
from companion.learn import dialogues
from companion.learn.dialogues import Dialogue, Turn
from companion.models.adapter import ready

LAYERS, WIDTH, HEADS, KV_HEADS, INNER = 3, 64, 2, 1, 96


def said(assistant: str) -> Dialogue:
    return Dialogue("companion", "joy", (Turn("Hi.", assistant),))


@pytest.mark.parametrize(
    ("assistant", "fault"),
    [
        ("[gleeful] Hello.", "no feeling 'gleeful'"),
        ("[happy] " + "word " * 60 + "end.", "61 words"),
        ("[happy]", "0 words"),
        ("Well, then", "does not end"),
        ("Hello! How can I help you?", "How can I help"),
        ("Two things:\n- one.", "\\n"),
    ],
)
def test_what_no_persona_should_say_is_found(assistant: str, fault: str):
    assert any(fault in found for found in dialogues.faults(said(assistant)))


def test_a_good_reply_has_no_faults_and_is_said_once():
    good = said("[laughs] Six meetings! When do you do the work that they talk about?")
    assert not list(dialogues.faults(good)) and dialogues.repeated([good, good]) == [good.turns[0].assistant]


def test_a_line_that_is_no_dialogue_is_named(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    dialogues.write(path, [said("Hello.")])
    assert dialogues.read(path) == [said("Hello.")]
    path.write_text(path.read_text() + json.dumps({"persona": "companion", "kind": "joy", "turns": []}) + "\n")
    with pytest.raises(PromptError, match=r"some\.jsonl:2: "):
        dialogues.read(path)


def test_the_dialogues_that_ship_are_what_their_card_says():
    parts = {part: dialogues.load(part) for part in ("train", "held-out", "larger")}
    turns = {part: sum(len(one.turns) for one in some) for part, some in parts.items()}
    assert turns["train"] >= 1500 and turns["held-out"] >= 150
    both = [one for some in parts.values() for one in some]
    assert {one.persona for one in parts["train"]} == {one.persona for one in parts["held-out"]}
    assert {one.persona for one in both} == set(personas.load().personas)
    assert not [fault for one in both for fault in dialogues.faults(one)]
    assert not dialogues.repeated(both)


def tiny(path: Path) -> None:
    """A Qwen2 of three layers and 300 tokens, with random weights."""
    import gguf

    draw = np.random.default_rng(0)
    writer: Any = gguf.GGUFWriter(path, "qwen2")
    for name, value in {
        "context_length": 256, "embedding_length": WIDTH, "block_count": LAYERS, "feed_forward_length": INNER,
        "head_count": HEADS, "head_count_kv": KV_HEADS,
    }.items():  # fmt: skip
        getattr(writer, f"add_{name}")(value)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
    tokens = [*letters, "he", "ll", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * (len(tokens) - 3) + [3] * 3)
    writer.add_token_merges(["h e", "l l"])
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_add_bos_token(False)

    def add(name: str, *shape: int, scale: float = 0.15) -> None:
        writer.add_tensor(name, (draw.standard_normal(shape) * scale).astype(np.float32))

    kv = WIDTH // HEADS * KV_HEADS
    for layer in range(LAYERS):
        for part, out, into in (
            ("attn_q", WIDTH, WIDTH), ("attn_k", kv, WIDTH), ("attn_v", kv, WIDTH), ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", INNER, WIDTH), ("ffn_up", INNER, WIDTH), ("ffn_down", WIDTH, INNER),
        ):  # fmt: skip
            add(f"blk.{layer}.{part}.weight", out, into)
            if part in ("attn_q", "attn_k", "attn_v"):
                add(f"blk.{layer}.{part}.bias", out)
        for norm in ("attn_norm", "ffn_norm"):
            add(f"blk.{layer}.{norm}.weight", WIDTH, scale=1.0)
    for name in ("token_embd", "output"):
        add(f"{name}.weight", len(tokens), WIDTH)
    add("output_norm.weight", WIDTH, scale=1.0)
    for step in ("header", "kv_data", "tensors"):
        getattr(writer, f"write_{step}_to_file" if step != "kv_data" else "write_kv_data_to_file")()
    writer.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("gguf")
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    tiny(path)
    return path


def adapted(path: Path, rank: int = 4) -> Any:
    torch = pytest.importorskip("torch")
    from companion.learn.qwen import Adapted

    torch.manual_seed(0)
    return Adapted(path, adapted=2, rank=rank, strength=2.0, dtype=torch.float32)


def shaken(model: Any) -> Any:
    """``model`` with an adapter that changes something."""
    import torch

    for weights in model.up.values():
        torch.nn.init.normal_(weights, std=0.1)
    return model


def likeliest(path: Path, prompt: str, adapter: Path | None = None) -> dict[int, float]:
    """The tokens that llama.cpp finds likely after ``prompt``, with the logarithms of their probabilities."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.verbosity = str(path), 256, 1, -1
    if adapter:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    # It says "!": of letters that are only half of one it would tell nothing.
    asked = {"prompt": prompt, "max_tokens": 1, "temperature": 0.0, "logprobs": 5, "logit_bias": [[0, 100]]}
    choice: Any = xllamacpp.Server(params).handle_completions(asked)
    found = choice["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {one["id"]: one["logprob"] for one in found}


@pytest.mark.torch
@pytest.mark.parametrize("with_adapter", [False, True])
def test_torch_and_llama_cpp_find_the_same_words_likely(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_adapter: bool
):
    monkeypatch.setenv("VASARI_CACHE", str(tmp_path / "cache"))
    model = shaken(adapted(file)) if with_adapter else adapted(file)
    import torch
    from safetensors.torch import save_file

    from companion.learn.train_words import described

    save_file(model.adapter(), tmp_path / "mine", described(model))
    adapter = ready(tmp_path / "mine") if with_adapter else None
    prompt = "<|im_start|>user\nhello, it's 12 o'clock!<|im_end|>\n"
    tokens = model.words.encode(prompt).ids
    with torch.no_grad():
        hidden = model.through(range(LAYERS), model.embed(tokens), [len(tokens)])[0]
        ours = model.logits(hidden[-1:]).log_softmax(-1)[0]
    for token, theirs in likeliest(file, prompt, adapter).items():
        assert ours[token].item() == pytest.approx(theirs, abs=0.02)


@pytest.mark.torch
def test_it_learns_what_personas_say_and_dialogues_do_not_see_each_other(file: Path):
    model = adapted(file)
    from companion.learn import teaching, train_words

    some = [Dialogue("a", "joy", (Turn("hello", "[happy] well, hello!"), Turn(text, "oh."))) for text in ("he", "you")]
    lessons = [teaching.lesson(model.words, one) for one in some]
    heard = [model.words.decode([one.tokens[n] for n in one.learnt], skip_special_tokens=False) for one in lessons]
    assert heard == ["well, hello!<|im_end|>oh.<|im_end|>"] * 2
    learnt = train_words.Material(model, lessons, {"a": model.words.encode("be kind").ids})
    (batch,) = learnt.batches(random.Random(0))
    together, alone = learnt.loss(batch)[0].item(), sum(learnt.loss([one])[0].item() for one in batch)
    assert together == pytest.approx(alone, rel=1e-5)
    before = learnt.mean_loss()
    assert list(train_words.train(model, learnt, learnt, rounds=12)) and learnt.mean_loss() < before - 0.1
