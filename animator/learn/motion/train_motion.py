"""Trains the motion network: resumable, on CPUs and one or more GPUs (``accelerate launch``)."""

# torch and accelerate are an extra, and their types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from animator.learn.motion.batches import Batch, Batches, Scale, scale_of
from animator.learn.motion.config import ConfigError, Training
from animator.learn.motion.listen import Heard
from animator.learn.motion.network import MotionNetwork
from animator.learn.motion.weights import load, save, to_onnx
from animator.media.files import MediaError
from animator.motion.behaviour.channels import BLINK_AT, CHANNELS, GAZE_AT, HEAD_AT, MOUTH_AT, UPPER_AT
from animator.motion.voice.mouth_net import CHANNELS as MOUTH

CHANNEL_GROUPS = {"mouth": MOUTH_AT, "upper": UPPER_AT, "blink": BLINK_AT, "head": HEAD_AT, "gaze": GAZE_AT}
WEIGHTS_FILE, GRAPH_FILE = "motion.safetensors", "motion.onnx"
Figures = dict[str, float]
Tell = Callable[[float], None]  # share of the run that is done, 0 to 1

_CLOSE_AT, _JAW_AT = MOUTH.index("mouthClose"), MOUTH.index("jawOpen")
_CHANNEL_WEIGHTS = np.ones(len(CHANNELS), np.float32)
_CHANNEL_WEIGHTS[MOUTH_AT] = 4.0
_CHANNEL_WEIGHTS[UPPER_AT] = 0.5
_CHANNEL_WEIGHTS[BLINK_AT] = 4.0  # it is a single channel, and rarely moves
_CLOSURE_WEIGHT = 2.0  # additional weight of closed lips: they are rare, and a missed one is visible
_FIRST_WEIGHT = 0.05  # additional weight of the frame that is output next, beside the loss of all frames
_VALIDATION_BATCHES = 12  # batches for validation


@dataclass
class Progress:
    """How far a run has come; saved in its checkpoints."""

    step: int = 0
    seconds: float = 0.0

    def part(self, given: Training) -> float:
        """The share of the run that is done, 0 to 1."""
        by_time = self.seconds / (60 * given.minutes) if given.minutes else 0.0
        return min(1.0, max(self.step / given.steps, by_time))

    def state_dict(self) -> dict[str, float]:
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.step, self.seconds = int(state["step"]), state["seconds"]


