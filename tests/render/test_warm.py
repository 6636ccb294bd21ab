"""After set-up nothing of the renderer is left to be compiled while somebody talks."""

import subprocess
import sys

DRAWN = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from rich.console import Console
from animator.motion.rows import space
from animator.portrait.characters import characters
from animator.portrait.portrait import load
from animator.render import Renderer
from companion.config import load as config
from companion.cli.setup import draw_once


def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("animator.render")]
    kernels = {f"{m.__name__}.{n}": k for m in modules for n, k in vars(m).items() if isinstance(k, Dispatcher)}
    return {(name, str(types)) for name, kernel in kernels.items() for types in kernel.signatures}


draw_once(config("default"), Console(quiet=True))
prepared, rng = compiled(), np.random.default_rng(0)
for character in characters():
    renderer = Renderer(load(character.picture))
    for _ in range(8):
        motion = rng.uniform(-1, 1, space.SIZE) * (rng.random(space.SIZE) < 0.5)
        motion[: len(space.ARKIT)] = np.abs(motion[: len(space.ARKIT)])
        motion[space.HEAD_YAW : space.HEAD_X] *= 15
        motion[space.HEAD_X : space.GAZE_LEFT_YAW] *= 0.1
        motion[space.GAZE_LEFT_YAW : space.TORSO_X] *= 15
        motion[space.TORSO_X :] *= 0.1
        renderer.draw(motion.astype(np.float32))
print(len(prepared), *sorted(name for name, _ in compiled() - prepared))
"""


def test_set_up_compiles_all_that_any_motion_of_a_shipped_face_needs() -> None:
    done = subprocess.run([sys.executable, "-c", DRAWN], capture_output=True, text=True, check=True)
    count, *late = done.stdout.split()
    assert int(count) > 20
    assert late == []
