"""What goes on while the user speaks: the language model reads along, and the face shows sympathy and gives
backchannels."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from companion.avatar.show import Show
from companion.dialogue.drafts import ReadAhead
from companion.dialogue.mind import Mind
from companion.dialogue.rehearsal import Rehearsal
from companion.session.replies.speaking import OWN
from companion.stages.protocols import TTS, Transcript
from companion.stages.streams import collected
from companion.tasks import Spawn

PERHAPS_OVER = 0.06  # s within which a turn with known words usually ends: after that the reply itself reads it
SETTLING_S = 0.3  # s after which a new client has said what it wants
MURMUR_GAIN = np.float32(0.4)  # loudness of an "mm-hm" beside that of speech


class Attention:
    """One session's. ``voice`` gives the one in use."""

    def __init__(
        self,
        mind: Mind,
        show: Show,
        drafts: ReadAhead,
        rehearsal: Rehearsal,
        voice: Callable[[], TTS],
        spawn: Spawn,
    ) -> None:
        self._mind, self._show, self._ahead, self._rehearsal = mind, show, drafts, rehearsal
        self._voice, self._spawn = voice, spawn

    @property
    def curious(self) -> bool:
        """Whether the words of a turn are of use before it ends."""
        return self._ahead.possible

    def prepare(self) -> None:
        """Let a language model that can do so read what is known of the next prompt."""
        self._ahead.read(self._mind.foresight.known, SETTLING_S)

    def follow(self, said: Transcript, whole: bool) -> None:
        """Take in what the user has said so far; ``whole``: that may be all."""
        if whole and self._mind.foresight.sure:
            self._ahead.draft(self._mind.foresight.expected(said))
        else:
            self._ahead.read(lambda: self._mind.foresight.known(said.text), PERHAPS_OVER if whole else 0.0)
        self._spawn(self._sympathise(said.text), "sympathise")

    def drop(self) -> None:
        """Drop what was drafted: the user goes on, or asks for something else."""
        self._ahead.drop()

    def murmur(self) -> None:
        """Say "mm-hm"."""
        self._spawn(self._murmur(), "murmur")

    def rehearse(self) -> None:
        """Let the voice in use synthesize its openers."""
        self._spawn(self._rehearse(), "rehearse")

    async def _sympathise(self, text: str) -> None:
        self._mind.empathy.show(await self._mind.empathy.feel(text))

    async def _murmur(self) -> None:
        with suppress(Exception):  # whatever is wrong with the voice, the next reply will say it
            if sentence := self._mind.murmur():
                pieces = await collected(self._voice().speak(sentence.spoken, sentence.emotion))
                self._show.murmur(MURMUR_GAIN * np.concatenate([piece.audio for piece in pieces]))

    async def _rehearse(self) -> None:
        with suppress(Exception):  # the same
            await self._rehearsal.say(self._voice(), self._mind.persona, self._mind.conversation.language or OWN)
