"""Which behaviour moves a face: one of ours by name, a class by its import string, or a trained network by its file."""

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from animator.control import Control
    from animator.motion.behaviour.channels import Behaviour, Make
    from animator.motion.voice.voices import Other, Own

PROCESSES, NETWORK = "processes", "network"


class BehaviourError(ValueError):
    """The requested behaviour cannot be used; the message says why and what to do."""


def behaviour(name: str) -> "Make":
    """``processes``, ``network`` (the one that ships), a class of yours (``"package.module:Class"``), or a network that
    ``animator train`` made, by its file (``runs/small/motion.onnx``).

    Raises `BehaviourError` when that is none. So does a class of yours on each frame that it gets wrong.
    """
    from animator.motion.behaviour import flow
    from animator.motion.behaviour.processes import Processes

    if name == PROCESSES:
        return Processes
    module, _, attribute = name.partition(":")
    if attribute.isidentifier():
        return _imported(module, attribute)
    model = flow.MODEL if name == NETWORK else Path(name)
    if not model.is_file():
        raise BehaviourError(
            f"There is no behaviour {name!r}. Choose {PROCESSES}, {NETWORK}, a trained motion.onnx, "
            "or a class as package.module:Class."
        )
    return _trained(model)


def _imported(module: str, attribute: str) -> "Make":
    """A class that makes behaviours, tried once: a face that is shown must not be the first to find its faults."""
    name = f"{module}:{attribute}"
    try:
        make: Any = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise BehaviourError(
            f"{module} of the behaviour {name} cannot be imported: {error}. Python looks for it in PYTHONPATH."
        ) from error
    except AttributeError as error:
        raise BehaviourError(f"There is no {attribute} in {module}.") from error
    checked = _checked(make, name)
    _try(checked)
    return checked


def _checked(make: "Make", name: str) -> "Make":
    """``make``, whose behaviours raise `BehaviourError` for each frame that fails or is no row of channels."""
    import numpy as np

    from animator.motion.behaviour.channels import CHANNELS

    def made(random: np.random.Generator) -> "Behaviour":
        with _blamed(name):
            behaviour = make(random)

        def frame(own: "Own", other: "Other", control: "Control") -> "NDArray[np.float32]":
            with _blamed(name):
                row = np.asarray(behaviour(own, other, control), np.float32)
            if row.shape != (len(CHANNELS),) or not np.isfinite(row).all():
                raise BehaviourError(
                    f"The behaviour {name} gave {row.shape} numbers a frame; expected ({len(CHANNELS)},), all of them "
                    "finite, as animator.motion.behaviour.channels has them."
                )
            return row

        return frame

    return made


@contextmanager
def _blamed(name: str) -> Generator[None]:
    try:
        yield
    except Exception as error:  # whatever the user's class raises
        raise BehaviourError(f"The behaviour {name} failed: {type(error).__name__}: {error}") from error


def _try(make: "Make") -> None:
    """Make a behaviour, and have it move a frame of silence."""
    import numpy as np

    from animator.control import Control
    from animator.motion.voice.voices import NOBODY, OwnVoice
    from animator.units import SAMPLES_PER_FRAME

    silence = OwnVoice()(np.zeros(SAMPLES_PER_FRAME, np.float32))
    make(np.random.default_rng(0))(silence, NOBODY, Control())


def _trained(model: Path) -> "Make":
    import numpy as np

    from animator.motion.behaviour import flow

    try:
        flow.MotionNet(np.random.default_rng(0), model=model)
    except Exception as error:  # onnxruntime's have nothing else in common
        raise BehaviourError(
            f"{model} is no motion network that this version can run ({error}). Train or export it again, "
            f"or choose {PROCESSES} or {NETWORK}."
        ) from error
    return partial(flow.MotionNet, model=model)
