"""Trains and exports the mouth network: ``python -m animator.learn.speech.train CORPUS OUT.onnx --minutes 35``.

Prints validation every few hundred steps and ends with one JSON line.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from animator.audio import MELS
from animator.learn.speech.augment import augment, features
from animator.learn.speech.encoder import CAPTURED, SYNTHETIC, MouthNetwork, Shipped
from animator.motion.mouth import CHANNELS, HIDDEN, HOPS_PER_FRAME, LOOK_AHEAD, PAST

FRAMES = 150  # of a training sequence
SHARES = {"heart": 0.4, "kokoro": 0.2, "espeak": 0.22, "flite": 0.18}  # of the synthetic clips
JAW, CLOSE = CHANNELS.index("jawOpen"), CHANNELS.index("mouthClose")
SILENCE = 1e-10
BEND = 0.25  # of the Huber loss; a smaller one gives medians, and lips that are seldom round would never be
WEIGHT = torch.tensor([{"jawOpen": 2.0, "mouthPucker": 1.5, "mouthFunnel": 1.5}.get(name, 1.0) for name in CHANNELS])


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of the corpus: mel power in log10, (frames * 4, MELS), and the mouth, (frames, channels)."""

    source: str
    held: bool
    power: NDArray[np.float16]
    mouth: NDArray[np.float16]


def load(folder: Path) -> list[Clip]:
    clips: list[Clip] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as data:
            clips.append(Clip(path.stem.split("-")[0], bool(data["held"]), data["power"], data["mouth"]))
    return clips


