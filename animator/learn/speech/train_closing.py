"""Trains and exports the closing network (`animator/motion/voice/closing.onnx`): mel power in; closed lips (p, b, m),
the lower lip at the teeth (f, v) and the raised tip of the tongue out. Its first layer has a stride of 10 ms, since a p
may last only a few such steps."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from animator.learn.clips.augment import augment, features
from animator.learn.clips.clips import Clip, load_all
from animator.learn.speech.train_mouth import Course, Said, Scores, batch, by_source, fit, padded
from animator.media.mel import MELS
from animator.motion.voice.closing import HIDDEN_SIZE, LIP_TOUCH, TEETH_TOUCH, TIP_TOUCH, TOUCH_COUNT
from animator.motion.voice.mouth_net import CHANNELS, WINDOW_HOPS

BATCH_SEQUENCES = 16  # sequences in a batch
CLOSE_AT, ROLL_AT = CHANNELS.index("mouthClose"), CHANNELS.index("mouthRollLower")
# Weights of the teacher's mouth above which the lips count as closed, or the lower lip as touching the teeth.
SHUT_CLOSE, ROLLED_WEIGHT = 0.95, 0.15
TOUCH_WEIGHT = 3.0  # weight in the loss of a touch, which is rare, beside a frame without one
TOUCH_SOURCES = ("heart", "kokoro", "espeak", "flite", "sung")  # sources that say what touches
BESIDE_WEIGHT = 0.3  # weight of frames next to a touch: lips may close a frame early or open a frame late
CALL_PROBABILITY = 0.4  # probability above which validation counts a touch


class ClosingNetwork(nn.Module):
    """Convolutions over 360 ms, the first with a stride of 10 ms; a GRU that adapts to voice and room; `TOUCH_COUNT`
    logits a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.listen = nn.Sequential(
            nn.Conv1d(MELS, 80, 5), nn.SiLU(),
            nn.Conv1d(80, 96, 4, stride=2), nn.SiLU(),
            nn.Conv1d(96, 128, 3, stride=2), nn.SiLU(),
            nn.Conv1d(128, HIDDEN_SIZE, 7), nn.SiLU(),
        )  # fmt: skip
        self.gru = nn.GRU(HIDDEN_SIZE, HIDDEN_SIZE, batch_first=True)
        self.tell = nn.Sequential(
            nn.Dropout(0.15), nn.Linear(2 * HIDDEN_SIZE, 64), nn.SiLU(), nn.Linear(64, TOUCH_COUNT)
        )

    def forward(self, heard: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 36 + 4 (frames - 1), MELS), (1, batch, HIDDEN_SIZE) -> logits (batch, frames, TOUCH_COUNT), state."""
        seen = self.listen(heard.transpose(1, 2)).transpose(1, 2)
        recalled, state = self.gru(seen, state)
        return self.tell(torch.cat([seen, recalled], dim=2)), state


class _Shipped(nn.Module):
    def __init__(self, network: ClosingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, heard: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, state = self.network(heard, state)
        return torch.sigmoid(logits), state


def train_closing(corpus: Path, out: Path, course: Course, said: Said) -> Scores:
    """As `animator.learn.speech.train_mouth.train`, for this network."""
    clips = [clip for clip in load_all(corpus) if clip.source in TOUCH_SOURCES]
    torch.set_num_threads(1)
    torch.manual_seed(course.seed)
    network = ClosingNetwork()
    if course.start:
        network.load_state_dict(torch.load(course.start))
    taught, held = by_source([clip for clip in clips if not clip.held]), [clip for clip in clips if clip.held]
    random = np.random.default_rng(course.seed)

    def loss() -> Tensor:
        power, truth = batch(taught, BATCH_SEQUENCES, random, truth=touches)
        logits = network(padded(augment(power)), torch.zeros(1, BATCH_SEQUENCES, HIDDEN_SIZE))[0]
        return loss_of(logits, truth)

    fit(network, loss, course, said, partial(validate, network, held))
    torch.save(network.state_dict(), out.with_suffix(".pt"))
    export(network, out)
    return validate(network, held)


def touches(clip: Clip) -> NDArray[np.float32]:
    """The teacher's targets for a clip, (frames, TOUCH_COUNT): 1 where the lips touch each other or the teeth, and how
    far the tip of the tongue is raised."""
    return np.stack(
        [clip.mouth[:, CLOSE_AT] > SHUT_CLOSE, clip.mouth[:, ROLL_AT] > ROLLED_WEIGHT, clip.tip], axis=1
    ).astype(np.float32)


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Weighted cross entropy: touches of the lips are rare and count more, frames next to one count less."""
    near = torch.nn.functional.max_pool1d(truth.transpose(1, 2), 3, stride=1, padding=1).transpose(1, 2)
    weight = 1 + (TOUCH_WEIGHT - 1) * truth - (1 - BESIDE_WEIGHT) * (near - truth)
    weight[..., TIP_TOUCH] = 1.0
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, truth, weight)


def validate(network: ClosingNetwork, clips: list[Clip]) -> Scores:
    """Per held-out source, for closed lips and for lips at the teeth: the share of touches that are detected within a
    frame, and the share of frames away from any touch that are taken for one; and the correlation of the tip of the
    tongue with the truth where it is raised."""
    network.eval()
    scores: Scores = {}
    for source, some in by_source(clips).items():
        pairs = [(told(network, clip), touches(clip)) for clip in some[:60]]
        tips = [np.concatenate(part)[:, TIP_TOUCH] for part in zip(*pairs, strict=True)]
        scores[source] = {"tip": float(np.corrcoef(tips[0], tips[1])[0, 1])} if tips[1].any() else {}
        for name, i in (("closed", LIP_TOUCH), ("teeth", TEETH_TOUCH)):
            counts = np.sum([_counts(said[:, i] > CALL_PROBABILITY, truth[:, i] > 0) for said, truth in pairs], axis=0)
            scores[source] |= {name: counts[0] / max(1, counts[1]), f"false_{name}": counts[2] / max(1, counts[3])}
    network.train()
    return {source: {name: round(float(value), 3) for name, value in row.items()} for source, row in scores.items()}


def told(network: ClosingNetwork, clip: Clip) -> NDArray[np.float32]:
    """(frames, TOUCH_COUNT) float32 in [0, 1]: the output for a clip without augmentation."""
    heard = padded(features(10.0 ** torch.from_numpy(clip.power.astype(np.float32)))[None])
    with torch.no_grad():
        return torch.sigmoid(network(heard, torch.zeros(1, 1, HIDDEN_SIZE))[0])[0].numpy()


def _counts(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Detected touches, touches, false detections away from any touch, and frames away from any touch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], truth, [False]])))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    found = sum(bool(said[max(0, start - 1) : end + 1].any()) for start, end in runs)
    away = ~np.convolve(truth, np.ones(3), "same").astype(bool)
    return found, len(runs), int(said[away].sum()), int(away.sum())


def export(network: ClosingNetwork, path: Path) -> None:
    """Writes the network for one frame as ONNX."""
    window = torch.zeros(1, WINDOW_HOPS, MELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the older exporter, and about batches, which this network does not have
        torch.onnx.export(
            _Shipped(network).eval(), (window, torch.zeros(1, 1, HIDDEN_SIZE)), path, opset_version=17, dynamo=False,
            input_names=["features", "state"], output_names=["touches", "next_state"],
        )  # fmt: skip
