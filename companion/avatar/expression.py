"""The expression of the face: what a client asks for, the feeling of what is said, and a little of what the user
feels."""

from dataclasses import replace
from typing import cast

from animator.control import Control, Emotion
from companion.speech.playout import Cue
from companion.stages.protocols import SPEAK_RATE

SYMPATHY_S = 12.0  # for which a user's feeling shows in the face
SYMPATHY_SHARE = 0.5  # of its strength


class Expression:
    """``clock`` is that of the output, in samples."""

    def __init__(self) -> None:
        self.rest()
        self._felt: tuple[Emotion, float, int] | None = None  # by the user: what, how strongly, and when it was known

    def rest(self) -> None:
        """Nobody speaks any more: return to the expression that was asked for."""
        self._emotion, self._gaze = "neutral", (0.0, 0.0)

    def follow(self, cue: Cue) -> None:
        """Take on the feeling and the gaze of a cue."""
        if cue.word is None:
            self._emotion, self._gaze = cue.line.emotion, (0.0, 0.0)
        for mark in cue.marks:
            self._emotion, self._gaze = mark.emotion or self._emotion, mark.gaze or self._gaze

    def mirror(self, emotion: Emotion, strength: float, clock: int) -> None:
        """Show a little of what the user feels, with a ``strength`` of 0 to 1, until the face has feelings of its own
        or some time has passed."""
        self._felt = (emotion, strength, clock)

    def over(self, wished: Control, clock: int) -> Control:
        """``wished``, overlaid with the feelings of what is said and of the user."""
        if any(self._gaze):
            wished = replace(wished, gaze_yaw_deg=self._gaze[0], gaze_pitch_deg=self._gaze[1])
        if self._emotion != "neutral":
            return replace(wished, emotion=cast(Emotion, self._emotion))
        if self._felt and wished.emotion == "neutral" and clock - self._felt[2] < SYMPATHY_S * SPEAK_RATE:
            return replace(wished, emotion=self._felt[0], emotion_strength=SYMPATHY_SHARE * self._felt[1])
        return wished
