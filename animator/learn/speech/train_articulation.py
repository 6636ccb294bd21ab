"""Trains and exports the articulation network (`animator/motion/voice/articulation.onnx`): mel power in, the shapes of
speech (blendshape weights) out, as far as people's go. Film shows how real lips move; synthetic speech adds voices."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from animator.learn.clips.augment import augment, features
from animator.learn.clips.clips import Clip, load_all
from animator.learn.speech.mouth_network import listener
from animator.learn.speech.train_mouth import Course, Said, Scores, batch, by_source, by_voice, fit, padded
from animator.media.files import MediaError
from animator.media.mel import MELS
from animator.motion.voice.articulation import SHAPE_COLUMNS, SHAPES
from animator.motion.voice.mouth_net import HIDDEN_SIZE, WINDOW_HOPS
from animator.units import FPS

FILM_SEQUENCES, TAUGHT_SEQUENCES = 6, 10  # sequences of a batch
FILM_LOSS_SHARE = 0.4  # share of film in the loss
HUBER_DELTA = 0.1  # of the Huber loss
CHANGE_WEIGHT = 0.7  # weight of the error of the change beside that of the value
LEAST_SPREAD = 0.03  # added to a shape's spread, by which its errors are divided: some hardly move
REST_PERCENTILE = 15  # percentile of the output on held-out film that counts as a shape at rest
CONVERSATION_GAIN = 1.3  # film has read sentences; in conversation lips open that much further (p95 .21, not .16)
AHEAD_S = 0.025  # s by which the teacher's mouths precede those on film
LARGEST_GAIN = 3.0  # largest factor by which a shape is scaled to the range that it has on film


class ArticulationNetwork(nn.Module):
    """The layers of `MouthNetwork`, from whose weights it starts, and a head of two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.listen = listener()
        self.gru = nn.GRU(HIDDEN_SIZE, HIDDEN_SIZE, batch_first=True)
        self.tell = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(2 * HIDDEN_SIZE, 96), nn.SiLU(), nn.Dropout(0.1), nn.Linear(96, len(SHAPES))
        )

    def forward(self, heard: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 36 + 4 (frames - 1), MELS), (1, batch, HIDDEN_SIZE) -> (batch, frames, len(SHAPES)), the state."""
        seen = self.listen(heard.transpose(1, 2)).transpose(1, 2)
        recalled, state = self.gru(seen, state)
        return self.tell(torch.cat([seen, recalled], dim=2)), state


class _Shipped(nn.Module):
    """The exported graph, for one frame of one stream: each shape is scaled to its full range."""

    def __init__(self, network: ArticulationNetwork, rest: Tensor, gain: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("rest", rest)
        self.register_buffer("gain", gain)

    def forward(self, heard: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        said, state = self.network(heard, state)
        return (said - self.rest) * self.gain, state


def train_articulation(corpus: Path, out: Path, course: Course, said: Said) -> Scores:
    """As `animator.learn.speech.train_mouth.train`, for this network; ``course.start`` are weights of a mouth network.

    Raises `MediaError` for a corpus without film.
    """
    clips = [clip for clip in load_all(corpus) if clip.source != "captured"]
    film, taught = ([c for c in clips if (c.source == "film") == filmed] for filmed in (True, False))
    if not film or not taught:
        raise MediaError(f"{corpus} must hold film and synthesized speech. Make them with: animator data speech --film")
    torch.set_num_threads(1)
    torch.manual_seed(course.seed)
    network = ArticulationNetwork()
    if course.start:
        network.load_state_dict(torch.load(course.start), strict=False)
    random, held = np.random.default_rng(course.seed), [clip for clip in clips if clip.held]
    speakers = by_voice([clip for clip in film if not clip.held])
    shares = {name: len(some) ** 0.5 for name, some in speakers.items()}
    sources = by_source([later(clip) for clip in taught if not clip.held])
    spread = np.concatenate([clip.mouth[:, SHAPE_COLUMNS] for some in speakers.values() for clip in some]).std(axis=0)
    weight = torch.from_numpy(1 / (spread.astype(np.float32) + LEAST_SPREAD))
    weight /= weight.mean()

    def loss() -> Tensor:
        (power, mouth), (other, rule) = (
            batch(speakers, FILM_SEQUENCES, random, shares),
            batch(sources, TAUGHT_SEQUENCES, random),
        )
        heard = padded(augment(torch.cat([power, other])))
        told = network(heard, torch.zeros(1, FILM_SEQUENCES + TAUGHT_SEQUENCES, HIDDEN_SIZE))[0]
        filmed = loss_of(told[:FILM_SEQUENCES], mouth[..., SHAPE_COLUMNS], weight)
        return FILM_LOSS_SHARE * filmed + (1 - FILM_LOSS_SHARE) * loss_of(
            told[FILM_SEQUENCES:], rule[..., SHAPE_COLUMNS], weight
        )

    fit(network, loss, course, said, partial(validate, network, held))
    torch.save(network.state_dict(), out.with_suffix(".pt"))
    export(network, out, *sizes(network, film))
    return validate(network, held)


def later(clip: Clip) -> Clip:
    """The teacher's mouth, delayed by `AHEAD_S`, as on film."""
    mouth = clip.mouth.astype(np.float32)
    before = np.concatenate([mouth[:1], mouth[:-1]])
    share = AHEAD_S * FPS
    return replace(clip, mouth=((1 - share) * mouth + share * before).astype(np.float16))