def _spoken(clips: dict[str, list[Clip]], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Clips and pauses up to FRAMES; one sequence in twelve is only noise."""
    shares = np.array([SHARES.get(source, 1.0) for source in clips])
    shares /= shares.sum()
    power = np.full((FRAMES * HOPS_PER_FRAME, MELS), SILENCE, np.float32)
    mouth = np.zeros((FRAMES, len(CHANNELS)), np.float32)
    at = int(rng.integers(0, 25))
    while at < FRAMES and rng.random() > 0.08:
        some = clips[str(rng.choice(list(clips), p=shares))]
        clip = some[rng.integers(0, len(some))]
        start = int(rng.integers(0, max(1, len(clip.mouth) - FRAMES))) if clip.source == "captured" else 0
        count = min(FRAMES - at, len(clip.mouth) - start)
        mouth[at : at + count] = clip.mouth[start : start + count]
        columns = slice(start * HOPS_PER_FRAME, (start + count) * HOPS_PER_FRAME)
        power[at * HOPS_PER_FRAME : (at + count) * HOPS_PER_FRAME] = 10.0 ** clip.power[columns].astype(np.float32)
        at += count + int(rng.integers(0, 35))
    return power, mouth


def batch(clips: dict[str, list[Clip]], size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mel power (size, FRAMES * 4, MELS) and mouths (size, FRAMES, channels)."""
    pairs = [_spoken(clips, rng) for _ in range(size)]
    return torch.from_numpy(np.stack([p for p, _ in pairs])), torch.from_numpy(np.stack([m for _, m in pairs]))


def padded(heard: Tensor) -> Tensor:
    """Features with the silence around a sequence that the network's window needs."""
    return torch.nn.functional.pad(heard, (0, 0, PAST * HOPS_PER_FRAME, LOOK_AHEAD * HOPS_PER_FRAME))


def loss_of(said: Tensor, mouth: Tensor) -> Tensor:
    """Huber on weights and on their change; closures count more, since they are seldom and a missed one is seen."""
    weight = WEIGHT * (1 + 2 * (mouth[..., CLOSE : CLOSE + 1] > 0.8))
    weight[..., CLOSE] *= torch.where(said[..., CLOSE] < mouth[..., CLOSE], 1.5, 1.0).detach()
    place = torch.nn.functional.smooth_l1_loss(said, mouth, beta=BEND, reduction="none")
    change = torch.nn.functional.smooth_l1_loss(said.diff(dim=1), mouth.diff(dim=1), beta=BEND, reduction="none")
    return (place * weight).mean() + 0.7 * (change * WEIGHT).mean()


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-4 and b.std() > 1e-4 else float("nan")


def validate(network: MouthNetwork, clips: list[Clip]) -> dict[str, dict[str, float]]:
    """Per held-out source: correlations with the truth, gain of the lip opening, closures found and made up."""
    network.eval()
    report: dict[str, dict[str, float]] = {}
    for source in sorted({clip.source for clip in clips}):
        said, truth = [], []
        for clip in [c for c in clips if c.source == source][:60]:
            heard = padded(features(10.0 ** torch.from_numpy(clip.power.astype(np.float32)))[None])
            with torch.no_grad():
                heads = network(heard, torch.zeros(1, 1, HIDDEN))
            said.append(heads[CAPTURED if source == "captured" else SYNTHETIC][0].numpy())
            truth.append(clip.mouth.astype(np.float32))
        a, b = np.concatenate(said).clip(0), np.concatenate(truth)
        lips = [x[:, JAW] * (1 - x[:, CLOSE].clip(0, 1)) for x in (a, b)]
        closed = b[:, CLOSE] > 0.95
        report[source] = {
            "jaw": _correlation(a[:, JAW], b[:, JAW]),
            "lips": _correlation(*lips),
            "round": _correlation(a[:, 2] + a[:, 3], b[:, 2] + b[:, 3]),
            "gain": float(np.percentile(lips[0], 95) / np.percentile(lips[1], 95)),
            "closed": float((a[closed, CLOSE] > 0.7).mean()) if closed.any() else float("nan"),
            "false_closed": float((a[b[:, CLOSE] < 0.2, CLOSE] > 0.7).mean()),
        }
    network.train()
    return {source: {k: round(v, 3) for k, v in row.items()} for source, row in report.items()}


def gains(network: MouthNetwork, clips: list[Clip]) -> Tensor:
    """(channels,) by which each must grow to move as much as the truth: regression shrinks what is uncertain."""
    said, truth = [], []
    for clip in clips[:: max(1, len(clips) // 200)]:
        heard = padded(features(10.0 ** torch.from_numpy(clip.power.astype(np.float32)))[None])
        with torch.no_grad():
            said.append(network(heard, torch.zeros(1, 1, HIDDEN))[SYNTHETIC][0].clamp(min=0).numpy())
        truth.append(clip.mouth.astype(np.float32))
    grow = np.concatenate(truth).std(axis=0) / (np.concatenate(said).std(axis=0) + 1e-4)
    grow[CLOSE] = 1.0
    return torch.from_numpy(grow.clip(1.0, 1.7).astype(np.float32))


def export(network: MouthNetwork, path: Path, captured: float, gain: Tensor) -> None:
    """Writes the one-frame network as ONNX."""
    window = torch.zeros(1, (PAST + 1 + LOOK_AHEAD) * HOPS_PER_FRAME, network.listen[0].in_channels)
    torch.onnx.export(
        Shipped(network, captured, gain).eval(), (window, torch.zeros(1, 1, HIDDEN)), path, opset_version=17,
        dynamo=False, input_names=["features", "state"], output_names=["mouth", "next_state", "heard"],
    )  # fmt: skip


def fit(network: MouthNetwork, clips: list[Clip], given: argparse.Namespace) -> int:
    """Trains until the minutes are over, learning rate by cosine over time; returns the steps made."""
    rng = np.random.default_rng(given.seed)
    sources = {c.source: [o for o in clips if o.source == c.source and not o.held] for c in clips}
    captured = {source: some for source, some in sources.items() if source == "captured"}
    synthetic = {source: some for source, some in sources.items() if source != "captured"}
    held = [c for c in clips if c.held]
    optimizer = torch.optim.AdamW(network.parameters(), given.rate, weight_decay=1e-3)
    start, step, part, shown = time.monotonic(), 0, 0.0, 0.0
    while part < 1:
        for group in optimizer.param_groups:
            group["lr"] = given.rate * min(1, (step + 1) / 100) * max(0.02, 0.5 * (1 + np.cos(np.pi * part)))
        total = torch.zeros(())
        for head, some, size in ((SYNTHETIC, synthetic, 10), (CAPTURED, captured, 3)):
            if some:
                power, mouth = batch(some, size, rng)
                said = network(padded(augment(power)), torch.zeros(1, size, HIDDEN))[head]
                total = total + loss_of(said, mouth) * (size / 13)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, part = step + 1, (time.monotonic() - start) / (60 * given.minutes)
        shown += float(total.detach())
        if step % 200 == 0:
            print(step, f"{part:.2f} loss {shown / 200:.5f}", json.dumps(validate(network, held)), flush=True)
            torch.save(network.state_dict(), given.out.with_suffix(".pt"))
            shown = 0.0
    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--start", type=Path, help="weights (.pt) to go on from")
    parser.add_argument("--captured-share", type=float, default=0.4, help="of the captured head in what is exported")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    network = MouthNetwork()
    if given.start:
        network.load_state_dict(torch.load(given.start))
    clips = load(given.corpus)
    steps = fit(network, clips, given)
    torch.save(network.state_dict(), given.out.with_suffix(".pt"))
    gain = gains(network, [c for c in clips if c.source != "captured" and not c.held])
    export(network, given.out, given.captured_share, gain)
    print("gains", dict(zip(CHANNELS, gain.numpy().round(2).tolist(), strict=True)))
    frames = sum(len(c.mouth) for c in clips if not c.held)
    print(
        json.dumps({"steps": steps, "hours": frames / 90000, "held": validate(network, [c for c in clips if c.held])})
    )


if __name__ == "__main__":
    main()
