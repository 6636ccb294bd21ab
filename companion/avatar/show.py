"""The face's loop, which never stops: takes from the mouth, has it drawn, sends sound and pictures of a chunk together.

Output is paced by the wall clock and sent as soon as it is drawn, never ahead of time, so that an interruption has
nothing to catch up with; a client buffers what its own jitter needs. Sound does not wait long for its pictures: when
the machine is busy they follow later, under the same time. A loop that is late catches up, and gives up what it cannot
catch up with. Time is counted in samples: ``clock`` is the pts of the next chunk.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import cast

import numpy as np

from animator.control import Control, Emotion, State
from animator.units import SAMPLES_PER_FRAME
from companion.avatar.device import Device
from companion.avatar.pictures import Look, Pictures, Sounds
from companion.metrics import Metrics
from companion.protocol import events
from companion.protocol.events import ServerEvent
from companion.speech.playout import Cue, Feed, Mouth, Speaker, Taken, pcm16
from companion.stages.protocols import SPEAK_RATE, Samples

CHUNK_FRAMES = 2  # when there is no face to say it
PATIENCE = 0.06  # s that sound waits for its pictures
GIVE_UP = 0.5  # s behind the clock
SYMPATHY = 12.0  # s for which a user's feeling shows in the face
GENTLY = 0.5  # share of its strength
MURMUR = "listening"  # response of the sounds of a listener, which is none
MEMORY = 3 * SPEAK_RATE  # samples of sent sound kept, to recognise it in the microphone
CLIENT_BUFFER = 0.15  # s that a client is taken to buffer if it does not say
FRESH = 1.5  # s for which a playback report holds
FADE = 240  # samples over which sound ends when it is held, and begins when it goes on: no click


class Show:
    """``tick`` is called before each chunk and says what the face does; then ``user`` gives as much of the user's voice
    as there are samples in it, at `SPEAK_RATE`. ``failed`` hears why a face stopped."""

    def __init__(
        self,
        device: Device,
        send: Callable[[ServerEvent], None],
        tick: Callable[[], State],
        user: Callable[[int], Samples],
        failed: Callable[[Exception], None],
        metrics: Metrics,
    ) -> None:
        self.mouth = Mouth()
        self.pictures = Pictures(device, send, failed, metrics)
        self.control = Control()
        self.clock = 0  # samples
        self._send, self._tick, self._user, self._metrics = send, tick, user, metrics
        self._speaker: Speaker | None = None
        self._start: int | None = None  # clock at which the item's sound begins to be sent, later by what was held
        self._holding, self._fading = False, False
        self._gaps: list[tuple[int, int]] = []  # clock and length, in samples, of what was held
        self._paused_at = 0  # position in the item's sound
        self._cues: deque[Cue] = deque()
        self._emotion, self._gaze = "neutral", (0.0, 0.0)  # the speaker's
        self._mirrored, self._mirrored_at = ("neutral", 0.0), 0  # the user's, and the clock at which it was felt
        self._held: Samples = np.zeros(0, np.float32)  # taken and not sent yet: the face needs to look ahead
        self._murmur: Samples = np.zeros(0, np.float32)  # what is left of it
        self._murmured = 0  # clock until which there is one
        self._sent: Samples = np.zeros(0, np.float32)
        self._playback: tuple[float, float] | None = None  # clock heard (samples), loop time of the report

    @property
    def speaking(self) -> bool:
        """Whether somebody has begun to speak and is not done."""
        return self._start is not None or (self._speaker is not None and self.mouth.waiting > 0)

    @property
    def holding(self) -> bool:
        """The speaker pauses, and may go on."""
        return self._holding

    @property
    def chunk_frames(self) -> int:
        """Frames that a chunk lasts."""
        look = self.pictures.look
        return look.face.chunk_frames if look else CHUNK_FRAMES

    def speak(self, speaker: Speaker) -> Feed:
        """``speaker`` has the mouth from now on -> what fills it."""
        self.interrupt()
        self._speaker = speaker
        return self.mouth.begin()

    def hold(self) -> None:
        """The speaker pauses from the next chunk on, until `release`: perhaps somebody else begins to speak."""
        if self._start is not None and not self._holding:
            self._holding = self._fading = True

    def release(self) -> None:
        """The speaker goes on with the word at which it paused."""
        if not self._holding:
            return
        if not self._fading and (later := self.mouth.again(self._paused_at)):
            self._held = np.zeros_like(self._held)
            self._cues = deque(cue.later(later) for cue in self._cues)
        self._holding, self._fading = False, not self._fading

    def mirror(self, emotion: Emotion, strength: float) -> None:
        """The face shows a little of this, which is felt with a ``strength`` of 0 to 1, until it has feelings of its
        own or some time has passed."""
        self._mirrored, self._mirrored_at = (emotion, strength), self.clock

    def murmur(self, sound: Samples) -> None:
        """A listener's "mm-hm", (n,) at `SPEAK_RATE`: it takes no floor, and is nothing while somebody speaks."""
        if self._speaker is None and self.clock >= self._murmured:
            self._murmur = sound

    def interrupt(self) -> None:
        """Silence, from now on: nothing of what waits or is being drawn will be sent as sound."""
        self._murmur, self._murmured = self._murmur[:0], 0
        self.pictures.interrupt()
        self._forget_speaker()
        self._held = np.zeros_like(self._held)
        self.mouth.clear()

    def wear(self, look: Look | None) -> None:
        """Another face (or none) from the next chunk. Sound that it needs to look ahead comes as a pause."""
        before = len(self._held)
        self.pictures.wear(look)
        delay = look.face.delay_frames * SAMPLES_PER_FRAME if look else 0
        self._held = np.concatenate([np.zeros(max(0, delay - before), np.float32), self._held])[
            -delay or len(self._held) :
        ]
        if self._start is not None:
            self._start += delay - before

    def played(self, played_ms: float) -> None:
        """The client says that it is playing ``played_ms`` of the output clock now."""
        self._playback = (played_ms * SPEAK_RATE / 1000, asyncio.get_running_loop().time())

    def heard(self) -> int:
        """How much of the speaker's sound the user has heard, in samples: by the client's report, else estimated."""
        if self._start is None:
            return 0
        now = asyncio.get_running_loop().time()
        position = self.clock - CLIENT_BUFFER * SPEAK_RATE
        if self._playback is not None and now - self._playback[1] < FRESH:
            position = min(self.clock, self._playback[0] + (now - self._playback[1]) * SPEAK_RATE)
        later = sum(length - min(max(int(position) - at, 0), length) for at, length in self._gaps)
        return max(0, int(position) - self._start + later)

    def recent(self) -> Samples:
        """The last seconds of sound that were sent, silence included."""
        return self._sent

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            due = start + self.clock / SPEAK_RATE
            await asyncio.sleep(max(0.0, due - loop.time()))
            if (behind := loop.time() - due) > GIVE_UP:
                start += behind
                self._metrics.late.inc()
            await self._chunk()

    async def _chunk(self) -> None:
        look = self.pictures.look
        n = self.chunk_frames * SAMPLES_PER_FRAME
        control = self._control()
        held = self._holding and not self._fading
        taken = self._nothing(n) if held else self._take(n)
        if self._speaker and self._start is None and self.mouth.taken:
            self._start = self.clock + len(self._held)
        self._cues.extend(taken.cues)
        speaker, sound = self._speaker, self._next(taken.audio, held)
        first, last = (0, 0) if held else self._span(n)
        saying = speaker if first < last else None
        sounds = Sounds(taken.audio, self._user(n))
        chunk = self.pictures.add(self.clock, sounds, control, saying) if look else None
        if chunk:
            await self._wait(chunk.drawn)
        if self._holding and self._fading:  # somebody began to speak while it was drawn
            sound = self._faded(sound)
        if speaker is not self._speaker:  # interrupted while it was drawn
            first, last, sound = 0, 0, np.zeros_like(sound)
        if speaker and first < last:
            self._send_sound(speaker, sound[first:last], first, last)
        elif self.clock < self._murmured:
            self._send(events.AudioDelta(MURMUR, "", pcm16(sound), round(self.clock * 1000 / SPEAK_RATE, 3)))
        if chunk:
            chunk.heard.set()
        self._sent = np.concatenate([self._sent, sound])[-MEMORY:]
        self.clock += n
        self._end()

    def _take(self, n: int) -> Taken:
        taken, (now, self._murmur) = self.mouth.take(n), (self._murmur[:n], self._murmur[n:])
        if not len(now):
            return taken
        self._murmured = self.clock + len(self._held) + n
        return Taken(np.pad(now, (0, n - len(now))), ())

    def _nothing(self, n: int) -> Taken:
        """What a speaker who is held says; all that it has to say comes so much later."""
        if self._start is not None:
            self._gaps.append((self.clock, n))
            self._start += n
        return Taken(np.zeros(n, np.float32), ())

    def _next(self, taken: Samples, held: bool) -> Samples:
        """The sound of this chunk, after what waits since the face looks ahead."""
        n = len(taken)
        if held:
            return taken
        line = np.concatenate([self._held, taken])
        sound, self._held = line[:n].copy(), line[n:]
        return self._faded(sound) if self._fading else sound

    def _faded(self, sound: Samples) -> Samples:
        """Sound that ends because it is held, or begins because it no longer is."""
        self._fading = False
        ramp = np.linspace(0, 1, FADE, dtype=np.float32)
        if not self._holding:
            return np.concatenate([sound[:FADE] * ramp, sound[FADE:]])
        self._paused_at = self.clock - (self._start or 0)
        return np.concatenate([sound[:FADE] * ramp[::-1], np.zeros(len(sound) - FADE, np.float32)])

    def _control(self) -> Control:
        control = replace(self.control, state=self._tick())
        if any(self._gaze):
            control = replace(control, gaze_yaw_deg=self._gaze[0], gaze_pitch_deg=self._gaze[1])
        if self._emotion != "neutral":
            return replace(control, emotion=cast(Emotion, self._emotion))
        if control.emotion == "neutral" and self.clock - self._mirrored_at < SYMPATHY * SPEAK_RATE:
            emotion, strength = self._mirrored
            return replace(control, emotion=emotion, emotion_strength=GENTLY * strength)
        return control

    async def _wait(self, drawn: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await drawn.wait()

    def _span(self, n: int) -> tuple[int, int]:
        """Which samples of the next ``n`` are the speaker's: first, last; none if they are equal."""
        if self._start is None:
            return 0, 0
        end = self.mouth.ends_at
        last = n if end is None else min(n, self._start + end - self.clock)
        return max(0, self._start - self.clock), max(last, 0)

    def _send_sound(self, speaker: Speaker, audio: Samples, first: int, last: int) -> None:
        while self._start is not None and self._cues and self._cues[0].at < self.clock + last - self._start:
            cue = self._cues.popleft()
            if cue.word is None:
                self._emotion, self._gaze = cue.line.emotion, (0.0, 0.0)
            for mark in cue.marks:
                self._emotion, self._gaze = mark.emotion or self._emotion, mark.gaze or self._gaze
            speaker.cue(cue)
        speaker.sound(audio, (self.clock + first) * 1000 / SPEAK_RATE)

    def _end(self) -> None:
        """Tell the speaker when all of its sound was sent; one that had nothing to say ends at once."""
        end, speaker = self.mouth.ends_at, self._speaker
        over = end == 0 or (end is not None and self._start is not None and self.clock >= self._start + end)
        if over and speaker is not None:
            self._forget_speaker()
            speaker.ended()

    def _forget_speaker(self) -> None:
        self._speaker = self._start = None
        self._holding = self._fading = False
        self._gaps.clear()
        self._cues.clear()
        self._emotion, self._gaze = "neutral", (0.0, 0.0)
