"""What the synthesizers share: the manner of an emotion, loudness, and a graph that tells its durations."""

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from companion.stages.protocols import Samples


class Manner(NamedTuple):
    speed: float  # relative to the voice's own
    gain: float


MANNERS = {
    "happy": Manner(1.05, 1.10),
    "surprised": Manner(1.06, 1.15),
    "angry": Manner(1.06, 1.25),
    "afraid": Manner(1.08, 0.90),
    "disgusted": Manner(0.96, 1.00),
    "sad": Manner(0.90, 0.80),
    "tender": Manner(0.92, 0.80),
    "thoughtful": Manner(0.93, 0.90),
}  # mild: the voices are calm ones, and words must stay clear
PLAIN = Manner(1.0, 1.0)


def manner(emotion: str) -> Manner:
    return MANNERS.get(emotion, PLAIN)


def level(audio: Samples, gain: float) -> Samples:
    """Louder or softer, bent instead of clipped above 0.9."""
    scaled = audio.astype(np.float32) * np.float32(gain)
    over = np.abs(scaled) - 0.9
    bent = np.sign(scaled) * (0.9 + 0.1 * np.tanh(np.maximum(over, 0.0) / 0.1))
    return np.where(over > 0, bent, scaled).astype(np.float32)


@functools.cache
def session(path: Path, durations: str, threads: int) -> Any:
    """The ONNX graph with one output more, named ``durations``: how long each input symbol lasts."""
    import onnx

    from animator.onnx import session as opened

    model = onnx.load(str(path))
    model.graph.output.append(onnx.ValueInfoProto(name=durations))
    return opened(model.SerializeToString(), threads)


def warm(pool: ThreadPoolExecutor, pieces: Iterator[object]) -> None:
    """Say something once, so that the first sentence does not wait."""
    pool.submit(lambda: list(pieces)).result()
