"""Qwen2 in torch with the weights of the GGUF file that llama.cpp runs, and a LoRA adapter on the last layers.

The layers below the adapter are frozen, so that their output need be computed only once.
"""

# torch and gguf are an extra, and their types are not there without them:
# pyright: reportMissingImports=false, reportUnknownParameterType=false, reportUntypedBaseClass=false

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional

ADAPTED = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
ARCHITECTURE = "qwen2"  # as GGUF names it
CONTROL = 3  # GGUF's number of the token type "control"
KeysValues = tuple[Tensor, Tensor]  # of a layer's attention, each (kv_heads, n, head_width)
# The pre-tokenizer: how text is split before byte-pair encoding. llama.cpp has the same as "qwen2".
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """The hyperparameters of the network."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    base: float  # of the rotary position embedding
    epsilon: float  # of the RMS norm

    @property
    def head_width(self) -> int:
        """The dimension of one attention head."""
        return self.width // self.heads


def tokenizer(reader: Any) -> Tokenizer:
    """The tokenizer in a GGUF file; ``reader``: a ``gguf.GGUFReader``."""
    tokens, kinds = (reader.get_field(f"tokenizer.ggml.{name}").contents() for name in ("tokens", "token_type"))
    merges = [tuple(pair.split(" ")) for pair in reader.get_field("tokenizer.ggml.merges").contents()]
    made = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    made.normalizer = normalizers.NFC()
    cut = pre_tokenizers.Split(Regex(WORDS), "isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(False, use_regex=False)])
    made.decoder = decoders.ByteLevel()
    special = (token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL)
    made.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    return made


class Adapted(nn.Module):
    """The frozen network of a GGUF file, with a trainable LoRA adapter on its last layers.

    Args:
        path: the GGUF file.
        adapted: number of layers with an adapter.
        rank: of the adapter.
        strength: factor of its output (alpha / rank).
        dtype: of the weights and of the matrix products.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a GGUF file.
    """

    architecture = ARCHITECTURE

    def __init__(self, path: Path, *, adapted: int, rank: int, strength: float, dtype: torch.dtype) -> None:
        super().__init__()
        reader: Any = gguf.GGUFReader(path)
        self.shape, self.words, self.dtype = _shape(reader), tokenizer(reader), dtype
        self.first, self.rank, self.strength = self.shape.layers - adapted, rank, strength
        self._frozen = {tensor.name: _weights(tensor, dtype) for tensor in reader.tensors}
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for layer in range(self.first, self.shape.layers):
            for part in ADAPTED:
                out, into = self._frozen[f"blk.{layer}.{part}.weight"].shape
                self.down[f"{layer} {part}"] = nn.Parameter(torch.randn(rank, into) / math.sqrt(into))
                self.up[f"{layer} {part}"] = nn.Parameter(torch.zeros(out, rank))

    def embed(self, tokens: list[int]) -> Tensor:
        """n token ids -> embeddings (n, width) float32."""
        return self._frozen["token_embd.weight"][tokens].float()

    def through(
        self, layers: range, x: Tensor, parts: list[int], before: Sequence[KeysValues] = (), dropout: float = 0.0
    ) -> tuple[Tensor, list[KeysValues]]:
        """Run hidden states through ``layers``.

        Args:
            x: (n, width) float32, the states of several texts, concatenated.
            parts: the lengths of the texts in tokens; they sum to n. They do not attend to each other.
            before: what this method found, as its second result, for a text and the same ``layers``: each text follows
                that one, and attends to it.
            dropout: probability, before the adapter.

        Returns:
            The states (n, width) float32; and the keys and values of each layer.
        """
        found = list[KeysValues]()
        start = before[0][0].shape[1] if before else 0
        places = start + torch.cat([torch.arange(n) for n in parts])
        for at, layer in enumerate(layers):
            name = f"blk.{layer}"
            inner = self._norm(x, f"{name}.attn_norm")
            q, k, v = self._read(layer, inner, places, dropout)
            found.append((k, v))
            mixed = _attended(q, (k, v), parts, before[at] if before else (k[:, :0], v[:, :0]))
            x = x + self._dense(mixed, layer, "attn_output", dropout).float()
            inner = self._norm(x, f"{name}.ffn_norm")
            gate, up = (self._dense(inner, layer, f"ffn_{part}", dropout) for part in ("gate", "up"))
            x = x + self._dense(functional.silu(gate) * up, layer, "ffn_down", dropout).float()
        return x, found

    def logits(self, x: Tensor) -> Tensor:
        """(n, width) float32 after the last layer -> logits (n, size of the vocabulary) float32."""
        return functional.linear(self._norm(x, "output_norm"), self._frozen["output.weight"]).float()

    def adapter(self) -> dict[str, Tensor]:
        """The adapter's tensors by llama.cpp's names: ``NAME.weight.lora_a`` (rank, in) and ``NAME.weight.lora_b``
        (out, rank), float16."""
        kept: dict[str, Tensor] = {}
        for end, weights in (("lora_a", self.down), ("lora_b", self.up)):
            for key, value in weights.items():
                layer, part = key.split(" ")
                kept[f"blk.{layer}.{part}.weight.{end}"] = value.detach().half().contiguous()
        return kept

    def _read(self, layer: int, x: Tensor, places: Tensor, dropout: float) -> tuple[Tensor, Tensor, Tensor]:
        """The queries, keys and values (heads, n, head_width) of ``x`` (n, width) at the positions ``places`` (n,)."""
        heads = ((name, self.shape.heads if name == "q" else self.shape.kv_heads) for name in "qkv")
        q, k, v = (
            self._dense(x, layer, f"attn_{name}", dropout).view(len(x), count, -1).transpose(0, 1)
            for name, count in heads
        )
        return self._turned(q, places), self._turned(k, places), v

    def _turned(self, x: Tensor, places: Tensor) -> Tensor:
        """Rotary position embedding: (heads, n, head_width), rotated by the positions ``places`` (n,)."""
        half = self.shape.head_width // 2
        angles = places[:, None] * self.shape.base ** (-torch.arange(half) / half)
        cos, sin, a, b = angles.cos(), angles.sin(), x[..., :half].float(), x[..., half:].float()
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(x.dtype)

    def _dense(self, x: Tensor, layer: int, part: str, dropout: float) -> Tensor:
        name, key = f"blk.{layer}.{part}", f"{layer} {part}"
        made = functional.linear(x, self._frozen[f"{name}.weight"], self._frozen.get(f"{name}.bias"))
        if layer < self.first:
            return made
        dropped = functional.dropout(x, dropout) if dropout else x
        change = functional.linear(dropped, self.down[key].to(self.dtype))
        return made + self.strength * functional.linear(change, self.up[key].to(self.dtype))

    def _norm(self, x: Tensor, name: str) -> Tensor:
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + self.shape.epsilon)
        return (x * scale * self._frozen[f"{name}.weight"]).to(self.dtype)


def _attended(q: Tensor, own: KeysValues, parts: list[int], before: KeysValues) -> Tensor:
    """Causal attention of texts, of the lengths ``parts``, to ``before`` and to themselves -> (n, width)."""
    result, start = list[Tensor](), 0
    for n in parts:
        keys, values = (torch.cat((w, m[:, start : start + n]), 1) for w, m in zip(before, own, strict=True))
        seen = torch.ones(n, keys.shape[1], dtype=torch.bool).tril(keys.shape[1] - n)
        asked, keys, values = q[None, :, start : start + n], keys[None], values[None]
        mixed = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=seen, enable_gqa=True)
        result.append(mixed[0])
        start += n
    return torch.cat(result, 1).transpose(0, 1).flatten(1)


def _shape(reader: Any) -> Shape:
    def of(name: str) -> Any:
        return reader.get_field(f"{ARCHITECTURE}.{name}").contents()

    heads, kv_heads = of("attention.head_count"), of("attention.head_count_kv")
    epsilon = of("attention.layer_norm_rms_epsilon")
    return Shape(of("block_count"), of("embedding_length"), heads, kv_heads, of("rope.freq_base"), epsilon)


def _weights(tensor: Any, dtype: torch.dtype) -> Tensor:
    values = torch.from_numpy(gguf.quants.dequantize(tensor.data, tensor.tensor_type).copy())
    return values if tensor.name.endswith("norm.weight") else values.to(dtype)
