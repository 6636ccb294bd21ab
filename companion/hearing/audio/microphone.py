"""One microphone: PCM in, turns and utterances out, without the face's own voice."""

from collections import deque
from collections.abc import Iterator

import numpy as np

from animator.units import from_pcm16
from companion.hearing.audio.echo import BLOCK, Echo
from companion.hearing.audio.loudspeaker import Loudspeaker
from companion.hearing.audio.resampling import Resampler
from companion.hearing.audio.turns import Kind, Rules, Turn, TurnDetector
from companion.hearing.audio.user_voice import UserVoice
from companion.stages.protocols import HEAR_RATE, VAD, Samples

WINDOW = BLOCK  # samples at HEAR_RATE that a VAD takes, 32 ms
LONGEST_BUFFER = 300  # s of sound kept for a client that commits by itself
TAIL_S = 0.2  # s kept after the end of the speech
ONSET_WINDOWS = (
    2  # windows that are the user's as well when the next one is: over the face's voice theirs begins softly
)


class BufferFullError(Exception):
    """A client sent more than `LONGEST_BUFFER` seconds of sound without a commit."""


class Microphone:
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
        yield from self.hear(self._resample(from_pcm16(pcm)))

    def play(self, clock: int, recent: Samples) -> None:
        """The face has sent ``clock`` samples at `SPEAK_RATE` so far, the last of which are ``recent``."""
        self._loudspeaker.play(clock, recent)

    def hear(self, audio: Samples) -> Iterator[Turn]:
        """(n,) at HEAR_RATE, as `append`."""
        if self._detector is None and self._end - self._base + len(audio) > LONGEST_BUFFER * HEAR_RATE:
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
            self.voice.put(clean, speech)
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
        self._unsure = min(ONSET_WINDOWS, unsure + 1) if sounding >= threshold > speech else 0
        return detector.feed(speech, WINDOW / HEAR_RATE, unsure * WINDOW / HEAR_RATE)

    def expect(self, done: float | None) -> None:
        """As `TurnDetector.expect`."""
        if self._detector:
            self._detector.expect(done)

    def so_far(self, end: float) -> Samples:
        """The utterance of the running turn up to `TAIL_S` after ``end``, the second at which its speech ends."""
        start = self._start if self._start is not None else end
        return np.concatenate([self._earlier, self._cut(start, end + TAIL_S)])

    def take(self, end: float) -> Samples:
        """`so_far`, and the turn is over."""
        utterance = self.so_far(end)
        self._start = None
        self._earlier = np.zeros(0, np.float32)
        return utterance

    def put_back(self, utterance: Samples) -> None:
        """The utterance was not finished: put it before what comes now."""
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
        self.voice = UserVoice()
        self._start = None
        self._earlier = np.zeros(0, np.float32)
        if self._detector:
            self._detector.now = self._end / HEAR_RATE
            self._detector.reset()

    def _cut(self, start: float, end: float) -> Samples:
        first, last = (max(0, int(t * HEAR_RATE) - self._base) for t in (start, end))
        return np.concatenate([*self._chunks, self._unjudged])[first:last]

    def _forget(self, rules: Rules) -> None:
        """Outside a turn only the padding of the next one is needed (one second more covers the start of speech)."""
        keep = (rules.prefix_padding + 1.0) * HEAR_RATE
        while self._start is None and self._chunks and self._end - self._base - len(self._chunks[0]) > keep:
            self._base += len(self._chunks.popleft())
