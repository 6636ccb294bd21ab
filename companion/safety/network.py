"""How near a sentence is to one of danger: MiniLM with a small adapter of our own, trained by `companion.safety.train`.

The adapter (LoRA, Hu et al. 2022) changes every dense layer by a product of two thin matrices; both are merged before
the graph is made, so that it takes no longer than the network of meanings.
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
STRENGTH = 2.0  # of the adapter
SHARPNESS = 8.0  # by which a unit vector is multiplied before the head
MAX_TOKENS = 64  # what it was trained for

Weights = Mapping[str, NDArray[np.float32]]


class Near(NamedTuple):
    """``danger`` is the probability from 0 to 1 that it is one; ``about`` the likeliest kind, one of `KINDS` but
    ``none``."""

    danger: float
    about: str


class Judges(Protocol):
    def judge(self, texts: Sequence[str]) -> list[Near]:
        """One verdict for each text."""
        ...


class Network:
    """Loads on first use, one copy per process. Raises StageError, as the embedder does, from `judge`."""

    def judge(self, texts: Sequence[str]) -> list[Near]:
        """Texts -> a verdict for each. Blocks, about 4 ms a sentence."""
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
    """MiniLM's weights with those of the adapter: ``NAME.up`` (out, rank) times ``NAME.down`` (rank, in)."""
    changes = {
        f"{name}.weight": adapter[f"{name}.up"].astype(np.float32) @ adapter[f"{name}.down"].astype(np.float32)
        for name in DENSE
    }
    made = {name: weights[name] + np.float32(STRENGTH) * change for name, change in changes.items()}
    return {**weights, **{name: value.astype(np.float32) for name, value in made.items()}}
