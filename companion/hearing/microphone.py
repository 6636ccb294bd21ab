"""One microphone: PCM in, turns and utterances out, less what the face itself says."""

import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.signal import firwin, upfirdn

from companion.hearing.echo import BLOCK, Echo
from companion.hearing.turns import Kind, Rules, Turn, TurnDetector
from companion.stages.protocols import HEAR_RATE, SPEAK_RATE, VAD, Samples

WINDOW = BLOCK  # samples at HEAR_RATE that a VAD takes, 32 ms
PLAYED = 3 * HEAR_RATE  # samples of what was played that are kept
LONGEST = 300  # s of sound kept for a client that commits by itself
TAIL = 0.2  # s kept after the end of the speech
SPARE = 0.02  # s by which what is sent may come later than ever; no echo comes back sooner
SLIP = 0.2  # s by which microphone and loudspeaker may drift apart before they are set against each other anew
PATIENCE = 2.0  # s for which they must have
UNSURE = 2  # windows that are the user's as well when the next one is: over the face's voice theirs begins softly
VOICE = 0.35  # probability of speech from which a window is heard by the face
SLACK = 0.2  # s of it that may wait beyond what the face takes at a time: packets are as long as that
LOUD, QUIET = 0.25, 0.02  # RMS of loud syllables as the face hears them; those of the quietest microphone
SUBSIDE = 0.995  # of the power of the loudest syllable, a window


class BufferFullError(Exception):
    """More sound than `LONGEST` was sent without a commit."""


