"""The face's loop, which never stops: it takes sound from the buffer, has it drawn, and sends sound and pictures
together.

Output is paced by the wall clock and sent as soon as it is drawn, never ahead of time, so that an interruption takes
effect at once; clients buffer as much as their own jitter needs. Sound waits only briefly for its pictures: on a busy
machine they follow later, with the same pts. A loop that falls behind catches up; time that it cannot catch up with is
skipped and reported, and the rest of the speech moves back. Time is counted in samples: ``clock`` is the pts of the
next chunk.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from animator.control import Control, Emotion, State
from animator.units import FPS, SAMPLES_PER_FRAME, pcm16
from companion.avatar.buffers import KEPT_SAMPLES, LookAhead, Murmur, Playback, SilenceTimer
from companion.avatar.delivery import Delivery, Phase
from companion.avatar.device import Device
from companion.avatar.expression import Expression
from companion.avatar.pictures import Look, Pictures, Sounds
from companion.avatar.source import Source
from companion.metrics import Metrics
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.speech.playout import Feed, Mouth, Speaker
from companion.stages.protocols import SPEAK_RATE, Samples

CHUNK_FRAMES = 2  # where no face sets the length of a chunk
PICTURES_S = 0.06  # s that sound waits for its pictures
GIVE_UP_S = 0.5  # s behind the clock, beyond which time is skipped
MURMUR_ID = "listening"  # stands for a response in the sound events of a murmur


class Show:
    """One session's; ``send`` sends an event. `run` and `Pictures.run` must be running for anything to be shown."""

    def __init__(self, device: Device, send: Callable[[ServerEvent], None], metrics: Metrics) -> None:
        self.mouth = Mouth()
        self.pictures = Pictures(device, send, metrics)
        self.control = Control()
        self.clock = 0  # samples
        self._send, self._metrics = send, metrics
        self._delivery = Delivery()
        self._expression = Expression()
        self._ahead = LookAhead()
        self._murmur = Murmur()
        self._source = Source(self.mouth, self._delivery, self._ahead, self._murmur)
        self._playback = Playback(lambda: asyncio.get_running_loop().time())
        self._silence = SilenceTimer(metrics.silenced.observe)
        self._sent: Samples = np.zeros(0, np.float32)

    @property
    def speaking(self) -> bool:
        """Whether a speaker has begun and is not done."""
        waiting = self._delivery.phase is Phase.WAITING and self.mouth.waiting > 0
        return self._delivery.sounding or waiting

    @property
    def holding(self) -> bool:
        """Whether the speaker pauses and may go on."""
        return self._delivery.held

    @property
    def chunk_frames(self) -> int:
        """The length of a chunk in frames."""
        look = self.pictures.look
        return look.face.chunk_frames if look else CHUNK_FRAMES

    def speak(self, speaker: Speaker) -> Feed:
        """Give the floor to ``speaker`` -> what feeds the buffer with its speech."""
        self.interrupt()
        self._delivery.begin(speaker)
        return self.mouth.begin()

    def hold(self, since: float | None = None) -> None:
        """Pause the speaker from the next chunk on until `release`, because somebody may have begun to speak at loop
        time ``since``."""
        if self._delivery.sounding and not self._delivery.held:
            self._silence.begin(since)
            self.pictures.interrupt()  # the mouth closes now, not after what the face has looked ahead
        self._delivery.hold()

    def release(self) -> None:
        """Let the speaker go on, beginning with the word that the pause cut off."""
        if self._delivery.phase is Phase.PAUSED and (later := self.mouth.again(self._delivery.paused_at)):
            self._ahead.mute()
            self._delivery.again(later)
        self._silence.begin(None)
        self._delivery.release()

    def mirror(self, emotion: Emotion, strength: float) -> None:
        """As `Expression.mirror`, from now on."""
        self._expression.mirror(emotion, strength, self.clock)

    def murmur(self, sound: Samples) -> None:
        """Play a backchannel, (n,) at `SPEAK_RATE`. It does not take the floor; while somebody speaks it is dropped."""
        if self._delivery.phase is Phase.SILENT:
            self._murmur.begin(sound, self.clock)

    def interrupt(self) -> None:
        """Fall silent now: nothing that waits or is being drawn will be sent as sound."""
        self._murmur.stop()
        self.pictures.interrupt()
        self._rest()
        self._ahead.mute()
        self.mouth.clear()

    def wear(self, look: Look | None) -> None:
        """Change to another face (or to none) from the next chunk on. The sound that it needs to look ahead begins with
        a pause."""
        self.pictures.wear(look)
        later = self._ahead.resize(look.face.delay_frames * SAMPLES_PER_FRAME if look else 0)
        self._delivery.postpone(later)

    def played(self, played_ms: float, buffered_ms: float = 0.0) -> None:
        """The client reports that it is now playing ``played_ms`` of the output clock, and has ``buffered_ms`` more."""
        self._playback.report(played_ms)
        on_the_way = self.clock / SPEAK_RATE - (played_ms + buffered_ms) / 1000
        self.pictures.thrift.report(on_the_way, asyncio.get_running_loop().time())

    def heard(self) -> int:
        """How much of the speaker's sound the user has heard, in samples: as the client reports it, otherwise
        estimated."""
        return self._delivery.heard(self._playback.heard(self.clock))

    def surely_heard(self) -> int:
        """The same, counting no more than a client has confirmed whose connection may be dead."""
        return self._delivery.heard(self._playback.surely_heard(self.clock))

    def recent(self) -> Samples:
        """The last seconds of the sound that was sent, silence included."""
        return self._sent

    async def run(self, tick: Callable[[], State], user: Callable[[int], Samples]) -> None:
        """Run until cancelled. ``tick`` is called before each chunk and returns the state of the face; then ``user``
        returns as many samples of the user's voice as it is asked for, at `SPEAK_RATE`."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            due = start + self.clock / SPEAK_RATE
            await asyncio.sleep(max(0.0, due - loop.time()))
            if (behind := loop.time() - due) > GIVE_UP_S:
                self._leave_out(behind)
                due = start + self.clock / SPEAK_RATE
            control = self._expression.over(replace(self.control, state=tick()), self.clock)
            await self._chunk(due, control, user)

    def _leave_out(self, seconds: float) -> None:
        """Skip the time in which nothing was sent; the speaker goes on after it."""
        frames = int(seconds * FPS)
        lost = frames * SAMPLES_PER_FRAME
        self._delivery.miss(self.clock, lost)
        self._murmur.stop()
        self.pictures.leave_out(frames)
        self._metrics.late.inc()
        if self.pictures.look:
            self._send(events.AvatarDelayed(round(self.clock * 1000 / SPEAK_RATE, 3), round(1000 * frames / FPS, 3)))
        self.clock += lost

    async def _chunk(self, due: float, control: Control, user: Callable[[int], Samples]) -> None:
        look, n = self.pictures.look, self.chunk_frames * SAMPLES_PER_FRAME
        sounding = self._source.chunk(self.clock, n)
        speaker, sound = self._delivery.speaker, sounding.sent
        sounds, saying = Sounds(sounding.audio, user(n)), speaker if sounding.first < sounding.last else None
        chunk = self.pictures.add(self.clock, sounds, control, saying) if look else None
        if chunk:
            await chunk.wait(due + PICTURES_S)
        if self._delivery.phase is Phase.PAUSING:  # somebody began to speak while it was drawn
            sound = self._delivery.faded(sound, self.clock)
        if speaker is not self._delivery.speaker:  # interrupted while it was drawn
            saying, sound = None, np.zeros_like(sound)
        self._send_sound(saying, sound, sounding.first, sounding.last)
        if chunk:
            chunk.heard.set()
        self._sent = np.concatenate([self._sent, sound])[-KEPT_SAMPLES:]
        if self._delivery.phase in (Phase.PAUSED, Phase.SILENT):
            self._silence.end(asyncio.get_running_loop().time())
        self.clock += n
        self._end()

    def _send_sound(self, speaker: Speaker | None, sound: Samples, first: int, last: int) -> None:
        """Send the chunk's sound: the speaker's from ``first`` to ``last``, or else a listener's murmur."""
        if speaker:
            for cue in self._delivery.due(self.clock + last):
                self._expression.follow(cue)
                speaker.cue(cue)
            speaker.sound(sound[first:last], (self.clock + first) * 1000 / SPEAK_RATE)
        elif self._murmur.lasts(self.clock):
            self._send(events.AudioDelta(MURMUR_ID, "", pcm16(sound), round(self.clock * 1000 / SPEAK_RATE, 3)))

    def _end(self) -> None:
        """Tell the speaker when all of its sound was sent; one that had nothing to say ends at once."""
        speaker = self._delivery.speaker
        if speaker is not None and self._delivery.over(self.clock, self.mouth.ends_at):
            self._rest()
            speaker.ended()

    def _rest(self) -> None:
        self._delivery.end()
        self._expression.rest()
