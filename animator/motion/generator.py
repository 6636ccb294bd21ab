"""Sound and wishes in, motion out: puts the channels of a behaviour together as rows of the motion space."""

import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.motion.behaviour.bouts import Bouts
from animator.motion.behaviour.channels import BLINK_AT, GAZE_AT, HEAD_AT, MOUTH_AT, UPPER_AT, Make, from_upper
from animator.motion.behaviour.expression import Mood
from animator.motion.behaviour.gaze import Aim
from animator.motion.behaviour.head_motion import Nods, Torso, steady_head
from animator.motion.behaviour.processes import Processes
from animator.motion.rows import space
from animator.motion.rows.filters import Follower, Resonators, soft_limit
from animator.motion.rows.space import CAMERA
from animator.motion.voice.articulation import Style
from animator.motion.voice.lips import Lips
from animator.motion.voice.mouth_net import LOOK_AHEAD, MouthRow, to_weights
from animator.motion.voice.voices import NOBODY, OtherVoice, OwnVoice
from animator.units import SAMPLES_PER_FRAME, Motion, Samples

_CLOSED_JAW = 0.1  # at least, with closed lips: the renderer tells by the two weights together how shut they are
_RAISED_TIP = 0.24  # of tongueOut: the tip at the upper teeth; a little more puts it out
_FADE_SHARES = (0.62, 0.3, 0.1, 0.0)  # share of the old mouth in the frames after an interruption
_BLINKS = space.INDEX["eyeBlinkLeft"], space.INDEX["eyeBlinkRight"]
_WIDES = space.INDEX["eyeWideLeft"], space.INDEX["eyeWideRight"]
_SIDE_SPREAD = 0.05  # spread of how much more one side of the mouth moves
# Spread of the jaw's way aside, as tracked in film, and the jawOpen at which it has all of it
_SIDEWAYS_SPREAD, _SIDEWAYS_JAW = 0.04, 0.3
_JAW_SIDES = space.INDEX["jawLeft"], space.INDEX["jawRight"]
_TONGUE = space.INDEX["tongueOut"]
_JAW, _CLOSE = space.INDEX["jawOpen"], space.INDEX["mouthClose"]
_ROUND_SHAPES = space.INDEX["mouthFunnel"], space.INDEX["mouthPucker"]
_PARTING_NAMES = ("mouthUpperUp", "mouthLowerDown", "mouthFunnel")
_SMILE_SHAPES = [i for name, i in space.INDEX.items() if name.startswith(("mouthSmile", "mouthStretch", "mouthFrown"))]
_LIFT_SHAPES = [space.INDEX["mouthUpperUp" + side] for side in ("Left", "Right")]
_SMILES = [space.INDEX["mouthSmile" + side] for side in ("Left", "Right")]
# How far speech lifts the upper lip of a serious face, and more of one that smiles
_SERIOUS_LIFT, _SMILING_LIFT = 0.85, 1.1
_LIP_LIMITS = {  # weights that lifted and lowered lips never pass: speech and a smile together bare no gums
    space.INDEX[name + side]: most for name, most in (("mouthUpperUp", 0.6), ("mouthLowerDown", 0.55))
    for side in ("Left", "Right")
}  # fmt: skip
_PARTING_SHAPES = [i for name, i in space.INDEX.items() if name.startswith(_PARTING_NAMES)]
_PRESSING_NAMES = ("mouthPress", "mouthRoll", "mouthShrugLower")
_PRESSING_SHAPES = [i for name, i in space.INDEX.items() if name.startswith(_PRESSING_NAMES)]
_BROWS_UP = [i for name, i in space.INDEX.items() if name.startswith(("browInnerUp", "browOuterUp"))]
# Left and right: what raises the brow, and what frowns
_BROW_SIDES = [
    ([space.INDEX["browInnerUp"], space.INDEX["browOuterUp" + side]], space.INDEX["browDown" + side])
    for side in ("Left", "Right")
]
_LID_LIFT, _LID_FALL = 0.6, 0.35  # of eyeWide for a brow that is raised, and of eyeBlink for one that frowns
_BROWS_DOWN = [i for name, i in space.INDEX.items() if name.startswith("browDown")]
# As lids shut, raised brows drop by this share, but no further than that; and all brows frown a little.
_BLINK_BROW_SHARE, _MOST_BROW_DROP, _BLINK_FROWN = 0.45, 0.2, 0.12
_MOUTH_SHAPES = [i for name, i in space.INDEX.items() if name.startswith(("mouth", "jaw"))]


