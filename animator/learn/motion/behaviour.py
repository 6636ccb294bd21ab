"""How the fitted processes of `animator.motion` behave in a scene: the motion network's teacher."""

import numpy as np
from numpy.typing import NDArray

from animator.control import EMOTIONS, STATES, Control
from animator.learn.motion.scenes import Scene, Wishes
from animator.media.mel import MELS, to_features
from animator.motion.behaviour.channels import CHANNELS, GAZE_AT, HEAD_AT, MOUTH_AT, UPPER_AT, to_upper
from animator.motion.behaviour.expression import Mood
from animator.motion.behaviour.processes import Processes
from animator.motion.voice.mouth_net import HIDDEN_SIZE, HOPS_PER_FRAME, LOOK_AHEAD
from animator.motion.voice.prosody import Prosody
from animator.motion.voice.voices import Other, Own

Floats = NDArray[np.float32]


def perform(scene: Scene, wishes: Wishes, random: np.random.Generator) -> Floats:
    """(frames, len(CHANNELS)) float32: the motion of the whole face in ``scene``, with the mouth of its clips."""
    processes, unheard = Processes(random), np.zeros(2 * HIDDEN_SIZE, np.float32)
    moved = moods(wishes.emotion, wishes.strength)
    mouths = scene.mouth.astype(np.float32)
    for i, (own, other) in enumerate(zip(_voice(scene.own), _voice(scene.other), strict=True)):
        moved[i] += processes(Own(mouths[i], unheard, own.prosody), other, _control(scene, wishes, i))
    moved[:, MOUTH_AT] = mouths
    return moved


def moods(emotion: NDArray[np.uint8], strength: NDArray[np.float16]) -> Floats:
    """(frames,) indices into EMOTIONS and their strengths -> (frames, len(CHANNELS)) float32: what the requested
    emotions add to a face."""
    mood, rows = Mood(), np.zeros((len(emotion), len(CHANNELS)), np.float32)
    for row, name, size in zip(rows, emotion.tolist(), strength.tolist(), strict=True):
        weights, bearing = mood(EMOTIONS[name], size)
        row[UPPER_AT] = to_upper(weights)
        row[HEAD_AT][:3] = bearing[:3]
        row[GAZE_AT] = bearing[3:]
    return rows


def _control(scene: Scene, wishes: Wishes, frame: int) -> Control:
    return Control(
        STATES[scene.state[frame]], EMOTIONS[wishes.emotion[frame]], float(wishes.strength[frame]),
        float(wishes.gaze[frame, 0]), float(wishes.gaze[frame, 1]), float(wishes.distance[frame]),
    )  # fmt: skip


def frames_of(columns: Floats) -> Floats:
    """(frames * hops, MELS) -> (frames + LOOK_AHEAD, hops, MELS), followed by silence."""
    silence = np.zeros((LOOK_AHEAD * HOPS_PER_FRAME, MELS), np.float32)
    return np.concatenate([columns, silence]).reshape(-1, HOPS_PER_FRAME, MELS)


def heard(columns: Floats) -> list[Other]:
    """(frames * hops, MELS) log-mel -> per frame, what has been heard `LOOK_AHEAD` frames later, when the frame is
    made."""
    prosody = Prosody()
    return [Other(features, prosody(features)) for features in frames_of(columns)][LOOK_AHEAD:]


def _voice(power: NDArray[np.float16]) -> list[Other]:
    return heard(to_features(10.0 ** power.astype(np.float32)))
