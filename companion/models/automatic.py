"""Chooses the embedded language model for this machine, which ``model = "auto"`` stands for.

``companion setup`` measures the small model, which every machine can run, and estimates the speed of the better one
from it; a session only reads the result.
"""

import json
import logging
from dataclasses import asdict, dataclass

from companion.models.locate import cache_dir, keep
from companion.models.manifest import LANGUAGE_MODEL

log = logging.getLogger(__name__)

AUTO = "auto"
BETTER = "qwen2.5-1.5b"
FOUND = "language-model.json"  # the file in the cache
# Factors of the time per token, better model over small one, for reading the prompt and for writing the reply. It has
# 3.7 times the weights, but at four bits llama.cpp is faster than at the small one's five: measured 2.2 to 2.6 and 1.6
# to 1.8.
READING, WRITING = 2.6, 1.8
TURN_TOKENS, FIRST_TOKENS = 40, 6  # tokens of a user's turn with a note on it; of the first words of a reply
MOST_FIRST_S = 0.6  # s from the end of a turn to those words; recognition and synthesis take another 0.4 s
LEAST_PACE = 10.0  # tokens/s of writing: twice the pace of speech
LEAST_MEMORY = 6e9  # bytes of the machine's memory; the program with the better model takes half of that


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens per second that a model reads (prompt) and writes (reply), and the machine's memory in bytes."""

    reads: float
    writes: float
    memory: float

    def better(self) -> "Pace":
        """The estimated pace of the better model, where this is the small model's."""
        return Pace(self.reads / READING, self.writes / WRITING, self.memory)

    @property
    def first_s(self) -> float:
        """Latency of the first words of a reply, in s."""
        return TURN_TOKENS / self.reads + FIRST_TOKENS / self.writes


def choose(pace: Pace) -> str:
    """The name of the best model that is fast enough for conversation where the small one has this ``pace``."""
    better = pace.better()
    keeps_up = better.first_s <= MOST_FIRST_S and better.writes >= LEAST_PACE
    return BETTER if keeps_up and pace.memory >= LEAST_MEMORY else LANGUAGE_MODEL


def remember(name: str, pace: Pace) -> None:
    """Store ``name`` for `chosen`, with the measurement. Raises OSError if the cache cannot be written."""
    keep(cache_dir() / FOUND, json.dumps({"model": name, "measured": asdict(pace)}).encode())


def chosen() -> str:
    """The name of the model that ``companion setup`` chose; the small one if it has not, or its file is damaged."""
    try:
        name = json.loads((cache_dir() / FOUND).read_text("utf-8"))["model"]
    except OSError:
        return LANGUAGE_MODEL
    except (ValueError, KeyError, TypeError):
        log.warning("%s is damaged: companion setup measures this machine again", cache_dir() / FOUND)
        return LANGUAGE_MODEL
    return name if name in (BETTER, LANGUAGE_MODEL) else LANGUAGE_MODEL
