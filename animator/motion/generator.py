"""Sound and wishes in, motion out: the mouth by the network, the rest by processes with real people's statistics."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from animator.audio import Features, LogMel
from animator.control import Control
from animator.face import SAMPLES_PER_FRAME, Motion, Samples
from animator.motion import space
from animator.motion.expression import Expression, Mood
from animator.motion.eyes import Aim, Blinks, Gaze
from animator.motion.filters import Follower, Resonators
from animator.motion.head import Head
from animator.motion.mouth import LOOK_AHEAD, MouthNet, to_weights
from animator.motion.prosody import Prosody

CAMERA = 5.85  # face widths from the camera to the face of the picture
_CLOSED_JAW = 0.1  # at least, with closed lips: the renderer tells by the two weights together how shut they are
_FADE = (0.62, 0.3, 0.1, 0.0)  # share of the old mouth in the frames after an interruption
_BLINK = space.INDEX["eyeBlinkLeft"], space.INDEX["eyeBlinkRight"]
_WIDE = space.INDEX["eyeWideLeft"], space.INDEX["eyeWideRight"]
_JAW, _CLOSE = space.INDEX["jawOpen"], space.INDEX["mouthClose"]
_ROUND = space.INDEX["mouthFunnel"], space.INDEX["mouthPucker"]
_PARTING_NAMES = ("mouthUpperUp", "mouthLowerDown", "mouthStretch", "mouthFunnel")
_SMILING = [i for name, i in space.INDEX.items() if name.startswith(("mouthSmile", "mouthStretch", "mouthFrown"))]
_PARTING = [i for name, i in space.INDEX.items() if name.startswith(_PARTING_NAMES)]
_PRESSING_NAMES = ("mouthPress", "mouthRoll", "mouthShrugLower")
_PRESSING = [i for name, i in space.INDEX.items() if name.startswith(_PRESSING_NAMES)]
_MOUTH = [i for name, i in space.INDEX.items() if name.startswith(("mouth", "jaw"))]


class Generator:
    """Motion of one session. The same seed and input give the same motion; None is a seed of its own.

    ``delay_frames``: the motion that `step` returns is for the sound given that many frames earlier.
    """

    delay_frames = LOOK_AHEAD

    def __init__(self, seed: int | None = None) -> None:
        self._seed = np.random.SeedSequence(seed)
        self._mouth_net = MouthNet()
        self.reset()

    def step(self, audio: Samples, control: Control) -> Motion:
        """(n * 960,) float32 at 24 kHz, the next n frames of sound -> (n, 64) float32, see `animator.motion.space`.

        How the stream is cut into calls does not change the motion. Raises ValueError if ``audio`` is not whole frames.
        """
        if audio.ndim != 1 or len(audio) % SAMPLES_PER_FRAME or not len(audio):
            raise ValueError(
                f"got sound of shape {audio.shape}; expected one channel at 24 kHz in multiples of {SAMPLES_PER_FRAME}"
            )
        chunks = audio.reshape(-1, SAMPLES_PER_FRAME)
        rows = [self._frame(self._mel(chunks[0]), control)]
        later = replace(control, acknowledge=False)
        return np.stack(rows + [self._frame(self._mel(chunk), later) for chunk in chunks[1:]])

    def interrupt(self) -> None:
        """Forget the sound that was given; the mouth closes within 160 ms from where it is, all else goes on."""
        self._forget_sound()
        self._fade = list(_FADE)
        self._old_mouth = self._mouth

    def reset(self) -> None:
        """Back to the first frame of the session."""
        streams = [np.random.default_rng(child) for child in np.random.SeedSequence(self._seed.entropy).spawn(5)]
        self._forget_sound()
        self._head, self._gaze, self._blinks = Head(streams[0]), Gaze(streams[1]), Blinks(streams[2])
        self._expression, self._sides = Expression(streams[3]), streams[4]
        self._slant = Resonators([0.3, 0.3])
        self._aim, self._mood = Aim(), Mood()
        self._wishes = [Follower(0.3) for _ in range(7)]
        self._fade: list[float] = []
        self._mouth = np.zeros(52, np.float32)
        self._old_mouth = self._mouth

    def _forget_sound(self) -> None:
        self._mel, self._prosody = LogMel(), Prosody()
        self._mouth_net.reset()

    def _frame(self, features: Features, control: Control) -> NDArray[np.float32]:
        """(4, MELS) of one frame -> its row."""
        heard = self._prosody(features)
        wishes = (control.yaw_deg, control.pitch_deg, control.roll_deg, control.x, control.y,
                  CAMERA * (1 - control.distance), control.amplitude - 1)  # fmt: skip
        yaw, pitch, roll, x, y, z, more = (follow(wish) for follow, wish in zip(self._wishes, wishes, strict=True))
        amplitude = 1 + more
        gaze = self._gaze(control.state, heard)
        if control.acknowledge:
            self._head.acknowledge()
        head = amplitude * self._head(control.state, heard, gaze)
        blink = self._blinks(control.state, heard, self._gaze.shifted)
        mood, bearing = self._mood(control.emotion, control.emotion_strength)
        row = np.zeros(space.SIZE, np.float32)
        upper = amplitude * self._expression(control.state, heard) + mood
        self._mouth = self._speak(features, amplitude)
        row[:52] = _face(self._mouth, upper, blink)
        row[52:58] = head[:6] + np.array([yaw, pitch, roll, x, y, z], np.float32)
        row[52:55] += bearing[:3]
        row[62:64] = head[6:] + np.array([0.4 * x, 0.4 * y], np.float32)
        aim = self._aim(control.gaze_yaw_deg, control.gaze_pitch_deg)
        row[58] = row[60] = gaze[0] + aim[0] + bearing.gaze_yaw
        row[59] = row[61] = gaze[1] + aim[1] + bearing.gaze_pitch
        return row

    def _speak(self, features: Features, amplitude: float) -> NDArray[np.float32]:
        """The mouth of the sound, a little different left and right; after an interruption still partly the old one."""
        mouth = to_weights(self._mouth_net(features), amplitude)
        slant = 0.05 * self._slant(self._sides.standard_normal(2))
        mouth[_LEFT] *= 1 + slant[0]
        mouth[_RIGHT] *= 1 + slant[1]
        if self._fade:
            share = self._fade.pop(0)
            mouth = (share * self._old_mouth + (1 - share) * mouth).astype(np.float32)
        return mouth


_LEFT = [i for i in _MOUTH if space.ARKIT[i].endswith("Left")]
_RIGHT = [i for i in _MOUTH if space.ARKIT[i].endswith("Right")]


def _face(mouth: NDArray[np.float32], upper: NDArray[np.float32], blink: float) -> NDArray[np.float32]:
    """Speech, expression and blink as one face: lips closed by a sound stay so, rounded ones do not smile."""
    close = float(mouth[_CLOSE])
    added = upper.copy()
    added[_PARTING] *= 1 - close
    added[_PRESSING] *= 1 - 0.7 * min(1.0, float(mouth[_JAW]) / 0.25)
    added[_SMILING] *= 1 - 0.6 * min(1.0, float(mouth[list(_ROUND)].sum()))
    weights = np.clip(mouth + added, 0.0, 1.2)
    jaw = float(weights[_JAW])
    weights[_JAW] = max(jaw, _CLOSED_JAW * close * min(1.0, jaw / 0.05))
    weights[_CLOSE] = close * weights[_JAW]
    for lid, wide in zip(_BLINK, _WIDE, strict=True):
        weights[lid] = blink + (1 - blink) * weights[lid]
        weights[wide] *= 1 - blink
    return weights.astype(np.float32)
