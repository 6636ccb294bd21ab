"""What a user says, told before their turn is over: at its pauses, and while it goes on."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from companion.hearing.floor import Floor
from companion.hearing.transcripts import Understanding, Understood
from companion.stages.protocols import Samples, Transcript

FOLLOW = 2.0  # s of speech after which what was said so far is transcribed, for who wants to know it early


class Overhearing:
    """``spawn`` starts a named task that ends with the session."""

    def __init__(
        self, words: Understanding, floor: Floor, spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]]
    ) -> None:
        self._words, self._floor, self._spawn = words, floor, spawn
        self._turn = 0  # which
        self._known = 0.0  # s of speech in it that were transcribed already
        self._attempt: Understood | None = None
        self._whole: Understood | None = None  # what is said before the pause that lasts

    def start(self) -> None:
        """A turn begins; what is still being understood of the one before is told to nobody."""
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
            self._spawn(self._tell(self._turn, said), "overhear")

    def resume(self) -> None:
        """The pause was none: what is still being understood is the beginning of more."""
        self._attempt, self._whole = self._whole, None
        if not self._floor.curious:
            self._cancel()
        self._floor.user_resumes()

    def follow(self, voiced: float, sound: Callable[[], Samples]) -> None:
        """The turn goes on; one attempt to understand it at a time. The last word is often half of another one."""
        busy = self._attempt is not None and not self._attempt.done()
        if busy or voiced - self._known < FOLLOW or not self._floor.curious:
            return
        self._known = voiced
        self._attempt = self._words.transcribe(sound())
        self._spawn(self._tell(self._turn, self._attempt, broken_off=True), "overhear")

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
