"""Trains and exports the mouth network (torch): mel power in, mouths out; see `animator.learn.speech.mouth_network`."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from animator.learn.clips.augment import augment, features
from animator.learn.clips.clips import SILENCE_POWER, Clip, load_all
from animator.learn.speech.mouth_network import CAPTURED_HEAD, SYNTHETIC_HEAD, MouthNetwork, Shipped
from animator.media.mel import MELS
from animator.motion.voice.mouth_net import CHANNELS, HIDDEN_SIZE, HOPS_PER_FRAME, LOOK_AHEAD, PAST_FRAMES, WINDOW_HOPS

SEQUENCE_FRAMES = 150  # length of a training sequence
SOURCE_SHARES = {"heart": 0.28, "kokoro": 0.3, "espeak": 0.2, "flite": 0.1, "sung": 0.12}  # of the synthetic clips
CAPTURED_SHARE = 0.4  # share of the captured head in the exported mouth
HEAD_SEQUENCES = ((SYNTHETIC_HEAD, 10), (CAPTURED_HEAD, 3))  # sequences of a batch for each head
VALIDATION_STEPS = 100  # steps between validations
JAW_AT, CLOSE_AT = CHANNELS.index("jawOpen"), CHANNELS.index("mouthClose")
HUBER_DELTA = 0.25  # of the Huber loss; a smaller one predicts medians, so that lips, seldom rounded, would never be
CHANNEL_WEIGHTS = torch.tensor(
    [{"jawOpen": 2.0, "mouthPucker": 1.5, "mouthFunnel": 1.5}.get(name, 1.0) for name in CHANNELS]
)

Scores = dict[str, dict[str, float]]  # by source
Truth = Callable[[Clip], NDArray[np.floating]]  # of a clip, (frames, channels)
Said = Callable[[int, float, float, Scores], None]  # step, share of the time, loss, scores


@dataclass(frozen=True, slots=True)
class Course:
    """How it is trained: ``rate`` is the highest learning rate, ``start`` weights (.pt) to go on from."""

    minutes: float = 35.0
    rate: float = 2e-3
    start: Path | None = None
    seed: int = 1


def train(corpus: Path, out: Path, course: Course, said: Said) -> Scores:
    """Trains on the clips in ``corpus``; writes ``out`` (ONNX) and its weights beside it (.pt); returns the scores on
    held-out clips. ``said`` is called with the progress. Raises `animator.media.files.MediaError` for a folder without
    clips.
    """
    clips = load_all(corpus)
    torch.set_num_threads(1)
    torch.manual_seed(course.seed)
    network = MouthNetwork()
    if course.start:
        network.load_state_dict(torch.load(course.start))
    told = [clip for clip in clips if not clip.held]
    held = [clip for clip in clips if clip.held]
    heads = (
        by_source([c for c in told if c.source != "captured"]),
        by_source([c for c in told if c.source == "captured"]),
    )
    random = np.random.default_rng(course.seed)
    fit(network, partial(_loss, network, heads, random), course, said, partial(validate, network, held))
    torch.save(network.state_dict(), out.with_suffix(".pt"))
    export(network, out, gains(network, [c for c in told if c.source != "captured"]))
    return validate(network, held)


def mouth_of(clip: Clip) -> NDArray[np.float16]:
    """(frames, channels): the mouth that made the clip's sound."""
    return clip.mouth


