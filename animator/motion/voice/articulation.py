"""The shapes of speech with people's range: how far each sound parts, rounds, spreads and rolls the lips on film.

The mouth network (`animator.motion.voice.mouth_net`) learned the mean mouth of rules; this one learned from filmed
people, whose lips part by themselves and hardly with the jaw. How it was trained:
`animator.learn.speech.train_articulation`; its figures: MODEL_CARD.md.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from animator.motion.voice.listener import Listener
from animator.motion.voice.mouth_net import CHANNELS, HIDDEN_SIZE, MouthRow

MODEL = Path(__file__).with_name("articulation.onnx")
_OMITTED_SHAPES = ("jawOpen", "mouthClose", "mouthPress")  # of a press, film and sound know nothing of each other
SHAPES: tuple[str, ...] = tuple(name for name in CHANNELS if name not in _OMITTED_SHAPES)
SHAPE_COLUMNS = [CHANNELS.index(name) for name in SHAPES]
# Which shapes a speaker uses more or less than others, together, and by how much: half to four fifths of the spread,
# between the filmed speakers, of the logarithm of a shape's own spread (.38 to .57), which single sentences overstate.
_HABITS: dict[tuple[str, ...], float] = {
    ("mouthUpperUp", "mouthShrugUpper"): 0.35,
    ("mouthLowerDown",): 0.30,
    ("mouthFunnel", "mouthPucker"): 0.20,
    ("mouthSmile", "mouthStretch", "mouthDimple"): 0.30,
    ("mouthRollLower", "mouthRollUpper", "mouthShrugLower"): 0.30,
}
_JAW_HABIT = 0.15  # the same of the jaw, whose way sounds tell the most of
# Of rounded lips both networks know something: their sum follows film and rules better than either, and these shares of
# each, less what they say of any sound, move as far as people's.
_ROUND_SHAPES = [SHAPES.index(name) for name in ("mouthFunnel", "mouthPucker")]
_FILM_SHARE, _RULE_SHARE, _ROUND_FLOOR = 1.6, 1.25, 0.12
# Sentences that are read part lips less than talk does: so much further do these go in sounds that are not round. It
# shows the teeth at "ee", "s", "sh", "ch" and "t", whose shapes these are.
_PARTING_GAINS = {
    "mouthUpperUp": 1.75, "mouthLowerDown": 1.5, "mouthStretch": 2.7, "mouthSmile": 1.5, "mouthDimple": 1.4,
}  # fmt: skip
_PARTING = np.array([_PARTING_GAINS.get(name, 1.0) - 1 for name in SHAPES], np.float32)
# Who converses widens the mouth as it opens (opening and width correlate by .3 in conversation, not at all in sentences
# that are read): so much of these for a jaw that is wide open, where the lips are not round.
_WIDENING_SHARES = {"mouthStretch": 0.6, "mouthSmile": 0.45, "mouthDimple": 0.2}
_WIDENING = np.array([_WIDENING_SHARES.get(name, 0.0) for name in SHAPES], np.float32)
_JAW = CHANNELS.index("jawOpen")
# The mouth of who converses is half as open in the median of its frames as in its widest: the jaw falls by this share
# more where it hardly opens, and by nothing from where it is wide open.
_LINGERING, _WIDE_JAW = 0.45, 0.5
# Pucker and funnel together, up to where lips are not round, and from where they are
_LEAST_ROUNDING, _FULL_ROUNDING = 0.15, 0.6
_MOST_SPREADS = 1.5  # spreads that a speaker is away from the mean

Shapes = NDArray[np.float32]  # (len(SHAPES),), in the units of `animator.motion.voice.mouth_net.CHANNELS`
STILL_SHAPES: Shapes = np.zeros(len(SHAPES), np.float32)


class Articulation(Listener):
    """Weights of `SHAPES` for a stream, for the same frame as the current output of `MouthNet`."""

    def __init__(self) -> None:
        super().__init__(MODEL, HIDDEN_SIZE, len(SHAPES))

    def meant(self, said: Shapes, speech: float) -> Shapes:
        return said.clip(0.0, 1.0) * np.float32(min(1.0, 2 * speech))


class Style:
    """How one speaker articulates: each shape a little more or less than people do in the mean."""

    def __init__(self, random: np.random.Generator) -> None:
        self._gains = np.ones(len(SHAPES), np.float32)
        for names, spread in _HABITS.items():
            gain = np.exp(spread * np.clip(random.standard_normal(), -_MOST_SPREADS, _MOST_SPREADS))
            self._gains[[SHAPES.index(name) for name in names]] = gain
        self._jaw_gain = float(np.exp(_JAW_HABIT * np.clip(random.standard_normal(), -_MOST_SPREADS, _MOST_SPREADS)))

    def __call__(self, mouth: MouthRow, heard: MouthRow, shapes: Shapes) -> MouthRow:
        """The mouth that this speaker makes of ``shapes``.

        ``mouth`` is what the behaviour made of ``heard``, the mouth network's: what it changed is kept.
        """
        row = mouth.copy()
        told = self._gains * shapes
        told[_ROUND_SHAPES] = np.maximum(
            _FILM_SHARE * told[_ROUND_SHAPES] + _RULE_SHARE * heard[SHAPE_COLUMNS][_ROUND_SHAPES] - _ROUND_FLOOR, 0
        )
        unrounded = float(
            np.clip((_FULL_ROUNDING - told[_ROUND_SHAPES].sum()) / (_FULL_ROUNDING - _LEAST_ROUNDING), 0, 1)
        )
        spread = told * _PARTING + self._gains * _WIDENING * mouth[_JAW]
        row[SHAPE_COLUMNS] += told + unrounded * spread - heard[SHAPE_COLUMNS]
        lingering = 1 + _LINGERING * max(0.0, 1 - heard[_JAW] / _WIDE_JAW)
        row[_JAW] += (self._jaw_gain * lingering - 1) * heard[_JAW]
        return row
