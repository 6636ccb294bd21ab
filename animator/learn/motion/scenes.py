"""Conversations assembled from clips of speech: who says what when, and in which state the face is.

A scene is a dialogue, a monologue, or a face that only listens or only idles. Dialogues have pauses for thought,
interruptions (barge-in) and backchannels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from animator.control import EMOTIONS, STATES, State
from animator.learn.clips.clips import SILENCE_POWER, Clip
from animator.media.mel import MELS
from animator.motion.voice.mouth_net import CHANNELS, HOPS_PER_FRAME
from animator.units import FPS

FADE_SHARES = (0.62, 0.3, 0.1)  # how much of the mouth remains in the frames after an interruption
NOTICE_FRAMES = 6  # frames after which a face that is interrupted falls silent
LONG_FRAMES = 12 * FPS  # frames; only a part of a longer clip is used at a time
GAZE_LIMITS = (20.0, 12.0)  # degrees


@dataclass(frozen=True, slots=True)
class Scene:
    """``own``, ``other`` (frames * 4, MELS): log10 of the mel power of the face's voice and of the interlocutor's;
    ``mouth`` (frames, len(CHANNELS)): the mouth of the face's voice; ``state`` (frames,): indices into STATES."""

    own: NDArray[np.float16]
    other: NDArray[np.float16]
    mouth: NDArray[np.float16]
    state: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.state)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the face is asked to show in each frame, see `animator.learn.clips.shards.Shard`."""

    emotion: NDArray[np.uint8]
    strength: NDArray[np.float16]
    gaze: NDArray[np.float16]
    distance: NDArray[np.float16]


def write(own: Sequence[Clip], others: Sequence[Clip], frames: int, random: np.random.Generator) -> Scene:
    """A random scene of ``frames`` frames in which the face says clips of ``own`` and hears clips of ``others``."""
    hops = frames * HOPS_PER_FRAME
    own_power, other_power = (np.full((hops, MELS), SILENCE_POWER, np.float16) for _ in range(2))
    scene = Scene(own_power, other_power, np.zeros((frames, len(CHANNELS)), np.float16), np.zeros(frames, np.uint8))
    kind = random.random()
    if kind < 0.72:
        _dialogue(scene, own, others, random)
    elif kind < 0.90:
        _monologue(scene, own, random)
    elif kind < 0.97:
        _attend(scene, others, random)
    return scene


def wish(frames: int, random: np.random.Generator) -> Wishes:
    """Random wishes, each held for seconds. A third of the scenes are neutral throughout; half of the scenes have no
    wishes for gaze and distance."""
    emotion, strength = np.zeros(frames, np.uint8), np.ones(frames, np.float16)
    if random.random() < 2 / 3:
        for part in _parts(frames, 9.0, random):
            emotion[part] = random.integers(1, len(EMOTIONS)) if random.random() < 0.7 else 0
            strength[part] = random.uniform(0.2, 1.5)
    gaze, distance = np.zeros((frames, 2), np.float16), np.ones(frames, np.float16)
    if random.random() < 0.5:
        return Wishes(emotion, strength, gaze, distance)
    for part in _parts(frames, 4.0, random):
        if random.random() < 0.65:
            limits = np.array(GAZE_LIMITS)
            gaze[part] = np.clip(random.normal(0, 0.45, 2) * limits, -limits, limits)
    if random.random() < 0.7:
        for part in _parts(frames, 9.0, random):
            distance[part] = random.uniform(0.8, 1.25)
    return Wishes(emotion, strength, gaze, distance)


def _parts(frames: int, seconds: float, random: np.random.Generator) -> list[slice]:
    """``frames`` cut into parts of about ``seconds`` (log-normal)."""
    cuts = [0]
    while cuts[-1] < frames:
        cuts.append(cuts[-1] + max(FPS, int(seconds * FPS * random.lognormal(-0.1, 0.5))))
    return [slice(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]


def _dialogue(scene: Scene, own: Sequence[Clip], others: Sequence[Clip], random: np.random.Generator) -> None:
    at, noticed = _pause(random, 0.4, 3.0), _pause(random, 0.15, 0.45)
    if random.random() < 0.3:
        at = _speak(scene, own, at, random)
    while at < len(scene):
        at = _listen(scene, others, at, noticed, random)
        thought = at + _pause(random, 0.3, 2.6)
        _paint(scene, at, thought, "thinking")
        at = _speak(scene, own, thought, random)
        noticed = _pause(random, 0.15, 0.45)
        if random.random() < 0.22:
            at = _interrupt(scene, thought, at, random) - NOTICE_FRAMES
            noticed = NOTICE_FRAMES
        elif random.random() < 0.25:
            _murmur(scene, others, thought, at, random)
            at += _pause(random, 0.2, 1.5)
        else:
            at += _pause(random, 0.2, 5.0)


def _monologue(scene: Scene, own: Sequence[Clip], random: np.random.Generator) -> None:
    """The face speaks without an interlocutor, as when a sound file is rendered. The state never changes; it is mostly
    "speaking"."""
    _paint(scene, 0, len(scene), "speaking" if random.random() < 0.85 else STATES[int(random.integers(0, len(STATES)))])
    at = _pause(random, 0.0, 1.5)
    while at < len(scene):
        at = _say(scene, _choose(own, random), at) + _pause(random, 0.1, 1.8)


def _attend(scene: Scene, others: Sequence[Clip], random: np.random.Generator) -> None:
    at = _pause(random, 0.5, 2.0)
    while at < len(scene):
        at = _listen(scene, others, at, _pause(random, 0.15, 0.45), random) + _pause(random, 1.0, 4.0)


def _listen(scene: Scene, others: Sequence[Clip], at: int, noticed: int, random: np.random.Generator) -> int:
    """The interlocutor speaks from frame ``at`` on. Returns the frame in which the end of the turn is detected."""
    end = at
    for i in range(random.integers(1, 4)):
        end = _hear(scene, _choose(others, random), end + (_pause(random, 0.2, 0.9) if i else 0))
    end += _pause(random, 0.2, 0.8)
    _paint(scene, at + noticed, end, "listening")
    return end


def _speak(scene: Scene, own: Sequence[Clip], at: int, random: np.random.Generator) -> int:
    end = at
    for i in range(random.integers(1, 5)):
        end = _say(scene, _choose(own, random), end + (_pause(random, 0.05, 0.6) if i else 0))
    _paint(scene, at, end, "speaking")
    return end


def _interrupt(scene: Scene, start: int, end: int, random: np.random.Generator) -> int:
    """The face's voice breaks off at a random frame after its first second. Returns that frame."""
    at = int(random.uniform(min(start + FPS, end), end))
    if at < len(scene):
        scene.own[at * HOPS_PER_FRAME :] = SILENCE_POWER
        last = scene.mouth[at - 1].copy()
        scene.mouth[at:] = 0
        fading = scene.mouth[at : at + len(FADE_SHARES)]
        fading[:] = np.array(FADE_SHARES, np.float16)[: len(fading), None] * last
        _paint(scene, at, len(scene), "idle")
    return at