def _spoken(
    clips: dict[str, list[Clip]], random: np.random.Generator, of: Mapping[str, float], truth: Truth
) -> tuple[NDArray[np.float32], ...]:
    """Clips with pauses between them, SEQUENCE_FRAMES long; one sequence in twelve is nothing but noise."""
    shares = np.array([of.get(source, 1.0) for source in clips])
    shares /= shares.sum()
    power = np.full((SEQUENCE_FRAMES * HOPS_PER_FRAME, MELS), SILENCE_POWER, np.float32)
    told = np.zeros((SEQUENCE_FRAMES, truth(next(iter(clips.values()))[0]).shape[1]), np.float32)
    at = int(random.integers(0, 25))
    while at < SEQUENCE_FRAMES and random.random() > 0.08:
        some = clips[str(random.choice(list(clips), p=shares))]
        clip = some[int(random.integers(0, len(some)))]
        start = int(random.integers(0, max(1, len(clip.mouth) - SEQUENCE_FRAMES)))
        count = min(SEQUENCE_FRAMES - at, len(clip.mouth) - start)
        told[at : at + count] = truth(clip)[start : start + count]
        hops = slice(start * HOPS_PER_FRAME, (start + count) * HOPS_PER_FRAME)
        power[at * HOPS_PER_FRAME : (at + count) * HOPS_PER_FRAME] = clip.power[hops]
        at += count + int(random.integers(0, 35))
    return 10.0**power, told


def batch(
    clips: dict[str, list[Clip]],
    size: int,
    random: np.random.Generator,
    shares: Mapping[str, float] = SOURCE_SHARES,
    truth: Truth = mouth_of,
) -> tuple[Tensor, Tensor]:
    """Mel power (size, SEQUENCE_FRAMES * 4, MELS), and the target: the ``truth`` of every clip (size, SEQUENCE_FRAMES,
    channels). ``clips`` by source are drawn by ``shares``."""
    pairs = [_spoken(clips, random, shares, truth) for _ in range(size)]
    return torch.from_numpy(np.stack([p for p, _ in pairs])), torch.from_numpy(np.stack([m for _, m in pairs]))


def padded(heard: Tensor) -> Tensor:
    """Features, padded with the silence that the network's window needs around a sequence."""
    return torch.nn.functional.pad(heard, (0, 0, PAST_FRAMES * HOPS_PER_FRAME, LOOK_AHEAD * HOPS_PER_FRAME))


def loss_of(said: Tensor, mouth: Tensor) -> Tensor:
    """Huber loss of the weights and of their change; closures count more, being rare and visible when missed."""
    weight = CHANNEL_WEIGHTS * (1 + 2 * (mouth[..., CLOSE_AT : CLOSE_AT + 1] > 0.8))
    weight[..., CLOSE_AT] *= torch.where(said[..., CLOSE_AT] < mouth[..., CLOSE_AT], 1.5, 1.0).detach()
    place = torch.nn.functional.smooth_l1_loss(said, mouth, beta=HUBER_DELTA, reduction="none")
    change = torch.nn.functional.smooth_l1_loss(said.diff(dim=1), mouth.diff(dim=1), beta=HUBER_DELTA, reduction="none")
    return (place * weight).mean() + 0.7 * (change * CHANNEL_WEIGHTS).mean()


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-4 and b.std() > 1e-4 else float("nan")


def validate(network: MouthNetwork, clips: list[Clip]) -> dict[str, dict[str, float]]:
    """Per held-out source: correlations with the truth, gain of the lip opening, detected and false closures."""
    network.eval()
    report: dict[str, dict[str, float]] = {}
    for source in sorted({clip.source for clip in clips}):
        said, truth = [], []
        for clip in [c for c in clips if c.source == source][:60]:
            heard = padded(features(10.0 ** torch.from_numpy(clip.power.astype(np.float32)))[None])
            with torch.no_grad():
                heads = network(heard, torch.zeros(1, 1, HIDDEN_SIZE))
            said.append(heads[CAPTURED_HEAD if source == "captured" else SYNTHETIC_HEAD][0].numpy())
            truth.append(clip.mouth.astype(np.float32))
        a, b = np.concatenate(said).clip(0), np.concatenate(truth)
        lips = [x[:, JAW_AT] * (1 - x[:, CLOSE_AT].clip(0, 1)) for x in (a, b)]
        closed = b[:, CLOSE_AT] > 0.95
        report[source] = {
            "jaw": _correlation(a[:, JAW_AT], b[:, JAW_AT]),
            "lips": _correlation(*lips),
            "round": _correlation(a[:, 2] + a[:, 3], b[:, 2] + b[:, 3]),
            "gain": float(np.percentile(lips[0], 95) / np.percentile(lips[1], 95)),
            "closed": float((a[closed, CLOSE_AT] > 0.7).mean()) if closed.any() else float("nan"),
            "false_closed": float((a[b[:, CLOSE_AT] < 0.2, CLOSE_AT] > 0.7).mean()),
        }
    network.train()
    return {source: {k: round(v, 3) for k, v in row.items()} for source, row in report.items()}


