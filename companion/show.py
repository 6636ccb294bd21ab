"""The face's loop, which never stops: takes from the mouth, draws, sends sound and pictures of a chunk together.

Output is paced by the wall clock and sent as soon as it is drawn, never ahead of time, so that an interruption has
nothing to catch up with; a client buffers what its own jitter needs. A loop that is late catches up at full speed, and
gives up what it cannot catch up with. Time is counted in samples: ``clock`` is the pts of the next chunk.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import numpy as np

from animator.control import Control, Emotion, State
from animator.face import FPS, SAMPLES_PER_FRAME, Face
from companion.engine import Device, EncodedFrame, Encoder
from companion.events import ServerEvent, VideoDelta
from companion.mouth import Cue, Mouth
from companion.stages import SPEAK_RATE, Samples

CHUNK_FRAMES = 2  # when there is no face to say it
GIVE_UP = 0.5  # s behind the clock
MEMORY = 3 * SPEAK_RATE  # samples of sent sound kept, to recognise it in the microphone
CLIENT_BUFFER = 0.15  # s that a client is taken to buffer if it does not say
FRESH = 1.5  # s for which a playback report holds


class Speaker(Protocol):
    """The response that is being spoken."""

    @property
    def id(self) -> str: ...
    def cue(self, cue: Cue) -> None:
        """A sentence or a word begins with the sound that follows."""
        ...

    def sound(self, audio: Samples, pts_ms: float) -> None: ...
    def seen(self) -> None:
        """The pictures of the sound were sent."""
        ...

    def ended(self) -> None:
        """The last of the sound was sent."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """A face, and the encoder of its pictures."""

    face: Face
    encoder: Encoder
    codec: str


@dataclass(frozen=True, slots=True)
class _Drawn:
    audio: Samples
    packets: list[EncodedFrame]


class Show:
    """``tick`` is called before each chunk and says what the face does; ``failed`` hears why a face stopped."""

    def __init__(
        self,
        device: Device,
        send: Callable[[ServerEvent], None],
        tick: Callable[[], State],
        failed: Callable[[Exception], None],
    ) -> None:
        self.mouth = Mouth()
        self.control = Control()
        self.clock = 0  # samples
        self.frames = 0
        self.late = 0
        self._device, self._send, self._tick, self._failed = device, send, tick, failed
        self._look: Look | None = None
        self._next_look: Look | None = None
        self._change = False
        self._speaker: Speaker | None = None
        self._start: int | None = None  # clock at which the item's sound begins to be sent
        self._cues: deque[Cue] = deque()
        self._emotion = "neutral"
        self._epoch = 0
        self._interrupted = False
        self._keyframe = False
        self._sent: Samples = np.zeros(0, np.float32)
        self._playback: tuple[float, float] | None = None  # clock heard (samples), loop time of the report

    @property
    def speaking(self) -> bool:
        """Whether somebody has begun to speak and is not done."""
        return self._start is not None or (self._speaker is not None and self.mouth.waiting > 0)

    @property
    def delay(self) -> int:
        """Samples by which the face is later than the mouth."""
        return self._look.face.delay_frames * SAMPLES_PER_FRAME if self._look else 0

    def speak(self, speaker: Speaker) -> None:
        """What is put into the mouth from now on is ``speaker``'s."""
        self.interrupt()
        self._speaker = speaker

    def interrupt(self) -> None:
        """Silence, from now on: nothing of what waits or is being drawn will be sent as sound."""
        self._epoch += 1
        self._interrupted = True
        self._forget_speaker()
        self.mouth.clear()

    def wear(self, look: Look | None) -> None:
        """Another face (or none) from the next chunk."""
        if self._next_look:
            self._next_look.encoder.close()
        self._next_look, self._change = look, True

    def want_keyframe(self) -> None:
        """The client has lost frames: the next one must stand by itself."""
        self._keyframe = True

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
        return max(0, int(position) - self._start)

    def recent(self) -> Samples:
        """The last seconds of sound that were sent, silence included."""
        return self._sent

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            while True:
                due = start + self.clock / SPEAK_RATE
                await asyncio.sleep(max(0.0, due - loop.time()))
                if (behind := loop.time() - due) > GIVE_UP:
                    start += behind
                    self.late += 1
                await self._chunk()
        finally:
            self._take_off()

    async def _chunk(self) -> None:
        self._dress()
        control = self._control()
        n = (self._look.face.chunk_frames if self._look else CHUNK_FRAMES) * SAMPLES_PER_FRAME
        taken = self.mouth.take(n)
        if self._speaker and self._start is None and self.mouth.taken:
            self._start = self.clock + self.delay
        self._cues.extend(taken.cues)
        epoch = self._epoch
        drawn = await self._draw(taken.audio, control)
        if epoch != self._epoch:
            drawn = replace(drawn, audio=np.zeros_like(drawn.audio))
        speaker = self._send_sound(drawn.audio)
        self._send_video(drawn.packets, speaker)
        self._sent = np.concatenate([self._sent, drawn.audio])[-MEMORY:]
        self.clock += n
        self._end(speaker)

    def _control(self) -> Control:
        control = replace(self.control, state=self._tick())
        return replace(control, emotion=cast(Emotion, self._emotion)) if self._emotion != "neutral" else control

    async def _draw(self, audio: Samples, control: Control) -> _Drawn:
        look = self._look
        if look is None:
            return _Drawn(audio, [])
        interrupted, self._interrupted = self._interrupted, False
        keyframe, self._keyframe = self._keyframe, False
        try:
            return await self._device.run(_draw, look, audio, control, interrupted, keyframe)
        except Exception as error:  # any face may fail in any way; the conversation goes on without it
            self._failed(error)
            self.wear(None)
            return _Drawn(audio, [])

    def _send_sound(self, audio: Samples) -> Speaker | None:
        """Send what of this chunk is the speaker's -> the speaker, if any of it is."""
        speaker, start, end = self._speaker, self._start, self.mouth.ends_at
        if speaker is None or start is None:
            return None
        first = max(0, start - self.clock)
        last = len(audio) if end is None else min(len(audio), start + end - self.clock)
        if first >= last:
            return None
        while self._cues and self._cues[0].at < self.clock + last - start:
            cue = self._cues.popleft()
            self._emotion = cue.line.emotion
            speaker.cue(cue)
        speaker.sound(audio[first:last], (self.clock + first) * 1000 / SPEAK_RATE)
        return speaker

    def _send_video(self, packets: list[EncodedFrame], speaker: Speaker | None) -> None:
        look = self._look
        if look is None:
            return
        for i, packet in enumerate(packets):
            event = VideoDelta(
                delta=packet.data,
                codec=look.codec,
                codec_string=look.encoder.codec_string,
                pts_ms=(self.clock + i * SAMPLES_PER_FRAME) * 1000 / SPEAK_RATE,
                duration_ms=1000 / FPS,
                keyframe=packet.keyframe,
                width=look.face.width,
                height=look.face.height,
                response_id=speaker.id if speaker else None,
            )
            self._send(event)
        self.frames += len(packets)
        if speaker and packets:
            speaker.seen()

    def _end(self, speaker: Speaker | None) -> None:
        """Tell the speaker when all of its sound was sent; one that had nothing to say ends at once."""
        end = self.mouth.ends_at
        over = end == 0 or (end is not None and self._start is not None and self.clock >= self._start + end)
        if over and self._speaker is not None and speaker in (None, self._speaker):
            finished = self._speaker
            self._forget_speaker()
            finished.ended()

    def _forget_speaker(self) -> None:
        self._speaker = self._start = None
        self._cues.clear()
        self._emotion = "neutral"

    def _dress(self) -> None:
        if not self._change:
            return
        before = self.delay
        if self._look:
            self._look.encoder.close()
        self._look, self._next_look, self._change = self._next_look, None, False
        # What the old face held back is gone, and the new one holds back as much: the rest of the sound moves by that.
        if self._start is not None:
            self._start += self.delay - before

    def _take_off(self) -> None:
        for look in (self._look, self._next_look):
            if look:
                look.encoder.close()


def _draw(look: Look, audio: Samples, control: Control, interrupted: bool, keyframe: bool) -> _Drawn:
    if interrupted:
        look.face.interrupt()
    shown = look.face.step(audio, control)
    packets: list[Any] = []
    for frame in shown.frames:
        packets += look.encoder.encode(frame, keyframe)
        keyframe = False
    return _Drawn(shown.audio, packets)
