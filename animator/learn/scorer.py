"""Trains the lip-sync scorer: ``python -m animator.learn.scorer OUT.onnx --captured FACEGOOD --videos GRID``.

It may only learn from what the motion generator has never seen: the takes of FACEGOOD that are held out there, and real
videos with sound, whose lips are tracked. It is cross-validated first: each fold of the videos is scored by a network
trained without it.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor, nn

from animator.evaluate.rows import observed
from animator.evaluate.sync import HOPS_PER_FRAME, MARGIN_HOPS, MOST_LAG, by_lag, correlation, heard, lips
from animator.evaluate.tracking.track import Track, track
from animator.learn.clips import captured
from animator.learn.clips.augment import augment
from animator.media.files import read_audio
from animator.media.mel import MELS, mel_power, to_features
from animator.motion.rows import space
from animator.motion.voice.mouth_net import to_weights
from animator.units import RATE

SEQUENCE_FRAMES = 70  # of a training sequence
BATCH_SIZE = 16
REAL_SHARE = 0.6  # share of the sequences that come from real videos
FOLD_COUNT = 4
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clip:
    """``power`` (frames * 4, MELS) of the sound; ``mouth`` (frames, 2): opening and width; ``real``: tracked video."""

    name: str
    real: bool
    sound: Floats
    power: Floats
    mouth: Floats


class Lips(nn.Module):
    """Convolutions over 480 ms of log-mel around a frame -> how far the mouth is open, and how wide."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(MELS, 32, 5, 2), nn.SiLU(), nn.Conv1d(32, 48, 5, 2), nn.SiLU(), nn.Dropout(0.4),
            nn.Conv1d(48, 48, 5), nn.SiLU(), nn.Dropout(0.4), nn.Conv1d(48, 48, 5), nn.SiLU(), nn.Dropout(0.4),
            nn.Conv1d(48, 2, 1),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """(batch, frames * HOPS_PER_FRAME + sum(MARGIN_HOPS), MELS) -> (batch, frames, 2)."""
        return self.layers(features.transpose(1, 2)).transpose(1, 2)


def collect(takes: Path, videos: Path) -> list[Clip]:
    """The held-out takes of FACEGOOD and all videos of a folder."""
    clips: list[Clip] = []
    for name, sound, mouth in captured.takes(takes):
        if name in captured.HELD_TAKES:
            rows = np.zeros((len(mouth), space.SIZE), np.float32)
            rows[:, : len(space.ARKIT)] = np.stack([to_weights(row, 1.0) for row in mouth])
            clips.append(_clip(name, False, sound, observed(rows)))
    for path in sorted(videos.iterdir()):
        if path.suffix.lower() in (".mpg", ".mp4", ".mkv", ".avi", ".mov"):
            clips.append(_clip(path.stem, True, read_audio(path), track(path)))
    return clips


def _clip(name: str, real: bool, sound: Floats, seen: Track) -> Clip:
    mouth = lips(seen)
    padded = np.zeros(len(mouth) * RATE // 25 + 360, np.float32)
    padded[360 : 360 + len(sound)] = sound[: len(padded) - 360]
    return Clip(name, real, sound, mel_power(padded), mouth)


def _batch(clips: list[Clip], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Features, mouths, and whether the mouths are tracked."""
    sets = {real: [clip for clip in clips if clip.real == real] for real in (True, False)}
    chosen = [sets[bool(rng.random() < REAL_SHARE)] for _ in range(BATCH_SIZE)]
    parts = [
        (clip := some[rng.integers(len(some))], int(rng.integers(len(clip.mouth) - SEQUENCE_FRAMES))) for some in chosen
    ]
    power = np.stack([c.power[at * HOPS_PER_FRAME : (at + SEQUENCE_FRAMES) * HOPS_PER_FRAME] for c, at in parts])
    mouth = np.stack([c.mouth[at : at + SEQUENCE_FRAMES] for c, at in parts])
    features = augment(torch.from_numpy(power)).numpy()
    windows = np.stack([heard(one) for one in features])
    return torch.from_numpy(windows), torch.from_numpy(mouth), torch.tensor([c.real for c, _ in parts])


def _loss(said: Tensor, mouth: Tensor, real: Tensor) -> Tensor:
    """One minus the correlation; the width of captured mouths does not count, since it is unlike a tracked width."""
    one, other = said - said.mean(1, keepdim=True), mouth - mouth.mean(1, keepdim=True)
    r = (one * other).sum(1) / (one.norm(dim=1) * other.norm(dim=1) + 1e-4)
    return (1 - r[:, 0]).mean() + 0.5 * ((1 - r[:, 1]) * real).sum() / real.sum().clamp(min=1)


def fit(clips: list[Clip], steps: int, seed: int) -> Lips:
    torch.manual_seed(seed)
    rng, network = np.random.default_rng(seed), Lips()
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        features, mouth, real = _batch(clips, rng)
        loss = _loss(network(features), mouth, real)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def _held(network: Lips, clip: Clip) -> dict[str, object]:
    """Correlations at lag 0, and the lag in frames at which sound and lips match best."""
    window = torch.from_numpy(heard(to_features(clip.power)))[None]
    with torch.no_grad():
        said = network(window)[0].numpy()
    opening, width = (correlation(clip.mouth[:, i], said[:, i]) for i in range(2))
    lag = int(by_lag(clip.mouth, said).argmax()) - MOST_LAG
    return {"held": clip.name, "opening": round(opening, 3), "width": round(width, 3), "lag": lag}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--captured", type=Path, required=True, help="folder with the FACEGOOD takes")
    parser.add_argument("--videos", type=Path, required=True, help="folder of videos with one face and its voice")
    parser.add_argument("--steps", type=int, default=1500, help="of training, about 0.07 s each")
    parser.add_argument("--folds", type=int, default=FOLD_COUNT, help="0: train only")
    given = parser.parse_args()
    torch.set_num_threads(1)
    clips = collect(given.captured, given.videos)
    real = [clip for clip in clips if clip.real]
    for fold in range(given.folds):
        held = real[fold :: given.folds]
        network = fit([clip for clip in clips if not any(clip is one for one in held)], given.steps, fold)
        for clip in held:
            typer.echo(json.dumps(_held(network, clip)))
    network = fit(clips, given.steps, 0)
    window = torch.zeros(1, 10 * HOPS_PER_FRAME + sum(MARGIN_HOPS), MELS)
    torch.onnx.export(
        network, (window,), given.out, opset_version=17, dynamo=False, input_names=["features"],
        output_names=["lips"], dynamic_axes={"features": {1: "hops"}, "lips": {1: "frames"}},
    )  # fmt: skip


if __name__ == "__main__":
    main()
