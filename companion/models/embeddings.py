"""What a sentence means, as a vector: all-MiniLM-L6-v2 (Apache-2.0) on onnxruntime. English above all."""

import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from companion.models import locate
from companion.models.needs import EMBEDDER

SIZE = 384
MAX_TOKENS = 256  # what the network was trained for; the rest of a longer text is not looked at
CACHED_TEXTS = 8  # texts whose vectors are kept: care, feelings and memory ask for the same message
GRAPH = "int8.kept"

Vectors = NDArray[np.float32]  # (n, SIZE), rows of length 1

_loading = threading.Lock()


class Embeds(Protocol):
    def embed(self, texts: Sequence[str]) -> Vectors:
        """Texts -> (n, 384) float32, rows of length 1: their products are cosines."""
        ...


class Embedder:
    """Loads on first use. Each text is computed for itself, so that its vector does not depend on its neighbours.

    Raises:
        StageError: ``model_missing`` or ``model_corrupt``, from `embed`.
    """

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Texts -> (n, 384) float32, rows of length 1: their products are cosines. Blocks, about 4 ms a sentence."""
        _load()
        return np.concatenate([np.zeros((0, SIZE), np.float32), *map(_vector, texts)])


@functools.lru_cache(CACHED_TEXTS)
def _vector(text: str) -> Vectors:
    """(1, 384)."""
    words, network = _load()
    return network.run(None, {"ids": np.asarray([words.encode(text).ids], np.int64)})[0]


def _load() -> tuple[Any, Any]:
    """Tokenizer and network, one copy per process: who comes while they are loaded waits for them."""
    with _loading:
        return _loaded()


@functools.cache
def _loaded() -> tuple[Any, Any]:
    from animator.onnx import session

    folder = locate.resolve(EMBEDDER)
    return tokenizer(folder, MAX_TOKENS), session(_graph(folder))


def tokenizer(folder: Path, longest: int) -> Any:
    """MiniLM's, of the model in ``folder``, which leaves out what is beyond ``longest`` tokens."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.no_padding()
    made.enable_truncation(longest)
    return made


def _graph(folder: Path) -> bytes:
    """The exported network, made once from the published weights."""

    def make() -> bytes:
        from companion.models.minilm import graph

        return graph(folder / "model.safetensors")

    return locate.once(locate.cache_dir() / EMBEDDER / GRAPH, make)
