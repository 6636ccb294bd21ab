"""The motion network: a transformer over time that denoises a rolling window of motion (torch).

VASA-1's generator (Xu et al. 2024, sections 3.2 and A) on an explicit motion space: all channels together, x0
prediction, conditions that can each be left out. Two things differ, so that one CPU core keeps up with a stream:

- The window rolls (Ruhe et al. 2024, *Rolling Diffusion Models*): its first frame is nearly clean, its last one noise.
  Each call denoises every frame of the window by one level; the first is then clean and is output. A frame is thus
  denoised in as many calls as the window has frames, jointly with its neighbours, and there is no seam between windows.
  The network denoises the change since the last clean frame, in units of its usual size: a head hardly moves in 40 ms,
  and with noise as large as all of its motion, the last call could only draw the mean.
- The clean frames of the past are tokens with causal attention, so that their keys and values are kept between calls.
"""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from animator.learn.motion.config import Architecture
from animator.motion.behaviour import conditions
from animator.motion.behaviour.channels import CHANNELS


class Cache(NamedTuple):
    """Keys (rotated) and values of the past, (layers, 1, past - 1, width) each, and which hold a frame, (past - 1,)."""

    keys: Tensor
    values: Tensor
    filled: Tensor


class Block(nn.Module):
    """Attention and feed-forward, scaled and shifted by the noise level (adaLN, one table for all layers: PixArt)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
        self.table = nn.Parameter(torch.zeros(6, width))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.feed[2].weight)

    def project(self, x: Tensor, level: Tensor, turn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, n, width) -> queries, keys (both rotated) and values."""
        scale, shift = self._modulation(level, 0)
        q, k, v = self.qkv(self.norms[0](x) * (1 + scale) + shift).chunk(3, dim=-1)
        return rotate(q, turn, self.heads), rotate(k, turn, self.heads), v

    def finish(self, x: Tensor, level: Tensor, attended: Tensor) -> Tensor:
        """``x`` plus the output of attention and of the feed-forward layers."""
        x = x + (1 + self._modulation(level, 4)[0]) * self.out(attended)
        scale, shift = self._modulation(level, 2)
        return x + (1 + self._modulation(level, 4)[1]) * self.feed(self.norms[1](x) * (1 + scale) + shift)

    def _modulation(self, level: Tensor, at: int) -> tuple[Tensor, Tensor]:
        return level[..., at, :] + self.table[at], level[..., at + 1, :] + self.table[at + 1]