class Resampler:
    """PCM at ``rate`` -> at ``to``, chunk by chunk without seams (linear-phase FIR, delay under 2 ms)."""

    def __init__(self, rate: int, to: int = HEAR_RATE) -> None:
        divisor = math.gcd(rate, to)
        self._up, self._down = to // divisor, rate // divisor
        self._plain = self._up == self._down
        taps = 16 * max(self._up, self._down) + 1
        kernel: Any = firwin(taps, 0.94 / max(self._up, self._down))
        self._kernel: Samples = np.asarray(kernel * self._up, np.float32)
        # Whole multiples of `down` keep the phase of the filter across chunks.
        self._history = self._down * math.ceil(taps / self._up / self._down)
        self._waiting: Samples = np.zeros(self._history, np.float32)

    def __call__(self, audio: Samples) -> Samples:
        """(n,) -> about (n * to / rate,); what does not fill a step waits for the next call."""
        if self._plain:
            return audio
        self._waiting = np.concatenate([self._waiting, audio])
        fresh = (len(self._waiting) - self._history) // self._down * self._down
        if fresh <= 0:
            return np.zeros(0, np.float32)
        block = self._waiting[: self._history + fresh]
        out = upfirdn(self._kernel, block, self._up, self._down)
        first = self._history * self._up // self._down
        self._waiting = self._waiting[fresh:]
        return np.asarray(out[first : first + fresh * self._up // self._down], np.float32)


class Loudspeaker:
    """What the face plays, in step with a microphone, though packets of both come late and in heaps."""

    def __init__(self) -> None:
        self._resample = Resampler(SPEAK_RATE)
        self._sent: int | None = None  # samples at SPEAK_RATE that are known
        self._sound: Samples = np.zeros(0, np.float32)  # the last of them, at HEAR_RATE
        self._end = 0  # how many there were, at HEAR_RATE
        self._ahead: float | None = None  # samples by which they are ahead of the microphone
        self._least, self._since = np.inf, 0.0  # the least of that, since this many samples of the microphone

    def play(self, clock: int, recent: Samples) -> None:
        """``clock`` samples were sent until now, the last of which are ``recent``."""
        fresh = min(clock, len(recent)) if self._sent is None else max(0, clock - self._sent)
        self._sent = clock
        sound = recent[max(0, len(recent) - fresh) :] if fresh else recent[:0]
        new = self._resample(np.concatenate([np.zeros(fresh - len(sound), np.float32), sound]))
        self._sound = np.concatenate([self._sound, new])[-PLAYED:]
        self._end += len(new)

    def beside(self, heard: int) -> Samples:
        """(WINDOW,): what was sent when the microphone had heard ``heard`` samples; silence where that is not known."""
        end = self._end - (heard + int(self._ahead or 0))
        block = self._sound[: len(self._sound) - end][-WINDOW:] if 0 <= end < len(self._sound) else self._sound[:0]
        return np.concatenate([np.zeros(WINDOW - len(block), np.float32), block])

    def align(self, heard: int) -> None:
        """``heard`` samples of the microphone have come by now. Nothing is waited for, so that the two are set
        against each other as when what is sent is latest, and by `SPARE` more: each change is another echo to learn."""
        ahead = float(self._end - heard)
        self._least = min(self._least, ahead)
        if self._ahead is None or ahead < self._ahead:
            self._ahead = ahead - SPARE * HEAR_RATE
        elif heard - self._since > PATIENCE * HEAR_RATE:
            if self._least - self._ahead > SLIP * HEAR_RATE:
                self._ahead = self._least - SPARE * HEAR_RATE
            self._least, self._since = np.inf, heard


class Earshot:
    """What a face hears of the user: the newest of the voice and nothing else, in step with the chunks that it draws,
    and as loud as a voice is, however quiet the microphone.

    Sound that comes in heaps waits for a chunk or two; of what comes faster than time passes the oldest is left out,
    and what does not come is silence.
    """

    def __init__(self) -> None:
        self._resample = Resampler(HEAR_RATE, SPEAK_RATE)
        self._waiting: Samples = np.zeros(0, np.float32)  # at HEAR_RATE
        self._short = False  # there was less than a chunk when the last one was taken
        self._power = QUIET**2  # of the loudest syllables

    def put(self, window: Samples, speech: float) -> None:
        """(`WINDOW`,) at `HEAR_RATE`, the next, which is the user's ``speech`` with that probability."""
        if speech < VOICE:
            heard = np.zeros_like(window)
        else:
            self._power = max(float(np.mean(window**2)), QUIET**2, SUBSIDE * self._power)
            heard = window * np.float32(LOUD / math.sqrt(self._power))
        self._waiting = np.concatenate([self._waiting, heard])[-HEAR_RATE:]

    def take(self, n: int) -> Samples:
        """The next (n,) at `SPEAK_RATE`. Less than a whole chunk waits for the rest, once."""
        size = n * HEAR_RATE // SPEAK_RATE
        self._waiting = self._waiting[-(size + round(SLACK * HEAR_RATE)) :]
        short, self._short = self._short, len(self._waiting) < size
        if self._short and not short:
            return np.zeros(n, np.float32)
        chunk, self._waiting = self._waiting[:size], self._waiting[size:]
        return self._resample(np.concatenate([chunk, np.zeros(size - len(chunk), np.float32)]))


class Ears:
    """``rules`` None means that the client says itself when a turn ends. ``now``: seconds of sound that came before."""

    def __init__(self, vad: VAD, rules: Rules | None, rate: int, now: float = 0.0) -> None:
        self._vad = vad
        self._detector = TurnDetector(rules) if rules else None
        self._resample = Resampler(rate)
        self._chunks: deque[Samples] = deque()  # all sound since `_base`
        self._base = self._end = round(now * HEAR_RATE)  # samples that came before the chunks; samples received
        self._unjudged: Samples = np.zeros(0, np.float32)  # what the VAD has not seen
        self._start: float | None = None  # s, of the running turn
        self._earlier: Samples = np.zeros(0, np.float32)  # an utterance that turned out to be unfinished
        self._unsure = 0  # windows of speech until now of which it is not known whose they are
        self._loudspeaker, self._echo = Loudspeaker(), Echo()
        self.drop()

    @property
    def speaking(self) -> bool:
        return self._start is not None

    @property
    def voiced(self) -> float:
        """Seconds of speech in the running turn."""
        return self._detector.voiced if self._detector else 0.0

    @property
    def now(self) -> float:
        """Seconds of sound received."""
        return self._end / HEAR_RATE

    def append(self, pcm: bytes) -> Iterator[Turn]:
        """PCM16 -> the turns it starts or ends, one by one: what the caller does about one comes before the next.

        Raises BufferFullError, and ValueError for half a sample.
        """
        audio = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        yield from self.hear(self._resample(audio))

    def play(self, clock: int, recent: Samples) -> None:
        """The face has sent ``clock`` samples at `SPEAK_RATE` so far, the last of which are ``recent``."""
        self._loudspeaker.play(clock, recent)

    def hear(self, audio: Samples) -> Iterator[Turn]:
        """(n,) at HEAR_RATE, as `append`."""
        if self._detector is None and self._end - self._base + len(audio) > LONGEST * HEAR_RATE:
            raise BufferFullError
        self._end += len(audio)
        self._loudspeaker.align(self._end)
        self._unjudged = np.concatenate([self._unjudged, audio])
        while len(self._unjudged) >= WINDOW:
            window, self._unjudged = self._unjudged[:WINDOW], self._unjudged[WINDOW:]
            clean = self._echo(window, self._loudspeaker.beside(self._end - len(self._unjudged)))
            self._chunks.append(clean)
            sounding = self._vad(clean)
            speech = self._echo.of_user(sounding, self._detector is not None and self._detector.speaking)
            self.user.put(clean, speech)
            turn = self._feed(self._detector, sounding, speech) if self._detector else None
            if turn is None:
                continue
            if turn.kind is Kind.STARTED:
                self._start = turn.at
            yield turn
        if self._detector:
            self._forget(self._detector.rules)

    def _feed(self, detector: TurnDetector, sounding: float, speech: float) -> Turn | None:
        """The next window, which is speech with the probability ``sounding``, and the user's with ``speech``."""
        unsure, threshold = self._unsure, detector.rules.threshold
        self._unsure = min(UNSURE, unsure + 1) if sounding >= threshold > speech else 0
        return detector.feed(speech, WINDOW / HEAR_RATE, unsure * WINDOW / HEAR_RATE)

    def expect(self, done: float | None) -> None:
        """As `TurnDetector.expect`."""
        if self._detector:
            self._detector.expect(done)

    def so_far(self, end: float) -> Samples:
        """The utterance of the running turn up to `TAIL` after ``end``, the second at which its speech ends."""
        start = self._start if self._start is not None else end
        return np.concatenate([self._earlier, self._cut(start, end + TAIL)])

    def take(self, end: float) -> Samples:
        """`so_far`, and the turn is over."""
        utterance = self.so_far(end)
        self._start = None
        self._earlier = np.zeros(0, np.float32)
        return utterance

    def put_back(self, utterance: Samples) -> None:
        """The utterance was not finished: it belongs before what comes now."""
        self._earlier = utterance

    def recent(self, seconds: float) -> Samples:
        """The last ``seconds`` of sound, or less."""
        return self._cut(self.now - seconds, self.now)

    def take_all(self) -> Samples:
        """Everything since the last take (a client's own commit)."""
        everything = np.concatenate([self._earlier, *self._chunks, self._unjudged])
        self.drop()
        return everything

    def drop(self) -> None:
        """Forget all sound and the running turn."""
        self._base = self._end
        self._chunks.clear()
        self._unjudged = np.zeros(0, np.float32)
        self.user = Earshot()  # the user's voice, nothing else
        self._start = None
        self._earlier = np.zeros(0, np.float32)
        if self._detector:
            self._detector.now = self._end / HEAR_RATE
            self._detector.reset()

    def _cut(self, start: float, end: float) -> Samples:
        first, last = (max(0, int(t * HEAR_RATE) - self._base) for t in (start, end))
        return np.concatenate([*self._chunks, self._unjudged])[first:last]

    def _forget(self, rules: Rules) -> None:
        """Outside a turn only the padding of the next one is of use (a second more covers the start of speech)."""
        keep = (rules.prefix_padding + 1.0) * HEAR_RATE
        while self._start is None and self._chunks and self._end - self._base - len(self._chunks[0]) > keep:
            self._base += len(self._chunks.popleft())
