"""Barge-in: whether somebody who speaks over the face takes the floor from it.

The face pauses at once, and goes on unless the speech lasts, or turns out at a pause to be more than a backchannel.
Speech that matches what the face itself is saying is an echo.
"""

import asyncio
from enum import Enum

from companion.errors import StageError
from companion.hearing.audio import echo
from companion.hearing.audio.microphone import Microphone
from companion.hearing.audio.resampling import Resampler
from companion.hearing.transcription import words
from companion.hearing.transcription.transcripts import Understood
from companion.hearing.turn_taking.floor import Floor
from companion.stages.protocols import SPEAK_RATE, Samples, Transcript

ONSET_S = 0.2  # s of sound by which an echo is told from a user who begins to speak
DECISION_S = 0.6  # s for which the paused face waits for the words of the interruption


class Verdict(Enum):
    """The judgement on speech over the face's own."""

    OPEN = "it may be nothing"
    ECHO = "it is the face's own"
    TURN = "it takes the floor"


class BargeIn:
    """Barge-in at one microphone. ``lasts``: seconds of speech that take the floor whatever is said; ``allowed``:
    whether the face may be interrupted at all."""

    def __init__(self, microphone: Microphone, floor: Floor, lasts: float, allowed: bool) -> None:
        self._microphone, self._floor, self._lasts, self.allowed = microphone, floor, lasts, allowed
        self._looks_like_echo: float | None = None  # after how many s of speech in it

    def hold(self) -> None:
        """Speech begins, or goes on after a pause: pause the face at once, and judge the speech meanwhile. What sounds
        like an echo at first is compared again later: two voices are alike for no longer than a syllable."""
        self._looks_like_echo = None
        if self.allowed and self._is_echo(self._microphone.recent(ONSET_S)):
            self._looks_like_echo = self._microphone.voiced
        elif self.allowed:
            self._floor.hold(asyncio.get_running_loop().time() - self._microphone.voiced)

    def judge(self) -> Verdict:
        """Judge speech that is still going on."""
        voiced = self._microphone.voiced
        if self._looks_like_echo is not None and voiced > self._looks_like_echo:
            self.hold()
        if voiced < self._lasts:
            return Verdict.OPEN
        return Verdict.ECHO if self._is_echo(self._microphone.recent(self._lasts)) else Verdict.TURN

    async def takes_floor(self, said: Understood, audio: Samples) -> bool:
        """Whether the words of speech that pauses after ``audio`` take the floor. False if they are not known soon
        enough."""
        await asyncio.wait([said], timeout=DECISION_S)
        return said.done() and not said.cancelled() and self.counts(said.result(), audio)

    def counts(self, said: Transcript | StageError, audio: Samples) -> bool:
        """Whether what was said over the face's own words is a turn."""
        if not isinstance(said, Transcript) or not words.takes_floor(said.text, said.confidence):
            return False
        return not self._is_echo(audio)

    def _is_echo(self, heard: Samples) -> bool:
        return echo.is_echo(heard, Resampler(SPEAK_RATE)(self._floor.played()))
