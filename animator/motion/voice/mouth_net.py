"""The mouth network: log-mel in, mouth weights out, one frame at a time, with explicit state."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from animator import onnx
from animator.media.mel import MELS, Features
from animator.motion.rows.space import INDEX

CHANNELS: tuple[str, ...] = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLowerDown", "mouthUpperUp", "mouthSmile",
    "mouthStretch", "mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthDimple",
)  # fmt: skip
HOPS_PER_FRAME = 4
LOOK_AHEAD = 2  # frames of sound after the frame that is spoken
PAST_FRAMES = 6  # frames of sound before it
HIDDEN_SIZE = 160

WINDOW_HOPS = (PAST_FRAMES + 1 + LOOK_AHEAD) * HOPS_PER_FRAME
MODEL = Path(__file__).with_name("mouth.onnx")
_DEAD_ZONE = 0.02  # what the network leaves of a closed mouth
_CLOSE = CHANNELS.index("mouthClose")
_VOICE_BANDS = slice(3, 44)  # 130 Hz to 3.9 kHz
# Features: 22 dB under the loud syllables is a pause; these are forgotten by 2 dB a s
_PAUSE_DROP, _PEAK_DECAY = 0.28, 0.001
_SILENCE_LEVEL = 0.05  # features (-76 dB): digital silence, with dither or without

# The teacher underestimates. With these gains rendered lips part as far as real ones: .15 to .25 eye distances at p95.
_SHAPE_GAINS = {"jawOpen": 1.5, "mouthLowerDown": 1.2, "mouthUpperUp": 1.2}

_APART_CLOSE, _SHUT_CLOSE = 0.2, 0.7  # mouthClose of a row: up to where lips stay apart, and from where they are shut

_PARTING_SHAPES = ("mouthLowerDown", "mouthUpperUp", "mouthShrugUpper", "mouthFunnel")

MouthRow = NDArray[np.float32]  # (len(CHANNELS),)


def session_of(model: Path) -> onnxruntime.InferenceSession:
    """A network of the stream at work, which all faces of the process share: its ``run`` may be called from any thread,
    and what a face remembers is given to it each time."""
    return _session(model, model.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _session(model: Path, changed_ns: int) -> onnxruntime.InferenceSession:
    """On one thread, which the renderer's would fight with otherwise; opened anew when the file has changed."""
    return onnx.session(model)


class MouthNet:
    """The mouth that belongs to a stream of sound, `LOOK_AHEAD` frames after the sound came in.

    ``heard`` (2 * HIDDEN_SIZE,) is what the network made of the sound of the last frame, for networks that build on it;
    zero in silence. ``window`` (WINDOW_HOPS, MELS) is the sound that it heard; ``speech`` rises from 0 in silence and
    pauses to 1.
    """

    def __init__(self) -> None:
        self._network = session_of(MODEL)
        self.reset()

    def __call__(self, features: Features) -> MouthRow:
        """(HOPS_PER_FRAME, MELS), the next 40 ms of log-mel -> weights in [0, 1], mouthClose as a fraction of the jaw.

        The row is the mouth of the frame `LOOK_AHEAD` before this one. A window of silence gives zeros, at no cost.
        """
        self.window = np.concatenate([self.window[HOPS_PER_FRAME:], features])
        if float(self.window.max()) < _SILENCE_LEVEL:
            self._state, self.heard = np.zeros_like(self._state), np.zeros_like(self.heard)
            self.speech = 0.0
            return np.zeros(len(CHANNELS), np.float32)
        feed = {"features": self.window[None], "state": self._state}
        said, self._state, heard = self._network.run(None, feed)
        self.heard = np.asarray(heard, np.float32).reshape(-1)
        row = np.clip((np.asarray(said, np.float32).reshape(-1) - _DEAD_ZONE) / (1 - _DEAD_ZONE), 0.0, 1.0)
        row[_CLOSE] *= self._voiced()
        return row

    def _voiced(self) -> float:
        """0 in a pause, 1 in speech: the silence of a pause and of a p sound alike, but no p lasts 160 ms."""
        near = self.window[(PAST_FRAMES - 1) * HOPS_PER_FRAME :, _VOICE_BANDS].mean(axis=1).max()
        self._peak = max(float(near), self._peak - _PEAK_DECAY)
        goal = float(near > self._peak - _PAUSE_DROP)
        self.speech += (0.85 if goal else 0.4) * (goal - self.speech)
        return self.speech

    def reset(self) -> None:
        """Forget all sound."""
        self._peak, self.speech = 0.0, 0.0
        self.window = np.zeros((WINDOW_HOPS, MELS), np.float32)
        self._state = np.zeros((1, 1, HIDDEN_SIZE), np.float32)
        self.heard = np.zeros(2 * HIDDEN_SIZE, np.float32)


def to_weights(row: MouthRow, amplitude: float) -> NDArray[np.float32]:
    """One network row -> (52,) ARKit weights, both sides alike; ``mouthClose`` still a fraction of the jaw.

    The more the lips are closed, the less the shapes that part them take part.
    """
    weights = np.zeros(52, np.float32)
    values = dict(zip(CHANNELS, row.tolist(), strict=True))
    close = min(1.0, max(0.0, (values.pop("mouthClose") - _APART_CLOSE) / (_SHUT_CLOSE - _APART_CLOSE)))
    for name, value in values.items():
        parted = 1.0 - close if name in _PARTING_SHAPES else 1.0
        for side in ("",) if name in INDEX else ("Left", "Right"):
            weights[INDEX[name + side]] = value * parted * amplitude * _SHAPE_GAINS.get(name, 1.0)
    weights[INDEX["mouthClose"]] = close
    return weights


def from_weights(weights: NDArray[np.float32]) -> MouthRow:
    """What `to_weights` makes these (52,) weights of, at amplitude 1; the sides are averaged."""
    row = np.zeros(len(CHANNELS), np.float32)
    for i, name in enumerate(CHANNELS):
        columns = [INDEX[name + side] for side in (("",) if name in INDEX else ("Left", "Right"))]
        row[i] = min(1.0, float(weights[columns].mean()) / _SHAPE_GAINS.get(name, 1.0))
    close = float(weights[INDEX["mouthClose"]]) / max(float(weights[INDEX["jawOpen"]]), 0.05)
    row[_CLOSE] = closing_by(close)
    return row


def closing_by(share: float) -> float:
    """The ``mouthClose`` of a row of which `to_weights` makes ``share`` of the jaw."""
    return _APART_CLOSE + (_SHUT_CLOSE - _APART_CLOSE) * min(1.0, share) if share > 0 else 0.0
