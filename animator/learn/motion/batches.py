"""Batches for the motion network: sequences from clips, and noisy windows at random frames of them."""

# torch is an extra, and its types are not there without it:
# pyright: reportMissingImports=false, reportUnknownParameterType=false

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from animator.learn.motion.config import Dropout, Training
from animator.learn.motion.listen import Heard
from animator.learn.motion.network import Windows
from animator.motion.behaviour import conditions
from animator.motion.behaviour.channels import BLINK_AT, CHANNELS, MOUTH_AT
from animator.motion.behaviour.conditions import GROUP_SLICES, KNOWN_SLICE, SINCE_BLINK_AT, STATE_SLICE
from animator.motion.behaviour.flow import RELATIVE_CHANNELS, mouth_told

Floats = NDArray[np.float32]

_SOUND_COLUMNS = slice(GROUP_SLICES["own"].start, GROUP_SLICES["other"].stop)
_WISH_COLUMNS = slice(GROUP_SLICES["emotion"].start, GROUP_SLICES["distance"].stop)
_LOOK_AHEAD_SHARE = 0.2  # share of sequences that are given later sound, too, as in a stream with more look-ahead
_JITTER_SHARE = 0.3  # share of windows with other noise levels than those of a stream
_MOST_NOISE = 0.5  # largest noise on a frame of the past, in units of the change from frame to frame
_OFFSET_SIZE = 0.5  # size of the constant offset that the past has in most sequences, in units of the spread
_OFFSET_DECAY = np.exp(-1 / 40)  # share of that offset that remains a frame later: the target leads back within seconds


@dataclass(frozen=True, slots=True)
class Scale:
    """``mean`` and ``spread`` (standard deviation), (channels,) each; ``reach`` (window, channels): the root mean
    square of the change over 1 to ``window`` frames, in units of ``spread``."""

    mean: Floats
    spread: Floats
    reach: Floats


def scale_of(clips: list[Heard], window: int) -> Scale:
    """The `Scale` of all clips, from their known channels; a channel that hardly moves gets a spread of 0.01."""
    total, square, count = (np.zeros(len(CHANNELS)) for _ in range(3))
    change = np.zeros((window, len(CHANNELS)))
    for clip in clips:
        motion = clip.motion.astype(np.float64) * clip.known
        total += motion.sum(axis=0)
        square += (motion**2).sum(axis=0)
        count += len(motion) * clip.known
        for row, frames in zip(change, range(1, window + 1), strict=True):
            row += ((motion[frames:] - motion[:-frames]) ** 2).sum(axis=0)
    count = np.maximum(count, 1)
    mean = total / count
    spread = np.maximum(np.sqrt(np.maximum(square / count - mean**2, 0)), 0.01)
    moved = np.clip(np.sqrt(change / count) / spread, 0.02, 1.0)  # uncorrelated frames would give sqrt(2)
    moved[:, RELATIVE_CHANNELS == 0] = 1.0
    return Scale(*(values.astype(np.float32) for values in (mean, spread, moved)))


class Batch(NamedTuple):
    """``past`` (batch, time, channels) in units of the spread; ``clean`` (batch, windows, window, channels), the
    target; ``known`` (batch, channels). ``mouth`` (batch, windows, window, mouth channels) is the mouth that the mouth
    network hears, see `animator.motion.behaviour.flow.mouth_told`; ``clean`` holds the difference from it."""

    past: Tensor
    past_conditions: Tensor
    windows: Windows
    clean: Tensor
    mouth: Tensor
    known: Tensor


