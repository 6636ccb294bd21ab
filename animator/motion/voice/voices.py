"""What a face hears, frame by frame: its own voice, and that of the person with whom it talks."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from animator.media.mel import MELS, Features, LogMel
from animator.motion.voice.articulation import STILL_SHAPES, Articulation, Shapes
from animator.motion.voice.closing import NO_TOUCHES, Closing, Touches
from animator.motion.voice.intonation import Intonation
from animator.motion.voice.mouth_net import HOPS_PER_FRAME, MouthNet, MouthRow
from animator.motion.voice.prosody import SILENCE, Heard, Prosody
from animator.units import Samples


class Own(NamedTuple):
    """A frame of the face's own voice.

    Of the frame that is shown: the mouth network's ``mouth``; what that network ``heard``, (2 * HIDDEN_SIZE,); how lips
    and tongue touch (``touches``); and the ``shapes`` that the lips take. The ``prosody`` is that of the frame that
    came in, `LOOK_AHEAD` frames later."""

    mouth: MouthRow
    heard: NDArray[np.float32]
    prosody: Heard
    touches: Touches = NO_TOUCHES
    shapes: Shapes = STILL_SHAPES


class Other(NamedTuple):
    """A frame of the other's voice as it came in: (hops, MELS), and its prosody."""

    features: Features
    prosody: Heard


NOBODY = Other(np.zeros((HOPS_PER_FRAME, MELS), np.float32), SILENCE)


class OwnVoice:
    """Follows the own voice."""

    def __init__(self) -> None:
        self._network, self._closing, self._articulation = MouthNet(), Closing(), Articulation()
        self._intonation = Intonation()
        self.reset()

    def __call__(self, audio: Samples) -> Own:
        """(960,), the next frame of sound."""
        features = self._mel(audio)
        mouth = self._network(features)
        prosody = replace(self._prosody(features), lift=self._intonation(audio))
        told = self._network.window, self._network.speech
        return Own(mouth, self._network.heard, prosody, self._closing(*told), self._articulation(*told))

    def reset(self) -> None:
        """Forget all sound."""
        self._mel, self._prosody = LogMel(), Prosody()
        self._network.reset()
        self._closing.reset()
        self._articulation.reset()
        self._intonation.reset()


class OtherVoice:
    """Follows the voice of somebody else."""

    def __init__(self) -> None:
        self.reset()

    def __call__(self, audio: Samples) -> Other:
        """(960,), the next frame of sound."""
        features = self._mel(audio)
        return Other(features, self._prosody(features))

    def reset(self) -> None:
        """Forget all sound."""
        self._mel, self._prosody = LogMel(), Prosody()
