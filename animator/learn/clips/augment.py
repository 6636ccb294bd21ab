"""Augmentation: other voices, rooms, microphones and noises, made in the mel power domain."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import torch
from torch import Tensor

from animator.media.mel import FLOOR_DB, MELS

# Random gains of the mel power of noise from frame to frame.
_FLICKER_GAINS = torch.distributions.Gamma(3.0, 3.0).sample((20_000, MELS))


def features(power: Tensor) -> Tensor:
    """(..., MELS) mel power -> log-mel features of the same shape, as `animator.media.mel.to_features` makes them."""
    return 1 - 10 * torch.log10(power.clamp(min=10 ** (FLOOR_DB / 10))) / FLOOR_DB


def _curve(batch: int, spread_db: float, tilt_db: float) -> Tensor:
    """(batch, 1, MELS) smooth random gains in dB."""
    knots = torch.randn(batch, 1, 6) * spread_db
    smooth = torch.nn.functional.interpolate(knots, MELS, mode="linear", align_corners=True)
    return smooth + torch.randn(batch, 1, 1) * tilt_db * torch.linspace(-1, 1, MELS)


def _warp(power: Tensor) -> Tensor:
    """Another vocal tract length: the mel bands of each sequence are shifted by up to 16 %."""
    batch = len(power)
    at = (torch.arange(MELS) * torch.empty(batch, 1).uniform_(0.86, 1.16)).clamp(max=MELS - 1.001)
    low = at.floor().long()[:, None, :].expand(-1, power.shape[1], -1)
    part = (at - at.floor())[:, None, :]
    return power.gather(2, low) * (1 - part) + power.gather(2, (low + 1).clamp(max=MELS - 1)) * part


def _room(power: Tensor) -> Tensor:
    """A reverberant tail on a third of the sequences."""
    batch, time, _ = power.shape
    decay = 10 ** (-6 * 0.01 / torch.empty(batch, 1).uniform_(0.15, 0.7))
    level = torch.empty(batch, 1).uniform_(0.01, 0.12) * (torch.rand(batch, 1) < 0.33)
    tail = level * decay ** torch.arange(1, 41)
    kernel = torch.cat([tail.flip(1), torch.ones(batch, 1)], dim=1)[:, None, :]
    bands = torch.nn.functional.pad(power.permute(2, 0, 1), (40, 0))
    return torch.nn.functional.conv1d(bands, kernel, groups=batch).permute(1, 2, 0)[:, :time]


def _noise(batch: int, time: int) -> Tensor:
    """(batch, time, MELS) mel power of steady coloured noise, in some sequences with mains hum."""
    level = torch.empty(batch, 1, 1).uniform_(-85, -38)
    colour = level + _curve(batch, 4, 10)
    flicker = torch.stack(
        [_FLICKER_GAINS[i : i + time] for i in torch.randint(0, len(_FLICKER_GAINS) - time, (batch,)).tolist()]
    )
    hum = torch.zeros(batch, 1, MELS)
    rows = torch.nonzero(torch.rand(batch) < 0.15).flatten()
    hum[rows[:, None], 0, torch.randint(0, 20, (len(rows), 4))] = 10 ** torch.empty(len(rows), 4).uniform_(-5.5, -3.0)
    return 10 ** (colour / 10) * flicker * (torch.rand(batch, 1, 1) < 0.7) + hum


def augment(power: Tensor) -> Tensor:
    """(batch, time, MELS) float32 mel power of clean speech -> log-mel features of the same shape: with another vocal
    tract length, room, gain, microphone and noise for each sequence, drawn from torch's random numbers."""
    batch, time, _ = power.shape
    changed = _room(_warp(power))
    gain = torch.randn(batch, 1, 1) * 6 - 1 + _curve(batch, 2.5, 4)
    narrow = torch.zeros(batch, 1, MELS)
    telephone = torch.rand(batch) < 0.12
    narrow[telephone, :, :10] = -40.0
    narrow[telephone, :, 46:] = -40.0
    return features(changed * 10 ** (gain / 10) * 10 ** (narrow / 10) + _noise(batch, time))
