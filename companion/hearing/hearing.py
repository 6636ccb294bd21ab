"""The user's side of a conversation: one microphone, whose turns become items and their words."""

import asyncio
from collections.abc import Callable

import numpy as np

from animator.units import from_pcm16
from companion.conversation.items import Item
from companion.hearing.audio.detection import rules
from companion.hearing.audio.microphone import Microphone
from companion.hearing.audio.resampling import Resampler
from companion.hearing.recognisers import Recognisers
from companion.hearing.transcription.transcripts import Transcripts, Utterance
from companion.hearing.turn_taking.barge_in import BargeIn
from companion.hearing.turn_taking.endpointing import Endpointing
from companion.hearing.turn_taking.floor import Floor
from companion.hearing.turn_taking.interim import InterimTranscripts
from companion.hearing.turn_taking.user_turns import State, UserTurns
from companion.protocol import formats
from companion.protocol.codec import WireError
from companion.protocol.events import ServerEvent
from companion.protocol.ids import new_id
from companion.protocol.settings import AudioInput
from companion.stages.protocols import HEAR_RATE, Samples
from companion.tasks import Spawn

SHORTEST_COMMIT = 0.1  # s of sound that a client may commit
LOST_PACKETS_S = 1.0  # s without a packet after which a microphone in mid-turn counts as silent


class Hearing:
    """One session's. ``settings`` as in `configure`; ``tell`` sends an event."""

    def __init__(
        self,
        recognisers: Recognisers,
        transcripts: Transcripts,
        floor: Floor,
        tell: Callable[[ServerEvent], None],
        spawn: Spawn,
        settings: AudioInput,
    ) -> None:
        self._recognisers, self._transcripts, self._floor = recognisers, transcripts, floor
        self._tell, self._spawn = tell, spawn
        self._heard_at = -np.inf  # loop time of the last packet
        self._listen(settings, 0.0)

    def configure(self, settings: AudioInput) -> None:
        """Start listening afresh with these settings; what was heard and not committed is dropped."""
        self.clear()
        self._listen(settings, self.now)

    def _listen(self, settings: AudioInput, now: float) -> None:
        asked, floor = settings.turn_detection, self._floor
        semantic = asked is not None and asked.type == "semantic_vad"
        lasts, allowed = self._recognisers.turns.barge_in_ms / 1000, asked is not None and asked.interrupt_response
        detection = rules(asked, self._recognisers.turns)
        self._format = settings.format
        self._microphone = Microphone(self._recognisers.vad(), detection, settings.format.rate, now)
        self._turns = UserTurns(
            microphone=self._microphone,
            barge_in=BargeIn(self._microphone, floor, lasts, allowed),
            endpointing=Endpointing(self._microphone, self._recognisers.turn_end, floor, semantic),
            transcripts=self._transcripts,
            interim=InterimTranscripts(self._transcripts, floor, self._spawn),
            floor=floor,
            tell=self._tell,
            spawn=self._spawn,
            answers=asked is not None and asked.create_response,
        )
        self._transcripts.language = settings.transcription.language if settings.transcription else None

    @property
    def attentive(self) -> bool:
        """Whether the user speaks, or the microphone is at least open."""
        return self._turns.state is State.SPEAKING or self._now() - self._heard_at < LOST_PACKETS_S

    @property
    def busy(self) -> bool:
        """Whether the user speaks, or what they said is still being transcribed."""
        return self._turns.state is not State.SILENT or self._transcripts.busy

    @property
    def now(self) -> float:
        """Seconds of sound received."""
        return self._microphone.now

    def append(self, pcm: bytes) -> None:
        """The next PCM16 of the microphone. Raises WireError for half a sample, BufferFullError."""
        pcm = formats.linear(pcm, self._format)
        if len(pcm) % 2:
            raise WireError("invalid_value", "`audio` is PCM16: it has an even number of bytes.", "audio")
        self._heard_at = self._now()
        self._microphone.play(self._floor.clock, self._floor.played())
        for turn in self._microphone.append(pcm):
            self._turns.take(turn)
        self._turns.heard()

    def add(self, item: Item, sound: bytes, after: str | None) -> None:
        """A user's item whose words are in its sound. Raises WireError for half a sample, KeyError for an unknown
        ``after``."""
        pcm = formats.linear(sound, self._format)
        if len(pcm) % 2:
            raise WireError(
                "invalid_value", "`audio` is PCM16: it has an even number of bytes.", "item.content.0.audio"
            )
        heard = Resampler(self._format.rate)(from_pcm16(pcm))
        self._transcripts.add_item(item, heard, after)

    def user(self, n: int) -> Samples:
        """The user's voice for the next chunk of the face, (n,) at `SPEAK_RATE`: see `UserVoice.take`. While the face
        speaks it hears only a user who has taken the floor: anything else may be its own echo."""
        voice = self._microphone.voice.take(n)
        alone = self._floor.speaking and self._turns.state is not State.SPEAKING
        return np.zeros_like(voice) if alone else voice

    def tick(self, seconds: float) -> None:
        """Call it as time passes: a microphone that went away during a turn counts as silent."""
        if self._turns.state is not State.SILENT and self._now() - self._heard_at > LOST_PACKETS_S:
            for turn in self._microphone.hear(np.zeros(int(seconds * HEAR_RATE), np.float32)):
                self._turns.take(turn)

    def commit(self) -> None:
        """The client says that the turn is over. Raises WireError when there is nothing to commit."""
        audio = self._microphone.take_all()
        self._turns.drop()
        if len(audio) < SHORTEST_COMMIT * HEAR_RATE:
            message = f"The buffer holds {1000 * len(audio) // HEAR_RATE} ms of sound; a commit needs 100 ms or more."
            raise WireError("input_audio_buffer_commit_empty", message)
        begun = self._now() - len(audio) / HEAR_RATE
        utterance = Utterance(new_id("item"), 0.0, ended=self._now(), begun=begun, audio=audio)
        utterance.understanding = self._transcripts.transcribe(audio)
        self._transcripts.add(utterance)

    def commit_silence(self, since: float) -> None:
        """Add an item of its own for the silence of a user who has said nothing ``since`` that second of the sound."""
        self._transcripts.add_silence(since, self.now)

    def clear(self) -> None:
        """Forget what was heard and not committed."""
        self._turns.clear()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