class Generator:
    """Motion of one session. The same seed and input give the same motion; None is a seed of its own.

    ``delay_frames``: the motion that `step` returns is for the sound given that many frames earlier.
    """

    delay_frames = LOOK_AHEAD

    def __init__(self, seed: int | None = None, behaviour: Make = Processes) -> None:
        """``behaviour`` moves the face; it draws from the random numbers that it is given."""
        self._seed, self._make = np.random.SeedSequence(seed), behaviour
        self._own, self._other = OwnVoice(), OtherVoice()
        self.reset()

    def step(self, audio: Samples, control: Control, other: Samples | None = None) -> Motion:
        """(n * 960,) float32 at 24 kHz, the next n frames of sound -> (n, 64) float32, see `rows.space`.

        ``other`` is as much sound of the person who is listened to. How the stream is cut into calls does not change
        the motion. Raises ValueError for sound that is not whole frames.
        """
        chunks = _chunks(audio)
        others = _chunks(other) if other is not None else [None] * len(chunks)
        return np.stack([self._frame(*sounds, control) for sounds in zip(chunks, others, strict=True)])

    def interrupt(self) -> None:
        """Forget the sound that was given; the mouth closes within 160 ms from where it is, all else goes on."""
        self._own.reset()
        self._lips = Lips()  # what it parted is in the old mouth, which fades
        self._fade = list(_FADE_SHARES)
        self._old_mouth = self._mouth

    def reset(self) -> None:
        """Back to the first frame of the session."""
        streams = [np.random.default_rng(child) for child in np.random.SeedSequence(self._seed.entropy).spawn(6)]
        self._own.reset()
        self._other.reset()
        self._behaviour, self._torso, self._sides = self._make(streams[0]), Torso(streams[1]), streams[2]
        self._nods, self._bouts, self._style = Nods(streams[3]), Bouts(streams[4]), Style(streams[5])
        self._lips = Lips()
        self._slant = Resonators([0.3, 0.3, 0.5])
        self._aim, self._mood, self._steady = Aim(), Mood(), steady_head()
        self._wishes = [Follower(0.3) for _ in range(8)]
        self._fade: list[float] = []
        self._mouth = np.zeros(52, np.float32)
        self._old_mouth = self._mouth

    def _frame(self, audio: Samples, other: Samples | None, control: Control) -> NDArray[np.float32]:
        """One frame of both voices -> its row."""
        own = self._own(audio)
        heard = NOBODY if other is None else self._other(other)
        moved = self._behaviour(own, heard, control)
        wishes = (control.yaw_deg, control.pitch_deg, control.roll_deg, control.x, control.y,
                  CAMERA * (1 - control.distance), control.amplitude - 1, control.articulation - 1)  # fmt: skip
        *place, more, clearer = (follow(wish) for follow, wish in zip(self._wishes, wishes, strict=True))
        mood, bearing = self._mood(control.emotion, control.emotion_strength)
        head = (1 + more) * (moved[HEAD_AT] + self._nods(control.state, heard.prosody))
        mouth, tip = self._lips(self._style(moved[MOUTH_AT], own.mouth, own.shapes), own.touches)
        self._mouth = self._speak(mouth, tip, (1 + more) * (1 + clearer))
        row = np.zeros(space.SIZE, np.float32)
        blink = float(moved[BLINK_AT][0])
        upper = _with_lids(from_upper(moved[UPPER_AT]) + self._bouts(own, heard, control, blink))
        row[:52] = _face(self._mouth, (1 + more) * upper + mood, blink)
        row[52:58] = head + np.array(place, np.float32)
        row[52:55] = self._steady(row[52:55].astype(np.float64) + bearing[:3])
        row[62:64] = np.array(self._torso(head[3], head[4], own.prosody.talking)) + 0.4 * np.array(place[3:5])
        gaze = moved[GAZE_AT] + self._aim(control.gaze_yaw_deg, control.gaze_pitch_deg) + bearing[3:]
        row[58:60] = row[60:62] = gaze
        return row

    def _speak(self, mouth: MouthRow, tip: float, amplitude: float) -> NDArray[np.float32]:
        """The mouth of the sound, a little different left and right; after an interruption still partly the old one."""
        weights = to_weights(np.clip(mouth, 0.0, 1.0), amplitude) * self._mood.speech
        weights[_TONGUE] = _RAISED_TIP * tip
        left, right, aside = self._slant(self._sides.standard_normal(3)).tolist()
        weights[_LEFT_SHAPES] *= 1 + _SIDE_SPREAD * left
        weights[_RIGHT_SHAPES] *= 1 + _SIDE_SPREAD * right
        weights[_JAW_SIDES[aside > 0]] += _SIDEWAYS_SPREAD * abs(aside) * min(1.0, float(weights[_JAW]) / _SIDEWAYS_JAW)
        if self._fade:
            share = self._fade.pop(0)
            weights = (share * self._old_mouth + (1 - share) * weights).astype(np.float32)
        return weights


