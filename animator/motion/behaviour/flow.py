"""The motion network at work: one call a frame takes a rolling window of motion one step from noise to motion.

How it was trained: `animator.learn.motion.network`, which names the sources. Runs on onnxruntime, without torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.motion.behaviour import conditions
from animator.motion.behaviour.channels import BLINK_AT, CHANNELS, MOUTH_AT
from animator.motion.voice.mouth_net import CHANNELS as MOUTH
from animator.motion.voice.mouth_net import session_of
from animator.motion.voice.voices import Other, Own
from animator.units import FPS

MODEL = Path(__file__).with_name("motion.onnx")
BLINK_THRESHOLD = 0.5  # of the blink channel: the lids count as closed
# Channels that the network makes as changes since the last frame:
RELATIVE_CHANNELS = np.ones(len(CHANNELS), np.float32)
RELATIVE_CHANNELS[MOUTH_AT] = 0  # all but the mouth, of which it makes what the mouth network left: see `mouth_told`
_CLOSE = MOUTH.index("mouthClose")
_LARGEST_SPREADS = 6.0  # spreads that a channel may be away from its mean
_ANGLE_BASE = 200.0  # of the angles by which keys and queries turn

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How motion is drawn. ``guidance``: by how much a condition (of `conditions.GROUPS`) is stressed beyond what it
    means to the network, each at the cost of one more variant. ``calls`` of the network for each frame. ``warmth``:
    size of the noise that motion is made from: a network that was trained briefly guesses too calm a face at 1."""

    guidance: Mapping[str, float]
    calls: int = 1
    warmth: float = 1.0


DEFAULT_SAMPLING = Sampling({}, warmth=1.2)  # with which the weights that ship were measured


def mouth_told(told: Floats, mean: Floats, spread: Floats) -> Floats:
    """(..., conditions.SIZE) -> (..., mouth): the mouth network's, of which the network makes but the rest. In spreads;
    the mean, 0, where the own voice is not known. ``mean`` and ``spread`` are of all channels."""
    known = told[..., conditions.KNOWN_SLICE][..., :1]
    return (known * (told[..., conditions.MOUTH_SLICE] - mean[MOUTH_AT]) / spread[MOUTH_AT]).astype(np.float32)


