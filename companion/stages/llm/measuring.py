"""Measures the speed of the small embedded language model on this machine, in tokens per second."""

import importlib
from typing import Any

from companion.errors import StageError
from companion.models.automatic import Pace
from companion.stages.llm.embedded import Embedded

READ = "The train leaves at nine, and somebody runs along the platform. " * 12  # about 160 tokens
WRITTEN_TOKENS = 24
TRIES = 2  # the faster counts: other programs may slow one down


def measure() -> Pace:
    """Measure prompt processing and generation with half of the cores, as in a conversation. Blocks for some seconds.

    Raises:
        StageError: the model is missing, or cannot be loaded or measured.
    """
    small = Embedded()
    tried = [_timed(small.server, number) for number in range(TRIES)]
    xllamacpp: Any = importlib.import_module("xllamacpp")
    memory = max(device["memory_total"] for device in xllamacpp.get_device_info())
    return Pace(max(reads for reads, _ in tried), max(writes for _, writes in tried), float(memory))


def _timed(server: Any, number: int) -> tuple[float, float]:
    """Tokens per second of (prompt processing, generation). ``number`` makes the prompt a new one, not cached."""
    request = {
        "prompt": f"{number}. {READ}",
        "max_tokens": WRITTEN_TOKENS,
        "temperature": 0.0,
        "ignore_eos": True,
        "cache_prompt": False,
    }
    said: dict[str, Any] = server.handle_completions(request)
    if "timings" not in said:
        raise StageError("llm_failed", "The embedded language model could not be measured.")
    return said["timings"]["prompt_per_second"], said["timings"]["predicted_per_second"]
