"""Which embedded language model suits this machine: what ``model = "auto"`` stands for.

Set-up measures the small model, which every machine can run, and reckons what the better one would do; a session only
reads what was found.
"""

import json
import logging
from dataclasses import asdict, dataclass

from companion.models.locate import cache_dir, keep
from companion.models.manifest import LANGUAGE_MODEL

log = logging.getLogger(__name__)

AUTO = "auto"
BETTER = "qwen2.5-1.5b"
FOUND = "language-model.json"  # in the cache
# How many times as long the better model takes for a token. It has 3.7 times the weights, in a kind of four bits that
# llama.cpp computes faster than the small one's five: measured 2.2 to 2.6 for reading and 1.6 to 1.8 for writing.
READING, WRITING = 2.6, 1.8
TURN_TOKENS, FIRST_TOKENS = 40, 6  # of what somebody said, with a note on it; of the first words of an answer
MOST_FIRST_S = 0.6  # s from the end of a turn to those words; hearing and speaking take another 0.4
LEAST_PACE = 10.0  # tokens a second: twice as fast as it is spoken
LEAST_MEMORY = 6e9  # bytes of the machine: everything with the better model takes half of it


@dataclass(frozen=True, slots=True)
class Pace:
    """Of the small model: tokens that it reads and writes in a second; and the machine's memory in bytes."""

    reads: float
    writes: float
    memory: float

    def better(self) -> "Pace":
        """What the better model would do here."""
        return Pace(self.reads / READING, self.writes / WRITING, self.memory)

    @property
    def first_s(self) -> float:
        """Seconds until the first words of an answer are there."""
        return TURN_TOKENS / self.reads + FIRST_TOKENS / self.writes


def choose(pace: Pace) -> str:
    """The best model that keeps up with a conversation on a machine where the small one has this ``pace``."""
    better = pace.better()
    keeps_up = better.first_s <= MOST_FIRST_S and better.writes >= LEAST_PACE
    return BETTER if keeps_up and pace.memory >= LEAST_MEMORY else LANGUAGE_MODEL


def remember(name: str, pace: Pace) -> None:
    """Have `chosen` give ``name`` from now on. Raises OSError."""
    keep(cache_dir() / FOUND, json.dumps({"model": name, "measured": asdict(pace)}).encode())


def chosen() -> str:
    """What set-up chose; the small model where it has not been asked."""
    try:
        name = json.loads((cache_dir() / FOUND).read_text("utf-8"))["model"]
    except OSError:
        return LANGUAGE_MODEL
    except (ValueError, KeyError, TypeError):
        log.warning("%s is damaged: companion setup measures this machine again", cache_dir() / FOUND)
        return LANGUAGE_MODEL
    return name if name in (BETTER, LANGUAGE_MODEL) else LANGUAGE_MODEL