class MotionNet:
    """All channels of one stream, frame by frame. The same ``random`` and inputs give the same motion."""

    def __init__(self, random: np.random.Generator, sampling: Sampling = DEFAULT_SAMPLING, model: Path = MODEL) -> None:
        self._random, self._sampling = random, sampling
        self._network = session_of(model)
        about = self._network.get_modelmeta().custom_metadata_map
        scales = (np.array(about[name].split(), np.float32) for name in ("mean", "spread", "reach"))
        self._mean, self._spread, reach = scales
        self._reach = reach.reshape(-1, len(CHANNELS))
        shapes = {given.name: given.shape for given in self._network.get_inputs()}
        self._window, self._angles = shapes["frames"][1] - 1, shapes["turn"][1]
        self._keys, self._values = (np.zeros(shapes["keys"], np.float32) for _ in range(2))
        self._filled = np.zeros(shapes["keys"][2], np.float32)
        self._frame, self._blink_s = 0, 2.0
        rest = -self._mean / self._spread  # the first frame follows a face at rest
        self._clean, self._noise = np.repeat(rest[None], self._window, axis=0), self._draw(self._window)
        self._last, self._told = rest, conditions.condition({}, "idle", self._blink_s)

    def __call__(self, own: Own, other: Other, control: Control) -> Floats:
        """One frame on -> (len(CHANNELS),), see `animator.motion.behaviour.channels`."""
        wishes = {
            "emotion": conditions.emotion_row(control.emotion, control.emotion_strength),
            "gaze": conditions.gaze_row(control.gaze_yaw_deg, control.gaze_pitch_deg),
            "distance": conditions.distance_row(control.distance),
        }
        voices = {"own": conditions.own_row(own), "other": conditions.other_row(other)}
        now = conditions.condition(voices | wishes, control.state, self._blink_s)
        later = conditions.condition(wishes, control.state, self._blink_s)
        told = np.concatenate([now[None], np.repeat(later[None], self._window - 1, axis=0)])
        self._denoise(told)
        row = self._settle(self._clean[0] * self._spread + self._mean, own)
        self._clean[0] = (row - self._mean) / self._spread
        self._remember(self._clean[0], now)
        self._clean = np.concatenate([self._clean[1:], self._clean[-1:]])
        self._noise = np.concatenate([self._noise[1:], self._draw(1)])
        self._blink_s = 0.0 if row[BLINK_AT.start] > BLINK_THRESHOLD else self._blink_s + 1 / FPS
        return row

    def _settle(self, row: Floats, own: Own) -> Floats:
        """Constraints: silence shuts the mouth, a closure that is heard stays one, lids stay within their range."""
        row[MOUTH_AT] *= own.heard.any()
        row[_CLOSE] = max(row[_CLOSE], own.mouth[_CLOSE])
        row[BLINK_AT] = np.clip(row[BLINK_AT], 0.0, 1.0)
        return row

    def _denoise(self, told: Floats) -> None:
        """Brings the window as near to clean as this frame gets it: `_clean` is the best guess, `_noise` the rest."""
        ways = [told, *(conditions.without(told, name) for name in self._sampling.guidance)]
        variants = np.stack([np.concatenate([self._told[None], way]) for way in ways])
        for call in range(self._sampling.calls):
            levels = self._levels(call)
            now = levels[:, None]
            last = RELATIVE_CHANNELS * self._last
            noisy = now * (self._clean - last) / self._reach + (1 - now) * self._noise
            said = self._run(noisy, levels, variants)
            said[..., MOUTH_AT] += mouth_told(variants[:, 1:], self._mean, self._spread)
            clean = said[0]
            for less, share in zip(said[1:], self._sampling.guidance.values(), strict=True):
                clean = clean + share * (said[0] - less)
            self._noise = (noisy - now * clean) / (1 - now)
            self._clean = np.clip(last + clean * self._reach, -_LARGEST_SPREADS, _LARGEST_SPREADS)

    def _run(self, noisy: NDArray[np.floating], levels: Floats, variants: Floats) -> Floats:
        """-> (variants, window, channels); what became of the frame that left last is there for `_remember`."""
        frames = np.concatenate([self._last[None], noisy]).astype(np.float32)
        frames[:, MOUTH_AT] = 0  # as in training, see `animator.learn.motion.batches`
        outputs = self._network.run(None, {
            "frames": np.repeat(frames[None], len(variants), axis=0), "told": variants, "turn": self._turn(),
            "levels": np.concatenate([[np.float32(1)], levels]), "keys": self._keys, "values": self._values,
            "filled": self._filled,
        })  # fmt: skip
        said, self._new_keys, self._new_values = (np.asarray(output, np.float32) for output in outputs)
        return said

    def _remember(self, row: Floats, told: Floats) -> None:
        """What the calls made of the frame before takes the place of the oldest; this frame is the next to be kept."""
        if self._frame:
            slot = (self._frame - 1) % len(self._filled)
            self._keys[:, :, slot], self._values[:, :, slot] = self._new_keys, self._new_values
            self._filled[slot] = 1.0
        self._last, self._told = row.astype(np.float32), told
        self._frame += 1

    def _draw(self, frames: int) -> Floats:
        return (self._sampling.warmth * self._random.standard_normal((frames, len(CHANNELS)))).astype(np.float32)

    def _levels(self, call: int) -> Floats:
        """(window,) before a call of this frame; 1 is clean."""
        steps = np.arange(1, self._window + 1) - call / self._sampling.calls
        return (1 - steps / self._window).astype(np.float32)

    def _turn(self) -> Floats:
        """(1 + window, n) for the frame that left last and those of the window, as `network.turns` has them."""
        place = self._frame - 1 + np.arange(self._window + 1)
        angle = place[:, None] * _ANGLE_BASE ** (-np.arange(self._angles // 2) / (self._angles // 2))
        return np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