def _murmur(scene: Scene, others: Sequence[Clip], start: int, end: int, random: np.random.Generator) -> None:
    """A backchannel of the interlocutor while the face speaks; the face goes on speaking."""
    clip = _choose(others, random)
    frames = _pause(random, 0.25, 0.6)
    _put(scene.other, clip.power[: frames * HOPS_PER_FRAME], int(random.uniform(start, end)) * HOPS_PER_FRAME)


def _choose(clips: Sequence[Clip], random: np.random.Generator) -> Clip:
    """A random clip; of a long one, a part that begins and ends at quiet moments."""
    clip = clips[int(random.integers(0, len(clips)))]
    if len(clip.mouth) <= LONG_FRAMES:
        return clip
    level = clip.power.reshape(len(clip.mouth), -1).mean(axis=1, dtype=np.float32)
    start = _quietest(level, int(random.integers(0, len(level) - LONG_FRAMES)))
    end = _quietest(level, start + int(random.integers(3 * FPS, LONG_FRAMES - FPS)))
    hops = slice(start * HOPS_PER_FRAME, end * HOPS_PER_FRAME)
    return replace(clip, power=clip.power[hops], mouth=clip.mouth[start:end], tip=clip.tip[start:end])


def _quietest(level: NDArray[np.float32], near: int) -> int:
    return near + int(np.argmin(level[near : near + FPS]))


def _say(scene: Scene, clip: Clip, at: int) -> int:
    _put(scene.own, clip.power, at * HOPS_PER_FRAME)
    _put(scene.mouth, clip.mouth, at)
    return at + len(clip.mouth)


def _hear(scene: Scene, clip: Clip, at: int) -> int:
    _put(scene.other, clip.power, at * HOPS_PER_FRAME)
    return at + len(clip.mouth)


def _put(into: NDArray[np.float16], rows: NDArray[np.float16], at: int) -> None:
    """Writes ``rows`` from ``at`` on, as many as fit."""
    room = into[at : at + len(rows)]
    room[:] = rows[: len(room)]


def _paint(scene: Scene, start: int, end: int, state: State) -> None:
    scene.state[start:end] = STATES.index(state)


def _pause(random: np.random.Generator, shortest: float, longest: float) -> int:
    """Length of a pause in frames."""
    return round(random.uniform(shortest, longest) * FPS)
