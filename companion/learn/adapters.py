"""An adapter as a file: safetensors for other programs, GGUF for llama.cpp."""

# torch and gguf are an extra, and their types are not there without them:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from pathlib import Path
from typing import Any

import gguf
from safetensors.torch import save_file
from torch import Tensor

ARCHITECTURE = "qwen2"


def save(tensors: dict[str, Tensor], strength: float, path: Path) -> None:
    """Writes ``path`` with ``.safetensors`` and with ``.gguf``; changes are multiplied by ``strength``. Raises OSError.

    llama.cpp multiplies by ``adapter.lora.alpha`` over the rank.
    """
    rank = next(value.shape[0] for name, value in tensors.items() if name.endswith("lora_a"))
    alpha = strength * rank
    save_file(tensors, path.with_suffix(".safetensors"), {"alpha": f"{alpha:g}", "rank": str(rank)})
    writer: Any = gguf.GGUFWriter(path.with_suffix(".gguf"), ARCHITECTURE)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, value in tensors.items():
        writer.add_tensor(name, value.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