class MotionNetwork(nn.Module):
    """The clean motion so far, its conditions, and a window of noisy changes -> the clean window.

    Motion is in units of each channel's standard deviation around its mean; a window's frames are changes since the
    last clean frame, in units of ``reach`` (window, channels), the usual size of such changes. ``mean``, ``spread`` and
    ``reach`` are buffers of the module.
    """

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.shape = shape
        width, channels = shape.width, len(CHANNELS)
        self.motion = nn.Linear(channels, width)
        self.condition = nn.Sequential(nn.Linear(conditions.SIZE, width), nn.SiLU(), nn.Linear(width, width))
        self.place = nn.Parameter(torch.zeros(shape.window + 1, width))  # of the past; in the window
        self.level = nn.Sequential(nn.Linear(LEVEL_BANDS, width), nn.SiLU(), nn.Linear(width, 6 * width))
        self.blocks = nn.ModuleList(Block(width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, channels)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("spread", torch.ones(channels))
        self.register_buffer("reach", torch.ones(shape.window, channels))
        nn.init.zeros_(self.head.weight)

    def forward(self, past: Tensor, past_conditions: Tensor, windows: "Windows") -> Tensor:
        """Used in training: a sequence of clean motion, and windows that start at some of its frames.

        ``past`` (batch, time, channels), ``past_conditions`` (batch, time, conditions.SIZE) -> (batch, windows, window,
        channels), every window without noise.
        """
        batch, time, _ = past.shape
        count, window = windows.noisy.shape[1:3]
        x = torch.cat([
            self._past(past, past_conditions),
            self._window(windows.noisy, windows.conditions).reshape(batch, count * window, -1),
        ], dim=1)  # fmt: skip
        level = self._level(torch.cat([torch.ones(batch, time, device=x.device), windows.levels.flatten(1)], dim=1))
        at = windows.starts[:, :, None] + torch.arange(window, device=x.device)
        place = torch.cat([torch.arange(time, device=x.device).expand(batch, -1), at.flatten(1)], dim=1)
        turn, mask = turns(place, self.shape.width // self.shape.heads), self._mask(windows, time)
        for block in self.blocks:
            q, k, v = block.project(x, level, turn)
            x = block.finish(x, level, attend(q, k, v, self.shape.heads, mask))
        return self.head(self.norm(x[:, time:])).reshape(batch, count, window, -1)

    def step(
        self, frames: Tensor, told: Tensor, levels: Tensor, cache: Cache, turn: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One call of a stream: the last clean frame, followed by the window, in variants of its conditions.

        ``frames`` (variants, 1 + window, channels), ``told`` (variants, 1 + window, conditions.SIZE), ``levels`` (1 +
        window,), ``turn`` (1 + window, width / heads), see `turns` -> the clean window (variants, window, channels),
        and keys and values of the last clean frame, (layers, 1, width).
        """
        window = self._window(frames[:, None, 1:], told[:, None, 1:])[:, 0]
        x = torch.cat([self._past(frames[:, :1], told[:, :1]), window], 1)
        variants, count, _ = x.shape
        level, mask = self._level(levels[None]), self._step_mask(cache.filled, count)
        keys, values = [], []
        for number, block in enumerate(self.blocks):
            q, k, v = block.project(x, level, turn[None])
            keys.append(k[:1, 0])
            values.append(v[:1, 0])
            seen = (torch.cat([old[number].expand(variants, -1, -1), new], 1) for old, new in
                    ((cache.keys, k), (cache.values, v)))  # fmt: skip
            x = block.finish(x, level, attend(q, *seen, self.shape.heads, mask))
        return self.head(self.norm(x[:, 1:])), torch.stack(keys), torch.stack(values)

    def _step_mask(self, filled: Tensor, count: int) -> Tensor:
        """The first frame attends to the cache and itself, the others to everything."""
        kept = filled.expand(count, -1)
        ahead = torch.ones(count, count, device=filled.device)
        ahead = torch.cat([torch.cat([ahead[:1, :1], 0 * ahead[:1, 1:]], 1), ahead[1:]], 0)
        return torch.cat([kept, ahead], dim=1)[None, None] > 0

    def _past(self, motion: Tensor, condition: Tensor) -> Tensor:
        return self.motion(motion) + self.condition(condition) + self.place[0]

    def _window(self, noisy: Tensor, condition: Tensor) -> Tensor:
        return self.motion(noisy) + self.condition(condition) + self.place[1:]

    def _level(self, levels: Tensor) -> Tensor:
        """(...,) in [0, 1], 1 is clean -> (..., 6, width)."""
        bands = 2 ** torch.arange(LEVEL_BANDS // 2, device=levels.device) * (math.pi / 2)
        waves = levels[..., None] * bands
        return self.level(torch.cat([waves.sin(), waves.cos()], dim=-1)).unflatten(-1, (6, -1))

    def _mask(self, windows: "Windows", time: int) -> Tensor:
        """(batch, 1, tokens, tokens): a past frame attends to the recent past, a window to the recent past and
        itself."""
        batch, count = windows.starts.shape
        frames = torch.arange(time, device=windows.starts.device)
        back = frames[:, None] - frames[None]
        past = ((back >= 0) & (back < self.shape.past)).expand(batch, -1, -1)
        ahead = windows.starts[:, :, None] - frames
        seen = (ahead > 0) & (ahead <= self.shape.past) & windows.remembered[:, :, None]
        seen = seen.repeat_interleave(self.shape.window, dim=1)
        own = torch.arange(count, device=frames.device).repeat_interleave(self.shape.window)
        own = (own[:, None] == own[None]).expand(batch, -1, -1)
        blind = torch.zeros(batch, time, len(own[0]), dtype=torch.bool, device=frames.device)
        return torch.cat([torch.cat([past, blind], 2), torch.cat([seen, own], 2)], 1)[:, None]


LEVEL_BANDS = 16


class Windows(NamedTuple):
    """Windows of a batch for training.

    ``noisy`` (batch, windows, window, channels); ``levels`` (batch, windows, window), 1 is clean; ``conditions``
    (batch, windows, window, conditions.SIZE); ``starts`` (batch, windows), frames; ``remembered`` (batch, windows):
    whether the window may see the past.
    """

    noisy: Tensor
    levels: Tensor
    conditions: Tensor
    starts: Tensor
    remembered: Tensor


def turns(place: Tensor, size: int) -> Tensor:
    """(..., n) frame numbers -> (..., n, size): cosines and sines by which keys and queries are rotated (RoPE)."""
    hertz = 1.0 / 200 ** (torch.arange(size // 2, device=place.device) / (size // 2))
    angle = place[..., None] * hertz
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


def rotate(x: Tensor, turn: Tensor, heads: int) -> Tensor:
    """(batch, n, width) rotated by (..., n, width / heads), as `turns` gives it."""
    cos, sin = turn[..., None, :].chunk(2, dim=-1)
    one, other = x.unflatten(-1, (heads, -1)).chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor) -> Tensor:
    """Attention of (batch, n, width) over (batch, m, width)."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)