def _chunks(audio: Samples) -> NDArray[np.float32]:
    if audio.ndim != 1 or len(audio) % SAMPLES_PER_FRAME or not len(audio):
        raise ValueError(
            f"got sound of shape {audio.shape}; expected one channel at 24 kHz in multiples of {SAMPLES_PER_FRAME}"
        )
    return audio.reshape(-1, SAMPLES_PER_FRAME)


_LEFT_SHAPES = [i for i in _MOUTH_SHAPES if space.ARKIT[i].endswith("Left")]
_RIGHT_SHAPES = [i for i in _MOUTH_SHAPES if space.ARKIT[i].endswith("Right")]


def _with_lids(upper: NDArray[np.float32]) -> NDArray[np.float32]:
    """``upper`` (52,) with lids that follow its brows: brows that rise lift them, a frown lowers them."""
    row = upper.copy()
    for side, (raised, frown) in enumerate(_BROW_SIDES):
        row[_WIDES[side]] += _LID_LIFT * max(0.0, float(upper[raised].mean()))
        row[_BLINKS[side]] += _LID_FALL * max(0.0, float(upper[frown]))
    return row


def _face(mouth: NDArray[np.float32], upper: NDArray[np.float32], blink: float) -> NDArray[np.float32]:
    """Speech, expression and blink as one face: lips closed by a sound stay so, rounded ones do not smile."""
    close = float(mouth[_CLOSE])
    added = upper.copy()
    added[_PARTING_SHAPES] *= 1 - close
    added[_PRESSING_SHAPES] *= 1 - 0.7 * min(1.0, float(mouth[_JAW]) / 0.25)
    added[_SMILE_SHAPES] *= 1 - 0.6 * min(1.0, float(mouth[list(_ROUND_SHAPES)].sum()))
    added[_BROWS_UP] -= np.minimum(_BLINK_BROW_SHARE * added[_BROWS_UP], _MOST_BROW_DROP) * blink
    added[_BROWS_DOWN] += _BLINK_FROWN * blink
    spoken = mouth.copy()
    spoken[_LIFT_SHAPES] *= _SERIOUS_LIFT + _SMILING_LIFT * added[_SMILES]
    weights = np.clip(spoken + added, 0.0, 1.2)
    for lip, most in _LIP_LIMITS.items():
        weights[lip] = soft_limit(float(weights[lip]), most)
    jaw = float(weights[_JAW])
    weights[_JAW] = max(jaw, _CLOSED_JAW * close * min(1.0, jaw / 0.05))
    weights[_CLOSE] = close * weights[_JAW]
    for lid, wide in zip(_BLINKS, _WIDES, strict=True):
        weights[lid] = blink + (1 - blink) * weights[lid]
        weights[wide] *= 1 - blink
    return weights.astype(np.float32)
