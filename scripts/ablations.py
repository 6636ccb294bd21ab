"""What each part of the motion generator is worth: ``python -m scripts.ablations SOUNDS --out docs/ablations.md``.

SOUNDS is a folder of speech with phonemes, as `scripts.suite_sounds` makes it. Every generator says every sound and
listens for a while; its motion is measured without being drawn (`animator.evaluate.rows`). Writes a Markdown table.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from animator.control import Control
from animator.evaluate.rows import motion_figures
from animator.evaluate.suite import SOUNDS, Saying, means, read_saying
from animator.evaluate.tracking.lip_figures import Figures
from animator.motion.behaviour.flow import DEFAULT_SAMPLING, MODEL, MotionNet, Sampling
from animator.motion.behaviour.processes import Processes
from animator.motion.generator import Generator
from animator.units import FPS, RATE, SAMPLES_PER_FRAME

Make = Callable[[int], Generator]  # from a seed
LISTENING_SECONDS = 60.0
COLUMNS = {
    "sync": "sync r", "offset_ms": "offset ms", "bilabials_closed": "p b m closed", "opening_p95": "opening p95",
    "pause_mad": "pause MAD", "loudness_difference": "loudness diff.", "head_change_speaking": "head deg/frame",
    "head_bands_off": "bands off", "sd_yaw": "sd yaw", "brow_dynamics": "brows", "blinks_per_minute": "blinks/min",
    "mouth_jumps": "jumps", "listening_head_change": "listening deg/frame", "ms": "ms/frame",
}  # fmt: skip


def generators(model: Path) -> dict[str, tuple[Make, int]]:
    """Name -> how to make it, and how many frames less of look-ahead its motion is shown with."""

    def network(sampling: Sampling) -> tuple[Make, int]:
        return partial(Generator, behaviour=partial(MotionNet, sampling=sampling, model=model)), 0

    plain = network(DEFAULT_SAMPLING)[0]
    return {
        "processes alone (the teacher)": (partial(Generator, behaviour=Processes), 0),
        "network": (plain, 0),
        "network, noise of size 1": network(replace(DEFAULT_SAMPLING, warmth=1.0)),
        "network, 2 calls a frame": network(replace(DEFAULT_SAMPLING, calls=2)),
        "network, 4 calls a frame": network(replace(DEFAULT_SAMPLING, calls=4)),
        "guidance own voice 0.5": network(replace(DEFAULT_SAMPLING, guidance={"own": 0.5})),
        "guidance own voice 1.0": network(replace(DEFAULT_SAMPLING, guidance={"own": 1.0})),
        "guidance own voice 0.5, gaze 1.0 (VASA-1's)": network(
            replace(DEFAULT_SAMPLING, guidance={"own": 0.5, "gaze": 1.0})
        ),
        "shown 40 ms earlier (look-ahead 40 ms)": (plain, 1),
        "shown 80 ms earlier (no look-ahead)": (plain, 2),
    }


def said(make: Make, earlier: int, saying: Saying, seed: int) -> Figures:
    """The figures of one sound between seconds of silence; ``ms`` for each frame."""
    assert saying.audio is not None
    quiet = np.zeros(RATE, np.float32)
    sound = np.concatenate([quiet, saying.audio, quiet])
    sound = np.pad(sound, (0, -len(sound) % SAMPLES_PER_FRAME))
    mover = make(seed)
    late = mover.delay_frames - earlier
    start = time.perf_counter()
    rows = mover.step(np.pad(sound, (0, late * SAMPLES_PER_FRAME)), Control("speaking"))[late:]
    ms = (time.perf_counter() - start) * 1000 / (len(rows) + late)
    phonemes = [(symbol, begin + 1, end + 1) for symbol, begin, end in saying.phonemes]
    return motion_figures(rows, sound, phonemes) | {"ms": ms}


def listened(make: Make, other: Saying, seed: int) -> Figures:
    """How much the head moves while ``other`` is heard again and again."""
    assert other.audio is not None
    samples = int(LISTENING_SECONDS * FPS) * SAMPLES_PER_FRAME
    silence = np.zeros(samples, np.float32)
    rows = make(seed).step(silence, Control("listening"), np.resize(other.audio, samples))
    return {"listening_head_change": motion_figures(rows, None)["head_change"]}


def row(name: str, figures: Figures) -> str:
    cells = [figures.get(column) for column in COLUMNS]
    return f"| {name} | " + " | ".join(f"{cell:.3g}" if isinstance(cell, float) else "-" for cell in cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sounds", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--only", nargs="*", default=[], help="names of generators, or parts of them")
    parser.add_argument("--out", type=Path, help="where the table goes besides")
    given = parser.parse_args()
    sayings = [read_saying(file) for file in sorted(given.sounds.iterdir()) if file.suffix.lower() in SOUNDS]
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    print("\n".join(lines), flush=True)
    for name, (make, earlier) in generators(given.model).items():
        if given.only and not any(part in name for part in given.only):
            continue
        clips = [said(make, earlier, saying, seed) for seed, saying in enumerate(sayings)]
        lines.append(row(name, means(clips) | listened(make, sayings[0], 1)))
        print(lines[-1], flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