class Batches:
    """Random batches, the same for the same seed."""

    def __init__(self, clips: list[Heard], given: Training, scale: Scale, seed: int) -> None:
        self._given, self._scale = given, scale
        self._clips = [clip for clip in clips if len(clip) > given.architecture.window + 1]
        lengths = np.array([len(clip) for clip in self._clips], np.float64)
        self._shares = lengths / lengths.sum()
        self._random = np.random.default_rng(seed)

    def __call__(self, size: int, dropout: Dropout | None) -> Batch:
        """``size`` sequences. Without ``dropout``, for validation, every condition is known and the past is clean."""
        parts = [self._sequence(dropout) for _ in range(size)]
        return Batch(*(_join(list(values)) for values in zip(*parts, strict=True)))

    def _sequence(self, dropout: Dropout | None) -> Batch:
        random, window = self._random, self._given.architecture.window
        clip = self._clips[random.choice(len(self._clips), p=self._shares)]
        time = self._given.stretch
        start = int(random.integers(0, max(1, len(clip) - time)))
        part = slice(start, min(start + time, len(clip)))
        rows = _conditions(clip, part, int(random.integers(0, len(clip.sounds))) if dropout else 0)
        motion = _filled(((clip.motion[part] - self._scale.mean) / self._scale.spread) * clip.known, time)
        rows = _filled(rows, time)
        starts = np.sort(random.integers(1, part.stop - part.start - window + 1, self._given.windows))
        past, clean = motion.copy(), motion[starts[:, None] + np.arange(window)]
        remembered = np.ones(len(starts), bool)
        further = 0
        if dropout:
            aside = self._astray()
            past = self._shaken(past + aside)
            clean = clean + (aside * _OFFSET_DECAY ** np.arange(1, window + 1)[:, None]).astype(np.float32)
            remembered = random.random(len(starts)) >= dropout.past
            further = int(random.integers(1, 3)) if random.random() < _LOOK_AHEAD_SHARE else 0
            rows = _forgotten(rows, dropout, random)
        told = _told(rows, starts, window, further)
        clean = self._changes(clean, past[starts - 1], remembered)
        mouth = mouth_told(told, self._scale.mean, self._scale.spread)
        clean[..., MOUTH_AT] -= mouth
        past[:, MOUTH_AT] = 0  # in a stream these are the network's own guesses; the sound is more reliable
        noisy, levels = self._noised(clean)
        windows = Windows(*map(torch.from_numpy, (noisy, levels, told, starts, remembered)))
        rest = map(torch.from_numpy, (clean, mouth, clip.known.astype(np.float32)))
        return Batch(torch.from_numpy(past), torch.from_numpy(rows), windows, *rest)

    def _changes(self, motion: Floats, last: Floats, remembered: NDArray[np.bool_]) -> Floats:
        """(windows, window, channels) as changes since the ``last`` frame, (windows, channels), or, where the past is
        left out, since the mean."""
        since = remembered[:, None, None] * RELATIVE_CHANNELS
        return ((motion - since * last[:, None]) / np.where(since, self._scale.reach, 1.0)).astype(np.float32)

    def _noised(self, clean: Floats) -> tuple[Floats, Floats]:
        """(windows, window, channels) -> the same with noise, and the noise levels (windows, window).

        The mouth is set to zero: in a stream, the sound of a frame is known only just before the frame is output, and
        earlier guesses of its mouth are worthless.
        """
        levels = self._levels(len(clean))
        noise = self._random.standard_normal(clean.shape).astype(np.float32)
        noisy = (levels[..., None] * clean + (1 - levels[..., None]) * noise).astype(np.float32)
        noisy[..., MOUTH_AT] = 0
        return noisy, levels

    def _levels(self, count: int) -> Floats:
        """(count, window): the noise levels of a rolling window, or levels in between."""
        window = self._given.architecture.window
        late = np.where(self._random.random(count) < _JITTER_SHARE, self._random.random(count), 1.0)
        return np.clip(1 - (np.arange(window) + late[:, None]) / window, 0, 1).astype(np.float32)

    def _astray(self) -> Floats:
        """(channels,) offset of a whole past. In a stream, errors accumulate; only such offsets teach the network to
        correct them."""
        aside = _OFFSET_SIZE * self._random.standard_normal(len(CHANNELS)).astype(np.float32)
        aside[MOUTH_AT] = aside[BLINK_AT] = 0
        return aside if self._random.random() < 0.7 else 0 * aside

    def _shaken(self, past: Floats) -> Floats:
        """The past with noise, as in a stream, where the past is the network's own output."""
        size = _MOST_NOISE * self._random.random() * self._scale.reach[0]
        return (past + size * self._random.standard_normal(past.shape)).astype(np.float32)


def _conditions(clip: Heard, part: slice, variant: int) -> Floats:
    """(frames, conditions.SIZE) with everything known."""
    count = part.stop - part.start
    rows = np.zeros((count, conditions.SIZE), np.float32)
    rows[:, _SOUND_COLUMNS] = clip.sounds[variant, part]
    rows[:, _WISH_COLUMNS] = clip.wishes[part]
    rows[:, KNOWN_SLICE] = 1.0
    rows[np.arange(count), STATE_SLICE.start + clip.state[part].astype(np.intp)] = 1.0
    rows[:, SINCE_BLINK_AT] = clip.since[part]
    return rows


def _told(rows: Floats, starts: NDArray[np.int64], window: int, further: int) -> Floats:
    """(windows, window, SIZE): for every frame of a window, the conditions of the window's first frame; but the sound
    only for that frame and, as it changes, for the ``further`` frames after it."""
    told = np.repeat(rows[starts][:, None], window, axis=1)
    for ahead in range(1, window):
        if ahead <= further:
            told[:, ahead, _SOUND_COLUMNS] = rows[np.minimum(starts + ahead, len(rows) - 1)][:, _SOUND_COLUMNS]
        else:
            told[:, ahead] = conditions.without(conditions.without(told[:, ahead], "own"), "other")
    return told


def _forgotten(rows: Floats, dropout: Dropout, random: np.random.Generator) -> Floats:
    for name in conditions.GROUPS:
        if random.random() < getattr(dropout, name):
            rows = conditions.without(rows, name)
    return rows


def _filled(rows: Floats, time: int) -> Floats:
    """(time, n): a short clip is padded with zeros, which no window reaches."""
    return np.concatenate([rows, np.zeros((time - len(rows), rows.shape[1]), np.float32)]).astype(np.float32)


def _join(values: list[Tensor] | list[Windows]) -> Tensor | Windows:
    if isinstance(values[0], Windows):
        return Windows(*(torch.stack(list(parts)) for parts in zip(*values, strict=True)))
    return torch.stack(values)
