"""The danger classifier: MiniLM with a small LoRA adapter, trained by `companion.safety.train`.

The adapter (LoRA, Hu et al. 2022) adds a low-rank product to the weights of every dense layer. It is merged into them
before the ONNX graph is made, so that inference is as fast as that of the plain embedder.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from companion.models import locate
from companion.models.embeddings import tokenizer
from companion.models.needs import EMBEDDER

ADAPTER = Path(__file__).parent / "danger.safetensors"
KINDS = ("none", "suicide", "medical", "abuse", "violence", "intruder", "child", "eating", "psychosis")
ADAPTED_LAYERS = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
DENSE = tuple(
    f"encoder.layer.{layer}.{part}"
    for layer in range(6)
    for part in (*ADAPTED_LAYERS, "intermediate.dense", "output.dense")
)
STRENGTH = 2.0  # factor of the adapter's product (LoRA's alpha / rank)
SHARPNESS = 8.0  # factor of the unit embedding before the linear head
MAX_TOKENS = 64  # tokens of a text that are read, as in training

Weights = Mapping[str, NDArray[np.float32]]


class Near(NamedTuple):
    """The classification of a text: ``danger`` is the probability from 0 to 1 of any danger, ``about`` the likeliest
    kind, one of `KINDS` except ``none``."""

    danger: float
    about: str


class Judges(Protocol):
    """A classifier of danger, such as `Network`."""

    def judge(self, texts: Sequence[str]) -> list[Near]:
        """Classify texts -> one result per text, in order. Blocks."""
        ...


class Network:
    """The classifier; loads on first use, one copy per process.

    Raises:
        StageError: ``model_missing`` or ``model_corrupt``, from `judge`.
    """

    def judge(self, texts: Sequence[str]) -> list[Near]:
        """Classify texts -> one result per text, in order. Blocks for about 4 ms per sentence."""
        return [_judge(text) for text in texts]


@functools.lru_cache(256)
def _judge(text: str) -> Near:
    words, network, weight, bias = _loaded()
    vector = network.run(None, {"ids": np.asarray([words.encode(text).ids], np.int64)})[0][0]
    logits = weight @ (SHARPNESS * vector) + bias
    odds = np.exp(logits - logits.max())
    return Near(float(1 - odds[0] / odds.sum()), KINDS[1 + int(odds[1:].argmax())])


@functools.cache
def _loaded() -> tuple[Any, Any, NDArray[np.float32], NDArray[np.float32]]:
    from safetensors.numpy import load_file

    from animator.onnx import session

    folder = locate.resolve(EMBEDDER)
    adapter = load_file(ADAPTER)
    key = hashlib.sha256(ADAPTER.read_bytes()).hexdigest()[:16]
    content = locate.once(locate.cache_dir() / "safety" / f"{key}.kept", lambda: _graph(folder, adapter))
    weight, bias = (adapter[name].astype(np.float32) for name in ("head.weight", "head.bias"))
    return tokenizer(folder, MAX_TOKENS), session(content), weight, bias


def _graph(folder: Path, adapter: Mapping[str, NDArray[Any]]) -> bytes:
    from safetensors.numpy import load_file

    from companion.models.minilm import export

    return export(merged(load_file(folder / "model.safetensors"), adapter)).SerializeToString()


def merged(weights: Weights, adapter: Mapping[str, NDArray[Any]]) -> Weights:
    """Merge the adapter into MiniLM's weights: to each dense layer's (out, in) weight add `STRENGTH` times ``NAME.up``
    (out, rank) @ ``NAME.down`` (rank, in). All float32 in the result."""
    changes = {
        f"{name}.weight": adapter[f"{name}.up"].astype(np.float32) @ adapter[f"{name}.down"].astype(np.float32)
        for name in DENSE
    }
    made = {name: weights[name] + np.float32(STRENGTH) * change for name, change in changes.items()}
    return {**weights, **{name: value.astype(np.float32) for name, value in made.items()}}
