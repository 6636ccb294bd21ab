"""Interim transcripts: the words of a turn before it is over, at its pauses and while it goes on."""

from collections.abc import Callable
from dataclasses import replace

from companion.hearing.transcription.transcripts import Transcripts, Understood
from companion.hearing.turn_taking.floor import Floor
from companion.stages.protocols import Samples, Transcript
from companion.tasks import Spawn

FIRST_S, FOLLOWING_S = 0.8, 2.0  # s of speech after which its words are told to who wants to know them early


class InterimTranscripts:
    """Those of the running turn."""

    def __init__(self, transcripts: Transcripts, floor: Floor, spawn: Spawn) -> None:
        self._transcripts, self._floor, self._spawn = transcripts, floor, spawn
        self._turn = 0  # which
        self._known = 0.0  # s of speech in it that were transcribed already
        self._attempt: Understood | None = None
        self._whole: Understood | None = None  # what is said before the pause that lasts

    def start(self) -> None:
        """A turn begins; nobody is told any more of the one before."""
        self.stop()
        self._known = 0.0

    def stop(self) -> None:
        """The turn is over."""
        self._turn += 1
        self._cancel()

    def pause(self, voiced: float, said: Understood | None) -> None:
        """After ``voiced`` s of speech, which are being understood as ``said`` (None: nobody wants to know)."""
        self._cancel()
        self._known, self._whole = voiced, said
        if said:
            self._spawn(self._tell(self._turn, said), "interim transcript")

    def resume(self) -> None:
        """The turn was not over: what is being transcribed is only its beginning."""
        self._attempt, self._whole = self._whole, None
        if not self._floor.curious:
            self._cancel()
        self._floor.user_resumes()

    def follow(self, voiced: float, sound: Callable[[], Samples]) -> None:
        """The turn goes on; one attempt to understand it at a time. The last word is often half of another one."""
        busy = self._attempt is not None and not self._attempt.done()
        if busy or voiced - self._known < (FOLLOWING_S if self._known else FIRST_S) or not self._floor.curious:
            return
        self._known = voiced
        self._attempt = self._transcripts.transcribe(sound())
        self._spawn(self._tell(self._turn, self._attempt, broken_off=True), "interim transcript")

    async def _tell(self, turn: int, said: Understood, broken_off: bool = False) -> None:
        transcript = await said
        if self._turn != turn or not isinstance(transcript, Transcript):
            return
        if text := transcript.text.rpartition(" ")[0] if broken_off else transcript.text:
            self._floor.user_is_saying(replace(transcript, text=text), whole=said is self._whole)

    def _cancel(self) -> None:
        if self._attempt:
            self._attempt.cancel()
        self._attempt = self._whole = None
