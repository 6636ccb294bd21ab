"""Wishes for the whole face, seen by a tracker: emotions, lips that close in each of them, the amplitude and the part
of the motion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animator.bench.frames import voice
from animator.control import EMOTIONS, Control, Emotion
from animator.evaluate.tracking.film import Watch
from animator.evaluate.wishes.obedience import settled
from animator.evaluate.wishes.sweep import mood, row
from animator.face import Mover
from animator.media.files import MediaError
from animator.motion.behaviour.channels import CHANNELS
from animator.motion.generator import Generator
from animator.motion.rows import space
from animator.motion.rows.parts import PARTS, Part, only
from animator.motion.voice.voices import Other, Own
from animator.portrait.finding.landmarks import FaceLandmarks
from animator.portrait.geometry.pose import pose
from animator.portrait.geometry.topology import POINTS
from animator.portrait.portrait import Portrait
from animator.render.neutral.parted import PartedLips, parting
from animator.units import FPS, SAMPLES_PER_FRAME

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Opened = Callable[[], Mover]  # the motion of a new face, every time with the same seed

STRENGTHS = (0.3, 0.6, 0.9, 1.2, 1.5)
AMPLITUDES = (0.0, 0.5, 1.0, 1.5)
# R; share of a mood's size; eye distances between lips that are shut
LEAST_R, LEAST_APART, MOST_SHUT_GAP = 0.9, 0.3, 0.02
LEAST_MOVED, MOST_STILL = 0.8, 0.6  # of the motion of a whole face: trackers take some of a turn for an expression
SPOKEN_S = 3.0  # seconds
SEED = 1
_FULL_STRENGTH = STRENGTHS.index(0.9)
_MOOD_FRAMES = 2 * FPS  # frames until a mood is there
_CYCLE_FRAMES, _VOWEL_FRAMES = 8, 4  # frames of "ma", and of its vowel


@dataclass(frozen=True, slots=True)
class MoodScore:
    """``r`` of what was seen with the strength; ``like``, the emotion that looks most like it, and how far that is
    ``apart``, in its own size; ``gap`` between lips that say "m", in distances of the eyes."""

    name: Emotion
    r: float
    like: Emotion
    apart: float
    gap: float

    @property
    def passed(self) -> bool:
        """Whether the emotion grows with its strength, is like no other, and lets lips close."""
        return self.r >= LEAST_R and self.apart >= LEAST_APART and self.gap <= MOST_SHUT_GAP


@dataclass(frozen=True, slots=True)
class PartScore:
    """What is left of the ``head``'s and of the ``face``'s motion when only a part is wished for, of all of it."""

    name: Part
    head: float
    face: float

    @property
    def passed(self) -> bool:
        """Whether that part moves, and the other one does not as far as the tracker can tell them apart."""
        moved, still = (self.head, self.face) if self.name == "pose" else (self.face, self.head)
        return moved >= LEAST_MOVED and still <= MOST_STILL


@dataclass(frozen=True, slots=True)
class WishScores:
    """Those of all emotions, of both parts, and how far landmarks go from frame to frame at `AMPLITUDES`."""

    moods: list[MoodScore]
    parts: list[PartScore]
    amplitudes: list[float]

    @property
    def grows(self) -> bool:
        """Whether a larger wish gives more motion."""
        return bool((np.diff(self.amplitudes) > 0.1 * self.amplitudes[-1]).all())


class Babble:
    """A `animator.motion.behaviour.channels.Behaviour` that says "ma" again and again."""

    def __init__(self, _: np.random.Generator) -> None:
        self.reset()

    def __call__(self, own: Own, other: Other, control: Control) -> Floats:
        """Take the next frame."""
        self._frame += 1
        shut = shuts(self._frame)
        made = np.zeros(len(CHANNELS), np.float32)
        made[CHANNELS.index("speech.jawOpen")] = 0.1 if shut else 0.25
        made[CHANNELS.index("speech.mouthClose")] = float(shut)
        return made

    def reset(self) -> None:
        """Back to the first frame."""
        self._frame = -1


def shuts(frame: int) -> bool:
    """Whether the lips should be shut in this frame of `Babble`."""
    return frame % _CYCLE_FRAMES >= _VOWEL_FRAMES


def wishes(portrait: Portrait, watch: Watch, opened: Opened) -> WishScores:
    """The scores of a face that moves as ``opened`` says. Raises `MediaError` when the tracker finds no face."""
    return WishScores(moods(portrait, watch), parts(watch, opened), amplitudes(portrait, watch, opened))


def moods(portrait: Portrait, watch: Watch, wanted: Sequence[Emotion] = EMOTIONS) -> list[MoodScore]:
    """Emotions, two at least, at growing strengths on a silent face, and the lips of one that speaks."""
    gap = parting(portrait)
    names: list[Emotion] = [name for name in wanted if name != "neutral"]
    rest = _points(watch(np.tile(row(), (3, 1)))).mean(axis=0)
    seen: list[Floats] = []
    for name in names:
        rows = np.stack([mood(name, strength, gap) for strength in STRENGTHS])
        rows[:, space.HEAD_YAW : space.HEAD_Z + 1] = 0  # how the face changes, not where it is
        points = _points(watch(rows))
        moved = [(settled(each, rest) - rest) / np.float32(portrait.face_width) for each in points]
        seen.append(np.array(moved, np.float32))
    full = np.array([moved[_FULL_STRENGTH].ravel() for moved in seen])
    scores: list[MoodScore] = []
    for number, (name, moved) in enumerate(zip(names, seen, strict=True)):
        size = np.linalg.norm(full, axis=1)
        apart = np.linalg.norm(full - full[number], axis=1) / np.minimum(size, size[number])
        apart[number] = np.inf
        grown = np.concatenate([[0.0], moved.reshape(len(moved), -1) @ moved[-1].ravel()])
        r = float(np.corrcoef((0, *STRENGTHS), grown)[0, 1])
        lips = _shut(watch(_babbled(name, gap)))
        scores.append(MoodScore(name, r, names[int(apart.argmin())], float(apart.min()), lips))
    return scores


def amplitudes(portrait: Portrait, watch: Watch, opened: Opened, seconds: float = SPOKEN_S) -> list[float]:
    """How far landmarks go from frame to frame at `AMPLITUDES`, in face widths, while the face speaks."""
    rows = [_speaking(opened(), Control("speaking", amplitude=wish), seconds) for wish in AMPLITUDES]
    return [float(np.abs(np.diff(_points(watch(each)), axis=0)).mean()) / portrait.face_width for each in rows]


def parts(watch: Watch, opened: Opened, seconds: float = SPOKEN_S) -> list[PartScore]:
    """Pose only and expression only, of one motion."""
    rows = _speaking(opened(), Control("speaking", "happy"), seconds)
    seen = {part: [face for _, face in watch(only(rows, part)) if face] for part in PARTS}
    head = {part: float(np.std([pose(face.points) for face in faces], axis=0).sum()) for part, faces in seen.items()}
    face = {part: float(np.std([face.blendshapes for face in faces], axis=0).sum()) for part, faces in seen.items()}
    return [PartScore(part, head[part] / head["all"], face[part] / face["all"]) for part in PARTS if part != "all"]


def _points(seen: list[tuple[Image, FaceLandmarks | None]]) -> Floats:
    """(n, 468, 2) px, of those that the tracker finds."""
    found = [face.points[:POINTS, :2] for _, face in seen if face]
    if not found:
        raise MediaError("The tracker does not find this face, so its motion cannot be measured.")
    return np.array(found, np.float32)


def _speaking(mover: Mover, control: Control, seconds: float) -> Floats:
    """(n, 64) as a face moves that speaks."""
    sound = voice(seconds)
    return mover.step(sound[: len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME], control)


def _babbled(name: Emotion, gap: float) -> Floats:
    """(3 * `_CYCLE_FRAMES`, 64) with a mood at full strength, whose head keeps still."""
    control = Control("speaking", name)
    silence = np.zeros((_MOOD_FRAMES + 3 * _CYCLE_FRAMES) * SAMPLES_PER_FRAME, np.float32)
    rows = Generator(SEED, Babble).step(silence, control)
    rows[:, space.HEAD_YAW : space.HEAD_Z + 1] = 0
    return (PartedLips(gap)(rows, control) if gap else rows)[-3 * _CYCLE_FRAMES :]


def _shut(seen: list[tuple[Image, FaceLandmarks | None]]) -> float:
    """The gap between the lips, in distances of the eyes, in the middle of every "m" of `_babbled`."""
    gaps = [
        float(np.linalg.norm(face.points[13, :2] - face.points[14, :2]) / np.linalg.norm(_eyes(face.points)))
        for number, (_, face) in enumerate(seen, _MOOD_FRAMES)
        if face and all(shuts(number + beside) for beside in (-1, 0, 1))
    ]
    return float(np.median(gaps)) if gaps else 1.0


def _eyes(points: Floats) -> Floats:
    """(2,) px from one eye to the other."""
    left, right = (points[list(corners), :2].mean(axis=0) for corners in ((362, 263), (33, 133)))
    return left - right
