"""A face that says what is sent to it, in real time: what an agent of another framework speaks through.

Speech comes in pieces of any length and rate, faster than it is said, and leaves frame by frame with its pictures. Time
is the caller's, who takes a frame of a `StreamedFace` every 40 ms, whether or not anything is said.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import av
import numpy as np
from numpy.typing import NDArray

from animator.control import Control
from animator.face import Face
from animator.media.loudness import gain_to_speech
from animator.units import FPS, RATE, SAMPLES_PER_FRAME, Frames, Samples

LATE_S = 0.5  # s behind the clock, beyond which time is given up
MEASURED_SAMPLES = 10 * RATE  # of the latest speech, by which it is judged how loud the voice is
NOTHING: Samples = np.zeros(0, np.float32)
SILENCE: Samples = np.zeros(SAMPLES_PER_FRAME, np.float32)


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of 40 ms.

    ``picture`` (height, width, 3) RGB; ``sound`` (960,) at `RATE` that belongs to it, None where nothing is said;
    ``ended``: how many utterances are over with it.
    """

    picture: NDArray[np.uint8]
    sound: Samples | None
    ended: int


@dataclass(slots=True)
class _Said:
    """What is said within a frame, and how many utterances end with it."""

    sound: Samples | None = None
    ended: int = 0


class _Resampler:
    """Sound of one rate after the other -> at `RATE`; a few samples of each piece come with the next one."""

    def __init__(self) -> None:
        self._resampler: av.AudioResampler | None = None
        self._rate = 0

    def __call__(self, sound: Samples, rate: int) -> Samples:
        before = NOTHING if rate == self._rate else self.rest()
        if self._resampler is None:
            self._resampler, self._rate = av.AudioResampler("fltp", "mono", RATE), rate
        frame = av.AudioFrame.from_ndarray(sound[None], "fltp", "mono")
        frame.sample_rate = rate
        return np.concatenate([before, *_samples(self._resampler.resample(frame))])

    def rest(self) -> Samples:
        """What is left of the pieces so far."""
        last = self._resampler.resample(None) if self._resampler else ()
        self._resampler = None
        return np.concatenate([NOTHING, *_samples(last)])


class _Speech:
    """What waits to be said, in whole frames; the last one of an utterance is filled up with silence."""

    def __init__(self) -> None:
        self.waiting: deque[_Said] = deque()
        self._resampled = _Resampler()
        self._rest = NOTHING
        self._open = False

    def put(self, sound: Samples, rate: int) -> Samples:
        """(n,) at ``rate`` Hz -> the samples at `RATE` that came of it."""
        samples = self._resampled(sound, rate)
        self._open = True
        self._cut(samples)
        return samples

    def end(self) -> bool:
        """Whether there was something to end."""
        if not self._open:
            return False
        self._open = False
        self._cut(self._resampled.rest())
        if len(self._rest):
            self._cut(SILENCE[len(self._rest) :])
        if not self.waiting:
            self.waiting.append(_Said())
        self.waiting[-1].ended += 1
        return True

    def take(self, count: int) -> list[_Said]:
        """The next ``count`` frames."""
        return [self.waiting.popleft() if self.waiting else _Said() for _ in range(count)]

    def _cut(self, samples: Samples) -> None:
        line = np.concatenate([self._rest, samples])
        whole = len(line) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME
        self.waiting.extend(_Said(frame) for frame in line[:whole].reshape(-1, SAMPLES_PER_FRAME))
        self._rest = line[whole:]


class StreamedFace:
    """``face`` says what `say` is given, as it is: only what moves the lips is made as loud as a voice usually is.

    Iterating over it gives one `Moment` after the other without end; to be iterated over once. ``control`` holds from
    the next chunk on, its state while nothing is said. `close` it in the end.
    """

    def __init__(self, face: Face, control: Control | None = None) -> None:
        self.control = control or Control()
        self.width, self.height = face.width, face.height
        self._face = face
        self._thread = ThreadPoolExecutor(1, "face")  # a face is called from one thread at a time
        self._voice = NOTHING  # the latest of what was said
        self.clear()
        self._cleared = False

    @property
    def busy(self) -> bool:
        """Whether something is said or waits to be."""
        return any(said.sound is not None or said.ended for said in (*self._moving, *self._speech.waiting))

    def say(self, pcm: NDArray[np.int16], rate: int) -> None:
        """The next piece of an utterance: (n,), or (n, channels), at ``rate`` Hz."""
        mono = pcm.reshape(len(pcm), -1).mean(axis=1, dtype=np.float32) / 32768
        samples = self._speech.put(mono, rate)
        self._voice = np.concatenate([self._voice, samples])[-MEASURED_SAMPLES:]

    def end(self) -> bool:
        """The utterance is complete -> whether there is one: nothing may have come of it, or it was cleared."""
        return self._speech.end()

    def clear(self) -> None:
        """Silence, at once: nothing of what was said before will leave, and no end of it."""
        self._speech = _Speech()
        self._moving = deque(_Said() for _ in range(self._face.delay_frames))  # what the face has heard and not shown
        self._cleared = True

    async def __aiter__(self) -> AsyncIterator[Moment]:
        while True:
            speech, cleared = self._speech, self._cleared
            self._cleared = False
            taken = speech.take(self._face.chunk_frames)
            self._moving.extend(taken)
            shown = [self._moving.popleft() for _ in taken]
            work = self._draw, taken, self._wish([*taken, *self._moving, *shown]), cleared
            pictures = await asyncio.get_running_loop().run_in_executor(self._thread, *work)
            for picture, said in zip(pictures, shown, strict=True):
                now = said if speech is self._speech else _Said()  # cleared in the meantime
                yield Moment(picture, now.sound, now.ended)

    async def paced(self) -> AsyncIterator[Moment]:
        """As iterating over it, in real time: each `Moment` when it is due by the running loop's clock."""
        now = asyncio.get_running_loop().time
        due = now()
        async for moment in self:
            await asyncio.sleep(max(0.0, due - now()))
            due = max(due, now() - LATE_S) + 1 / FPS
            yield moment

    def close(self) -> None:
        """Free the thread, when it has drawn what it draws."""
        self._thread.shutdown(wait=False)

    def _wish(self, said: Iterable[_Said]) -> Control:
        speaks = any(one.sound is not None for one in said)
        return replace(self.control, state="speaking") if speaks else self.control

    def _draw(self, taken: Iterable[_Said], wish: Control, cleared: bool) -> Frames:
        if cleared:
            self._face.interrupt()
        voice = np.concatenate([SILENCE if said.sound is None else said.sound for said in taken])
        gain = gain_to_speech(self._voice) if voice.any() else 1.0
        return self._face.step(voice * np.float32(gain), wish).frames


def _samples(frames: Iterable[av.AudioFrame]) -> Iterable[Samples]:
    return (frame.to_ndarray()[0] for frame in frames)