class Run:
    """One training run in a folder: ``checkpoint/`` to resume from, ``curves.csv``, and at its end `WEIGHTS_FILE` and
    `GRAPH_FILE`."""

    def __init__(self, given: Training, clips: list[Heard]) -> None:
        """Resumes from the folder's checkpoint, if it has one.

        Raises `MediaError` if no clip is for training, and `ConfigError` for weights of another architecture.
        """
        torch.set_num_threads(given.threads)
        set_seed(given.seed)
        given.out.mkdir(parents=True, exist_ok=True)
        self.given, self.progress = given, Progress()
        self._accelerator = Accelerator(mixed_precision=given.precision)
        taught = [clip for clip in clips if not clip.held]
        if not taught:
            raise MediaError(f"{given.shards} holds clips for validation only. Add some to learn from.")
        self.scale = scale_of(taught, given.architecture.window)
        network = self._begin()
        self._average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(given.average))
        optimizer = torch.optim.AdamW(network.parameters(), given.rate, betas=(0.9, 0.98), weight_decay=0.01)
        self._network, self._optimizer = self._accelerator.prepare(network, optimizer)
        self._average.to(self._accelerator.device)
        self._accelerator.register_for_checkpointing(self.progress, self._average)
        self._batches = Batches(taught, given, self.scale, given.seed + 97 * self._accelerator.process_index)
        self._held = [clip for clip in clips if clip.held]
        if self._checkpoint.is_dir():
            self._accelerator.load_state(str(self._checkpoint))

    def _begin(self) -> MotionNetwork:
        if self.given.start:
            network = load(self.given.start).train()
            if network.shape != self.given.architecture:
                raise ConfigError(
                    f"{self.given.start} has the architecture {network.shape}, and the run {self.given.architecture}. "
                    "Give weights of the same, or no start."
                )
            self.scale = Scale(network.mean.numpy(), network.spread.numpy(), network.reach.numpy())
            return network
        network = MotionNetwork(self.given.architecture)
        for name in ("mean", "spread", "reach"):
            getattr(network, name).copy_(torch.from_numpy(getattr(self.scale, name)))
        return network

    @property
    def _checkpoint(self) -> Path:
        return self.given.out / "checkpoint"

    def __call__(self, tell: Tell) -> Figures:
        """Trains to the end of the run, and returns the last validation. A KeyboardInterrupt leaves a checkpoint."""
        figures: Figures = {}
        try:
            while self.progress.part(self.given) < 1:
                began = time.monotonic()
                loss = self._step()
                self.progress.step += 1
                self.progress.seconds += time.monotonic() - began
                last = self.progress.part(self.given) >= 1
                if self.progress.step % self.given.validate_every == 0 or last:
                    figures = self._validate() | {"loss": loss}
                    self._record(figures)
                    self.save()
                tell(self.progress.part(self.given))
        except KeyboardInterrupt:
            self.save()
            raise
        if self._accelerator.is_main_process:
            save(self._average.module.cpu().eval(), self.given.out / WEIGHTS_FILE)
            to_onnx(load(self.given.out / WEIGHTS_FILE), self.given.out / GRAPH_FILE)
        return figures

    def save(self) -> None:
        """Writes the checkpoint."""
        self._accelerator.save_state(str(self._checkpoint))

    def _step(self) -> float:
        part = self.progress.part(self.given)
        warm = min(1.0, (self.progress.step + 1) / self.given.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = self.given.rate * warm * max(0.02, 0.5 * (1 + math.cos(math.pi * part)))
        batch = _to(self._batches(self.given.batch, self.given.dropout), self._accelerator.device)
        with self._accelerator.autocast():
            said = self._network(batch.past, batch.past_conditions, batch.windows)
        loss = loss_of(said.float(), batch)
        self._optimizer.zero_grad()
        self._accelerator.backward(loss)
        self._accelerator.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimizer.step()
        self._average.update_parameters(self._accelerator.unwrap_model(self._network))
        return float(loss.detach())

    @torch.no_grad()
    def _validate(self) -> Figures:
        """On the held-out clips, always in the same batches: the error of the frame that is output, by group of
        channels, in units of the change from frame to frame (predicting no motion would give 1), and the correlation of
        the jaw.
        """
        if not self._held:
            return {}
        batches = Batches(self._held, self.given, self.scale, 0)
        errors: list[Tensor] = []
        jaws: list[Tensor] = []
        for _ in range(_VALIDATION_BATCHES):
            batch = _to(batches(self.given.batch, None), self._accelerator.device)
            said = self._average.module(batch.past, batch.past_conditions, batch.windows)[:, :, 0]
            known = batch.known[:, None]
            errors.append((said - batch.clean[:, :, 0]).square() * known / known.mean(0).clamp(min=1e-6))
            told = batch.mouth[:, :, 0, _JAW_AT]
            jaws.append(torch.stack([(x[..., _JAW_AT] + told).flatten() for x in (said, batch.clean[:, :, 0])]))
        error = torch.cat(errors).mean(dim=(0, 1)).sqrt()
        figures = {name: float(error[part].mean()) for name, part in CHANNEL_GROUPS.items()}
        return figures | {"jaw_r": float(torch.corrcoef(torch.cat(jaws, 1))[0, 1])}

    def _record(self, figures: Figures) -> None:
        if not self._accelerator.is_main_process:
            return
        path = self.given.out / "curves.csv"
        new = not path.is_file()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["step", "seconds", *figures])
            writer.writerow([self.progress.step, round(self.progress.seconds), *(f"{v:.5f}" for v in figures.values())])


def loss_of(said: Tensor, batch: Batch) -> Tensor:
    """The mean squared error of the windows over the known channels. Nearly clean frames weigh more, and the frame that
    is output weighs most, since only its mouth is used; closed lips weigh more, too."""
    weight = torch.from_numpy(_CHANNEL_WEIGHTS).to(said.device) * batch.known[:, None, None]
    closed = (batch.clean[..., _CLOSE_AT] + batch.mouth[..., _CLOSE_AT] > 1.0).float()
    error = (said - batch.clean).square() * weight
    error[..., _CLOSE_AT] *= 1 + _CLOSURE_WEIGHT * closed
    error[:, :, 1:, MOUTH_AT] *= 0
    levels = (0.2 + batch.windows.levels.square())[..., None]
    return (error * levels).mean() + _FIRST_WEIGHT * error[:, :, 0].mean()


def _to(batch: Any, device: torch.device) -> Any:
    """A (nested) tuple of tensors on ``device``."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    return type(batch)(*(_to(part, device) for part in batch))