def gains(network: MouthNetwork, clips: list[Clip]) -> Tensor:
    """(channels,) factors with which each channel moves as far as the truth: regression shrinks uncertain outputs."""
    said, truth = [], []
    for clip in clips[:: max(1, len(clips) // 200)]:
        heard = padded(features(10.0 ** torch.from_numpy(clip.power.astype(np.float32)))[None])
        with torch.no_grad():
            said.append(network(heard, torch.zeros(1, 1, HIDDEN_SIZE))[SYNTHETIC_HEAD][0].clamp(min=0).numpy())
        truth.append(clip.mouth.astype(np.float32))
    grow = np.concatenate(truth).std(axis=0) / (np.concatenate(said).std(axis=0) + 1e-4)
    grow[CLOSE_AT] = 1.0
    return torch.from_numpy(grow.clip(1.0, 1.7).astype(np.float32))


def export(network: MouthNetwork, path: Path, gain: Tensor) -> None:
    """Writes the one-frame network as ONNX."""
    window = torch.zeros(1, WINDOW_HOPS, MELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the older exporter, and about batches, which this network does not have
        torch.onnx.export(
            Shipped(network, CAPTURED_SHARE, gain).eval(), (window, torch.zeros(1, 1, HIDDEN_SIZE)), path,
            opset_version=17, dynamo=False, input_names=["features", "state"],
            output_names=["mouth", "next_state", "heard"],
        )  # fmt: skip


def fit(
    network: nn.Module, loss: Callable[[], Tensor], course: Course, said: Said, scores: Callable[[], Scores]
) -> None:
    """Trains for the given minutes, with the learning rate falling along a cosine. ``said`` is called with the progress
    every `VALIDATION_STEPS` steps."""
    optimizer = torch.optim.AdamW(network.parameters(), course.rate, weight_decay=1e-3)
    start, step, part, summed = time.monotonic(), 0, 0.0, 0.0
    while part < 1:
        for group in optimizer.param_groups:
            group["lr"] = course.rate * min(1, (step + 1) / 100) * max(0.02, 0.5 * (1 + np.cos(np.pi * part)))
        now = loss()
        optimizer.zero_grad()
        now.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, part = step + 1, (time.monotonic() - start) / (60 * course.minutes)
        summed += float(now.detach())
        if step % VALIDATION_STEPS == 0:
            said(step, part, summed / VALIDATION_STEPS, scores())
            summed = 0.0


def by_source(clips: list[Clip]) -> dict[str, list[Clip]]:
    """Clips by their source."""
    return _grouped(clips, lambda clip: clip.source)


def by_voice(clips: list[Clip]) -> dict[str, list[Clip]]:
    """Clips by their voice."""
    return _grouped(clips, lambda clip: clip.voice)


def _grouped(clips: list[Clip], key: Callable[[Clip], str]) -> dict[str, list[Clip]]:
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(key(clip), []).append(clip)
    return groups


def _loss(network: MouthNetwork, heads: tuple[dict[str, list[Clip]], ...], random: np.random.Generator) -> Tensor:
    total, whole = torch.zeros(()), sum(size for _, size in HEAD_SEQUENCES)
    for head, size in HEAD_SEQUENCES:
        if heads[head]:
            power, mouth = batch(heads[head], size, random)
            said = network(padded(augment(power)), torch.zeros(1, size, HIDDEN_SIZE))[head]
            total = total + loss_of(said, mouth) * (size / whole)
    return total
