"""Converts a LoRA adapter of a language model from safetensors, as it is trained and stored, to GGUF for llama.cpp.

The format is specified by https://github.com/ggml-org/ggml (``gguf.md`` among its documents).
"""

import logging
import struct
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from companion.errors import StageError
from companion.models.locate import cache_dir, keep, sha256

log = logging.getLogger(__name__)

ALPHA = "alpha"  # key in the safetensors metadata; LoRA's scale is alpha / rank
ARCHITECTURE = "architecture"  # key in the safetensors metadata; GGUF's name of the model's architecture
VERSION, ALIGNMENT = 3, 32  # of GGUF; its default alignment of tensors, in bytes
FLOAT32, STRING, HALVES = 6, 8, 1  # GGUF's numbers of two types of values, and of the tensor type float16

Tensors = dict[str, NDArray[np.float16]]


def ready(path: Path) -> Path:
    """An adapter's safetensors file -> the path of its GGUF file in the cache (in a temporary folder if that cannot be
    written).

    Raises:
        StageError: ``llm_model`` if ``path`` is not an adapter.
    """
    try:
        content, name = to_gguf(path), f"{sha256(path)}.gguf"
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise StageError("llm_model", f"{path} is no adapter of a language model: {error}") from error
    kept = cache_dir() / "adapters" / name
    if kept.is_file() and kept.read_bytes() == content:
        return kept
    try:
        keep(kept, content)
    except OSError as error:
        log.debug("cannot write %s: %s", kept, error)
        kept = Path(_temporary().name) / name
        kept.write_bytes(content)
    return kept


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder that is deleted when the process ends."""
    return tempfile.TemporaryDirectory(prefix="vasari-")


def to_gguf(path: Path) -> bytes:
    """An adapter's safetensors file -> the content of the GGUF file, with tensors in float16.

    Raises:
        OSError, SafetensorError, KeyError, ValueError: ``path`` cannot be read or is not an adapter.
    """
    with safe_open(path, "np") as file:
        told: dict[str, str] = file.metadata() or {}
        tensors: Tensors = {name: file.get_tensor(name).astype(np.float16) for name in file.keys()}  # noqa: SIM118
    texts = {"general.architecture": told[ARCHITECTURE], "general.type": "adapter", "adapter.type": "lora"}
    values = [_text(key) + struct.pack("<I", STRING) + _text(value) for key, value in texts.items()]
    values.append(_text("adapter.lora.alpha") + struct.pack("<If", FLOAT32, float(told[ALPHA])))
    infos, blocks = list[bytes](), list[bytes]()
    for name, tensor, start in _laid_out(tensors):
        shape = struct.pack(f"<I{tensor.ndim}Q", tensor.ndim, *reversed(tensor.shape))
        infos.append(_text(name) + shape + struct.pack("<IQ", HALVES, start))
        blocks.append(_padded(np.ascontiguousarray(tensor).tobytes()))
    head = b"GGUF" + struct.pack("<IQQ", VERSION, len(tensors), len(values))
    return _padded(head + b"".join(values) + b"".join(infos)) + b"".join(blocks)


def _laid_out(tensors: Tensors) -> Iterator[tuple[str, NDArray[np.float16], int]]:
    start = 0
    for name, tensor in tensors.items():
        yield name, tensor, start
        start += len(_padded(bytes(tensor.nbytes)))


def _text(text: str) -> bytes:
    content = text.encode()
    return struct.pack("<Q", len(content)) + content


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % ALIGNMENT)
