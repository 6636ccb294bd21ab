"""How a person behaves in a scene: the fitted processes of `animator.motion`, as the motion network's teacher."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animator.audio import MELS, to_features
from animator.control import EMOTIONS, STATES, Emotion, State
from animator.learn.scenes import Scene, Wishes
from animator.motion.channels import HEAD, to_upper
from animator.motion.expression import Expression, Mood
from animator.motion.eyes import Blinks, Gaze
from animator.motion.filters import Follower
from animator.motion.head import Head
from animator.motion.mouth import HOPS_PER_FRAME, LOOK_AHEAD
from animator.motion.prosody import SILENT, Heard, Prosody

LIVELINESS: dict[Emotion, float] = {
    "neutral": 1.0, "happy": 1.15, "sad": 0.65, "angry": 1.15, "surprised": 1.1, "afraid": 1.1, "disgusted": 0.9,
    "tender": 0.8, "thoughtful": 0.75,
}  # fmt: skip
NODS = 0.75  # of the phrases that a listener hears end
SYMPATHY = 0.35  # of the speaker's accents is seen on a listener's brows
TURN = (0.15, 0.12)  # share of a wished gaze that the head follows
NEARNESS = 0.7  # the head moves with this power of the distance


class _Actor:
    """The processes of one face. `motion` of a frame is everything after the mouth's channels."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._head, self._gaze, self._blinks, self._expression = (
            process(child) for process, child in zip((Head, Gaze, Blinks, Expression), random.spawn(4), strict=True)
        )
        self._mood = Mood()
        self._life, self._near = Follower(0.7, 1.0), Follower(0.5, 1.0)
        self._turns = Follower(0.45), Follower(0.45)

    def acknowledge(self) -> None:
        """A phrase of the other one ends: mostly a reason to nod."""
        if self._random.random() < NODS:
            self._head.acknowledge()

    def move(self, state: State, own: Heard, felt: Heard, wish: "_Wish") -> NDArray[np.float32]:
        """One frame on. ``felt`` is the voice that moves brows and lids, be it the own or that which is listened to."""
        life = self._life(1 + (LIVELINESS[wish.emotion] - 1) * wish.strength)
        near = self._near(wish.distance) ** NEARNESS
        gaze = self._gaze(state, own)
        head = life * near * self._head(state, own, gaze)[: len(HEAD)]
        blink = self._blinks(state, felt, self._gaze.shifted)
        mood, bearing = self._mood(wish.emotion, wish.strength)
        upper = to_upper(life * self._expression(state, felt) + mood)
        head[:3] += bearing[:3]
        for axis, (turn, share) in enumerate(zip(self._turns, TURN, strict=True)):
            head[axis] += share * turn(wish.gaze[axis])
        look = (gaze[0] + bearing.gaze_yaw, gaze[1] + bearing.gaze_pitch)
        return np.concatenate([upper, [blink], head, look]).astype(np.float32)


class _Wish(NamedTuple):
    emotion: Emotion
    strength: float
    gaze: tuple[float, float]  # degrees
    distance: float


def perform(scene: Scene, wishes: Wishes, random: np.random.Generator) -> NDArray[np.float32]:
    """(frames, len(CHANNELS)): the whole face in ``scene``, with the scene's own mouth."""
    actor, rows = _Actor(random), list[NDArray[np.float32]]()
    for i, (own, other) in enumerate(zip(_heard(scene.own), _heard(scene.other), strict=True)):
        state = STATES[scene.state[i]]
        gaze = wishes.gaze[i].astype(np.float64)
        wish = _Wish(
            EMOTIONS[wishes.emotion[i]], float(wishes.strength[i]), (gaze[0], gaze[1]), float(wishes.distance[i])
        )
        felt = own
        if state == "listening":
            felt = replace(other, accent=SYMPATHY * other.accent, started=False)
            if other.ended:
                actor.acknowledge()
        rows.append(actor.move(state, own, felt, wish))
    return np.concatenate([scene.mouth.astype(np.float32), np.stack(rows)], axis=1)


def _heard(power: NDArray[np.float16]) -> list[Heard]:
    """What is heard of a voice in each frame, `LOOK_AHEAD` frames before the mouth says it."""
    prosody = Prosody()
    frames = to_features(10.0 ** power.astype(np.float32)).reshape(-1, HOPS_PER_FRAME, MELS)
    return [*map(prosody, frames[LOOK_AHEAD:]), *(SILENT for _ in range(LOOK_AHEAD))]
