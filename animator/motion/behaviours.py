"""Which behaviour moves a face: one of ours by name, or a network that ``animator train`` made, by its file."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animator.motion.generator import Make

PROCESSES, NETWORK = "processes", "network"


class BehaviourError(ValueError):
    """The behaviour that was asked for cannot be used; says why and what to do."""


def behaviour(name: str) -> "Make":
    """``processes``, ``network`` (the one that ships), or a file such as ``runs/small/motion.onnx``.

    Raises `BehaviourError` when that is none.
    """
    import numpy as np

    from animator.motion import flow
    from animator.motion.processes import Processes

    if name == PROCESSES:
        return Processes
    model = flow.MODEL if name == NETWORK else Path(name)
    if not model.is_file():
        raise BehaviourError(
            f"There is no behaviour {name!r}. Choose {PROCESSES}, {NETWORK}, or a trained motion.onnx."
        )
    try:
        flow.MotionNet(np.random.default_rng(0), model=model)
    except Exception as error:  # onnxruntime's have nothing else in common
        raise BehaviourError(
            f"{model} is no motion network that this version can run ({error}). Train or export it again, "
            f"or choose {PROCESSES} or {NETWORK}."
        ) from error
    return partial(flow.MotionNet, model=model)
