"""Endpointing: how long a pause lasts until the turn is over."""

import asyncio
import logging

from companion.hearing.audio.microphone import Microphone
from companion.hearing.transcription import words
from companion.hearing.transcription.transcripts import Understood
from companion.hearing.turn_taking.floor import Floor
from companion.stages.protocols import Samples, Transcript, TurnEnd
from companion.tasks import cancelled

log = logging.getLogger(__name__)

LONG_SPEECH_S = 4.0  # s of speech after which a listener gives a backchannel
GOES_ON = 0.3  # probability of being done under which somebody who pauses will go on


class Endpointing:
    """Endpointing at one microphone. Unless it is ``semantic``, every pause is as long as the detector's rules say."""

    def __init__(self, microphone: Microphone, turn_end: TurnEnd, floor: Floor, semantic: bool) -> None:
        self._microphone, self._turn_end, self._floor, self._semantic = microphone, turn_end, floor, semantic
        self._acknowledge_at = LONG_SPEECH_S  # s of speech in the running turn after which a pause is acknowledged

    def start(self) -> None:
        """A turn begins."""
        self._acknowledge_at = LONG_SPEECH_S

    async def judge(self, audio: Samples, said: Understood) -> None:
        """Judge a pause after ``audio`` of the turn, while its words (``said``) are still being recognised. The sound
        alone can only make the turn last longer; with the words it can end sooner. Cancel it when the pause is over."""
        if not self._semantic:
            return
        self._microphone.expect(words.MOST_WITHOUT_WORDS)
        done = await self._by_sound(audio)
        if cancelled():
            return
        self._microphone.expect(None if done is None else min(done, words.MOST_WITHOUT_WORDS))
        if done is None:
            return
        if done < GOES_ON and self._microphone.voiced >= self._acknowledge_at:
            self._acknowledge_at = self._microphone.voiced + LONG_SPEECH_S
            self._floor.user_goes_on()
        await asyncio.wait([said])
        if isinstance(transcript := said.result(), Transcript):
            self._microphone.expect(words.done(done, transcript.text, transcript.language))

    async def _by_sound(self, audio: Samples) -> float | None:
        try:
            return await self._turn_end.finished(audio)
        except Exception as error:  # whatever a stage raises: silence still ends the turn
            log.error("the end of a turn cannot be judged: %s", type(error).__name__)
            return None
