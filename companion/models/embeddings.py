"""Sentence embeddings: all-MiniLM-L6-v2 (Apache-2.0) on onnxruntime. Trained on English above all."""

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
MAX_TOKENS = 256  # the length that the network was trained for; longer texts are truncated
CACHED_TEXTS = 8  # embeddings kept: safety, feelings and memory embed the same message
GRAPH = "int8.kept"

Vectors = NDArray[np.float32]  # (n, SIZE), rows of norm 1

_loading = threading.Lock()


class Embeds(Protocol):
    """What computes sentence embeddings."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """n texts -> embeddings (n, 384) float32, rows of norm 1, so that dot products are cosine similarities."""
        ...


class Embedder:
    """Loads the model on first use. Each text is embedded alone, so that its embedding does not depend on the others.

    Raises:
        StageError: ``model_missing`` or ``model_corrupt``, from `embed`.
    """

    def embed(self, texts: Sequence[str]) -> Vectors:
        """n texts -> embeddings (n, 384) float32, rows of norm 1. Blocks, about 4 ms a sentence."""
        _load()
        return np.concatenate([np.zeros((0, SIZE), np.float32), *map(_vector, texts)])


@functools.lru_cache(CACHED_TEXTS)
def _vector(text: str) -> Vectors:
    """The embedding of one text, (1, 384) float32; the latest `CACHED_TEXTS` are cached."""
    words, network = _load()
    return network.run(None, {"ids": np.asarray([words.encode(text).ids], np.int64)})[0]


def _load() -> tuple[Any, Any]:
    """Tokenizer and network, one copy per process; concurrent callers wait until they are loaded."""
    with _loading:
        return _loaded()


@functools.cache
def _loaded() -> tuple[Any, Any]:
    from animator.onnx import session

    folder = locate.resolve(EMBEDDER)
    return tokenizer(folder, MAX_TOKENS), session(_graph(folder))


def tokenizer(folder: Path, longest: int) -> Any:
    """The tokenizer of the MiniLM model in ``folder``, truncating to ``longest`` tokens."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.no_padding()
    made.enable_truncation(longest)
    return made


def _graph(folder: Path) -> bytes:
    """The exported ONNX network, made once from the published weights and kept in the cache."""

    def make() -> bytes:
        from companion.models.minilm import graph

        return graph(folder / "model.safetensors")

    return locate.once(locate.cache_dir() / EMBEDDER / GRAPH, make)