def loss_of(said: Tensor, mouth: Tensor, weight: Tensor) -> Tensor:
    """Huber loss of the shapes and of their change from frame to frame."""
    place = torch.nn.functional.smooth_l1_loss(said, mouth, beta=HUBER_DELTA, reduction="none")
    change = torch.nn.functional.smooth_l1_loss(said.diff(dim=1), mouth.diff(dim=1), beta=HUBER_DELTA, reduction="none")
    return (place * weight).mean() + CHANGE_WEIGHT * (change * weight).mean()


def validate(network: ArticulationNetwork, clips: list[Clip]) -> Scores:
    """Per held-out source, the correlation of each shape with the truth, mean over clips in which it moves."""
    network.eval()
    scores: Scores = {}
    for source, some in by_source(clips).items():
        pairs = [(told(network, clip), clip.mouth[:, SHAPE_COLUMNS].astype(np.float32)) for clip in some[:60]]
        scores[source] = {name: _correlation(pairs, i) for i, name in enumerate(SHAPES)}
    network.train()
    return scores


def told(network: ArticulationNetwork, clip: Clip) -> NDArray[np.float32]:
    """(frames, len(SHAPES)) float32: the output for a clip without augmentation."""
    heard = padded(features(10.0 ** torch.from_numpy(clip.power.astype(np.float32)))[None])
    with torch.no_grad():
        return network(heard, torch.zeros(1, 1, HIDDEN_SIZE))[0][0].numpy()


def sizes(network: ArticulationNetwork, film: list[Clip]) -> tuple[Tensor, Tensor]:
    """For each shape, (len(SHAPES),) each: its value at rest, and the gain with which it moves as far as people's.

    Regression shrinks uncertain outputs, more so for unseen voices: the gain is the mean of what training speakers and
    held-out speakers need. Spreads are measured within clips, since the neutral face differs from clip to clip.
    """
    network.eval()
    pairs = [(told(network, clip), clip.mouth[:, SHAPE_COLUMNS].astype(np.float32), clip.held) for clip in film]
    network.train()
    gains: list[NDArray[np.float32]] = []
    for group in ([one for one in pairs if not one[2]], [one for one in pairs if one[2]]):
        said = np.sqrt(np.mean([np.var(said, axis=0) for said, _, _ in group], axis=0))
        true = np.sqrt(np.mean([np.var(true, axis=0) for _, true, _ in group], axis=0))
        gains.append(true / (said + 1e-4))
    gain = CONVERSATION_GAIN * np.mean(gains, axis=0).clip(1.0, LARGEST_GAIN)
    rest = np.percentile(np.concatenate([said for said, _, held in pairs if held]), REST_PERCENTILE, axis=0)
    return torch.from_numpy(rest.astype(np.float32)), torch.from_numpy(gain.astype(np.float32))


def export(network: ArticulationNetwork, path: Path, rest: Tensor, gain: Tensor) -> None:
    """Writes the network for one frame as ONNX."""
    window = torch.zeros(1, WINDOW_HOPS, MELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the older exporter, and about batches, which this network does not have
        torch.onnx.export(
            _Shipped(network, rest, gain).eval(), (window, torch.zeros(1, 1, HIDDEN_SIZE)), path, opset_version=17,
            dynamo=False, input_names=["features", "state"], output_names=["shapes", "next_state"],
        )  # fmt: skip


def _correlation(pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]], shape: int) -> float:
    moving = [(said[:, shape], true[:, shape]) for said, true in pairs if true[:, shape].std() > LEAST_SPREAD / 10]
    return round(float(np.mean([np.corrcoef(*pair)[0, 1] for pair in moving])), 3) if moving else float("nan")
