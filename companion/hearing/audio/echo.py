"""Echo: the face's own voice in the microphone is cancelled, and what is left of it is told apart from a user.

WebRTC's echo canceller (AEC3, as in Chrome) gets the microphone beside what was played, and finds the delay by itself.
It always listens, but its output is used only once the face has really been heard in the microphone: one with
headphones, or whose browser cancels echoes, is left as it is. The residual echo (from a loudspeaker at its limits, or a
large room) is compared, band by band, with how much of it was left so far.
"""

import numpy as np
from numpy.typing import NDArray
from pywebrtc_audio import EchoCanceller
from scipy.signal import fftconvolve

from companion.stages.protocols import HEAR_RATE, VAD_WINDOW, Samples

BLOCK = VAD_WINDOW
STEP = HEAR_RATE // 100  # samples that the canceller takes at a time
DELAY = 256  # samples by which the canceller is late, half of it since it takes steps
ECHO_BLOCKS = 16  # blocks of echo that are looked for: 0.5 s of delay and room together
KEPT_BLOCKS = 32  # blocks kept to find an echo in
RETRY_BLOCKS = 8  # blocks between two attempts to find one
EVIDENCE_BLOCKS = 6  # blocks by which an echo is told from a user
SPEECH_PROBABILITY = 0.35  # probability from which a sound may be a voice
GAP_BLOCKS = 6  # blocks between two sounds of one user
USER_BANDS = 0.4  # share of the bands in which a user is heard
ECHO_LIKENESS = (
    0.45  # correlation above which two sounds are the same: an echo in a room has 0.5 to 1, two voices under 0.3
)
ECHO_LIKENESS_1S = 0.3  # the same for a whole second
SILENCE_POWER = 1e-5  # mean square under which nothing is played
BANDS = np.unique(np.round(np.geomspace(4, 224, 17)).astype(int))  # bins of 31 Hz: from 125 Hz to 7 kHz
SLOPE: Samples = np.hanning(BLOCK).astype(np.float32)
MOST_ECHO = 1.0  # power of an echo, as a share of what is played
MARGIN = 4.0  # power by which a user exceeds what is left of an echo
ROOM_DECAY = 0.85  # of the power of what is played, a block: what its echo in a room may still have
ROOM_NOISE = 1e-4  # power of a band, most that a room is believed to have: about -42 dBFS
MEMORY_DECAY = 0.995  # a block: how fast peaks and the noise of the room are forgotten
OPENING_BLOCKS = 24  # blocks of the face's voice after which its echo has begun, if there is one
ECHO_HEADROOM = 2.0  # times as much as has come by then
LEAST_ECHO = 1e-3  # of what is played, less than which is not believed to come back
USER_LIKENESSES = (
    (3, 0.2),
    (4, 0.2),
    (6, 0.2),
    (8, 0.25),
)  # blocks of speech; likeness under which nothing like it is played
DOUBT_BLOCKS = 8  # blocks after the opening for which it is still asked whose the speech is that began in it
TAIL_POWER = 0.4  # of the power of its loudest block, under which a sound fades: the end of an echo is like nothing
NOTICEABLE_POWER = 8.0  # power, as a multiple of what was heard, above which an echo would have been noticed
AUDIBLE_SHARE = 0.016  # power of speech, as a share of the loudest that is played, from which its likeness can be told
CLEAR_PEAK = 0.03  # of the peak, from which on an echo shows what is left of it
RESIDUE_RISE, RESIDUE_FALL, RESIDUE_DRIFT = (
    1.4,
    0.9,
    1.01,
)  # a block: what is left is believed to be more, less; more while a user may speak


def likeness(heard: Samples, played: Samples) -> float:
    """The largest normalised correlation of ``heard`` (n,) with any stretch of ``played`` (m,), in [0, 1]. Both at one
    rate; 0 if ``played`` is the shorter one or either is silent.

    Differences are compared instead of samples, which evens out the spectrum of speech, so that two voices of one pitch
    do not look alike.
    """
    return float(np.max(_likenesses(heard, played), initial=0.0))


def _likenesses(heard: Samples, played: Samples) -> NDArray[np.float64]:
    """The same with each stretch, (m - n + 1,); none when ``played`` is the shorter one."""
    a, b = np.diff(heard), np.diff(played)
    if len(b) < len(a) or not len(a):
        return np.zeros(0)
    products: NDArray[np.float32] = fftconvolve(b, a[::-1], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(b.astype(np.float64) ** 2)])
    power = energy[len(a) :] - energy[: -len(a)]
    floor = 1e-6 * len(a)
    if float(np.sum(a.astype(np.float64) ** 2)) < floor:
        return np.zeros(len(products))
    norms = np.sqrt(np.maximum(power, floor) * float(np.sum(a.astype(np.float64) ** 2)))
    return np.abs(products) / norms


def is_echo(heard: Samples, played: Samples) -> bool:
    """Whether ``heard`` is mostly ``played``."""
    return likeness(heard, played) > ECHO_LIKENESS


class _Canceller:
    """Blocks in and out of the canceller, which takes `STEP`s: `DELAY` by both."""

    def __init__(self) -> None:
        self._canceller = EchoCanceller(HEAR_RATE)
        self._heard: Samples = np.zeros(0, np.float32)
        self._played: Samples = np.zeros(0, np.float32)
        self._done: Samples = np.zeros(STEP - np.gcd(STEP, BLOCK), np.float32)

    def __call__(self, heard: Samples, played: Samples) -> Samples:
        """(BLOCK,) each -> (BLOCK,): what is heard without the echo."""
        self._heard = np.concatenate([self._heard, heard])
        self._played = np.concatenate([self._played, played])
        whole = len(self._heard) // STEP * STEP
        fresh = self._canceller.process(self._heard[:whole], self._played[:whole])
        self._heard, self._played = self._heard[whole:], self._played[whole:]
        out, self._done = np.split(np.concatenate([self._done, fresh]), [BLOCK])
        return out


class Echo:
    """One microphone beside one loudspeaker: call it with what is heard and what is played, block by block."""

    def __init__(self) -> None:
        self._cancel = _Canceller()
        self._found = False  # the face was heard in the microphone
        self._heard = np.zeros(KEPT_BLOCKS * BLOCK, np.float32)
        self._rest = np.zeros(EVIDENCE_BLOCKS * BLOCK, np.float32)  # what was heard, without the echo
        self._played = np.zeros((KEPT_BLOCKS + ECHO_BLOCKS) * BLOCK, np.float32)
        self._left = np.ones(len(BANDS) - 1)  # what is left of an echo, as a share of what is played, by band
        self._power = np.zeros(len(BANDS) - 1)  # of what is left, now
        self._behind = np.zeros(len(BANDS) - 1)  # of what is played, and its room
        self._peak = np.zeros(len(BANDS) - 1)  # of what is played, in the last seconds
        self._floor = np.full(len(BANDS) - 1, ROOM_NOISE)  # of the noise in the room
        self._opening = OPENING_BLOCKS  # blocks of the face's voice until that is known of all of it; below 0, since
        self._came = np.zeros(len(BANDS) - 1)  # the most that came back so far
        self._came_before = self._came  # the same, before what sounds like speech now
        self._speech = 0  # blocks for which something has sounded like speech
        self._present = 0  # blocks for which a user is still taken to be there
        self._since = RETRY_BLOCKS  # blocks since an echo was looked for
        self._lingers = False  # what sounds like speech has been an echo so far, and has not ended yet

    def __call__(self, heard: Samples, played: Samples) -> Samples:
        """(BLOCK,) each at 16 kHz -> what is heard without the echo."""
        self._heard = np.concatenate([self._heard[BLOCK:], heard])
        self._played = np.concatenate([self._played[BLOCK:], played])
        self._since += 1
        rest = heard
        clean = self._cancel(heard, played)
        near = self._audible() or self._lingers
        if self._found:
            rest = clean if near else self._heard[-BLOCK - DELAY : -DELAY]
        if near:
            self._measure(rest, played)
        else:
            self._present = 0
        self._rest = np.concatenate([self._rest[BLOCK:], rest])
        return rest

    def of_user(self, probability: float, speaking: bool) -> float:
        """The probability that the last block is speech -> the probability that it is the user's speech.
        ``speaking``: the user is in the middle of a turn."""
        self._lingers = self._lingers and probability >= SPEECH_PROBABILITY and not self._present
        self._speech = self._speech + 1 if probability >= SPEECH_PROBABILITY else 0
        if not self._speech:
            self._came_before = self._came
        if self._opening > -DOUBT_BLOCKS and not self._present and self._is_strange():
            self._begin_with_user()
        if probability < SPEECH_PROBABILITY or not (self._audible() or self._lingers):
            return probability
        if not speaking and (not self._found or self._present) and self._resembles():
            return 0.0
        self._lingers = not self._present
        return probability if self._present else 0.0

    def _resembles(self) -> bool:
        """Whether the residual still resembles what is played. If so, a residual this loud counts as echo from
        now on."""
        if not is_echo(self._rest, self._played):
            return False
        self._left = np.clip(self._power / (self._behind + 1e-9), self._left, np.maximum(self._left, MOST_ECHO))
        if not self._found and self._since >= RETRY_BLOCKS:
            self._since = 0
            self._found = likeness(self._heard, self._played) > ECHO_LIKENESS_1S
        return True

    def _is_strange(self) -> bool:
        """Whether what sounds like speech cannot be what is played. Noise may hide the likeness of a faint echo, and
        reverberation that of its end."""
        least, heard = AUDIBLE_SHARE * np.max(_powers(self._played[-OPENING_BLOCKS * BLOCK :])), _powers(self._heard)
        for blocks, most in USER_LIKENESSES:
            sound = heard[-blocks:]
            loud = np.mean(sound) > least and sound[-1] > TAIL_POWER * np.max(sound)
            if self._speech >= blocks and loud and self._likeness_of_echo(blocks) < most:
                return True
        return False

    def _likeness_of_echo(self, blocks: int) -> float:
        """Of what was heard last and what was played, at the delays which an echo of it may have: one by which more of
        it would have been heard before is none."""
        sound, played = self._heard[-blocks * BLOCK :], self._played[-(blocks + ECHO_BLOCKS) * BLOCK :]
        possible = np.array([self._may_be_late(blocks, late) for late in range(ECHO_BLOCKS + 1)])
        near = possible | np.append(possible[1:], False) | np.append(False, possible[:-1])
        late = (len(played) - len(sound) - np.arange(len(played) - len(sound) + 1)) / BLOCK
        return float(np.max(_likenesses(sound, played)[near[np.round(late).astype(int)]], initial=0.0))

    def _may_be_late(self, blocks: int, late: int) -> bool:
        """Whether what was heard in the last ``blocks`` may have been played ``late`` blocks before."""
        heard, played = _powers(self._heard), _powers(self._played)[ECHO_BLOCKS - late :][:KEPT_BLOCKS]
        if (sounding := float(np.mean(played[-blocks:]))) < SILENCE_POWER:
            return False
        around = np.maximum(heard, np.maximum(np.append(heard[1:], 0.0), np.append(0.0, heard[:-1])))
        expected = played * float(np.mean(heard[-blocks:])) / sounding
        return not np.any(expected[:-blocks] > NOTICEABLE_POWER * around[:-blocks])

    def _begin_with_user(self) -> None:
        """A user speaks during the first words of the face: what they say tells nothing about the echo."""
        self._opening, self._present = -DOUBT_BLOCKS, GAP_BLOCKS
        self._left = np.minimum(self._left, np.maximum(ECHO_HEADROOM * self._came_before, LEAST_ECHO))

    def _audible(self) -> bool:
        return float(np.max(_powers(self._played[KEPT_BLOCKS * BLOCK - 2 * BLOCK :]))) > SILENCE_POWER

    def _measure(self, rest: Samples, played: Samples) -> None:
        """The number of bands with more power than an echo may have left."""
        self._power = 0.5 * self._power + 0.5 * _bands(rest)
        now = _bands(played)
        self._behind = np.maximum(now, ROOM_DECAY * self._behind)
        self._peak = np.maximum(now, MEMORY_DECAY * self._peak)
        self._floor = np.minimum(self._power, np.minimum(ROOM_NOISE, self._floor / MEMORY_DECAY))
        ratio = np.minimum(self._power / (self._behind + 1e-9), MOST_ECHO)
        user = float(np.mean(self._power > MARGIN * (self._left * self._behind + self._floor)))
        self._present = GAP_BLOCKS if user >= USER_BANDS else max(0, self._present - 1)
        rise = RESIDUE_DRIFT if self._present else RESIDUE_RISE
        left = np.where(
            ratio > self._left, np.minimum(ratio, rise * self._left), np.maximum(ratio, RESIDUE_FALL * self._left)
        )
        clear = self._behind > CLEAR_PEAK * self._peak
        self._left = np.where(clear, left, self._left)
        self._open(np.where(clear, ratio, 0.0))

    def _open(self, ratio: NDArray[np.float64]) -> None:
        """During the first words of the face nothing is known of the room, and everything may be echo; bands that have
        not come back by their end never will."""
        self._opening = max(-DOUBT_BLOCKS, self._opening - 1)
        if self._opening < 0:
            return
        self._came = np.maximum(self._came, ratio)
        if self._opening == 0:
            self._left = np.minimum(self._left, ECHO_HEADROOM * self._came)


def _powers(sound: Samples) -> NDArray[np.float32]:
    """(n * BLOCK,) -> (n,) mean squares."""
    return np.mean(sound.reshape(-1, BLOCK) ** 2, 1)


def _bands(sound: Samples) -> NDArray[np.float32]:
    """(BLOCK,) -> power by band, the same for every loudness of a band."""
    spectrum = np.fft.rfft(sound * SLOPE)
    bands = np.add.reduceat(spectrum.real**2 + spectrum.imag**2, BANDS)
    return np.asarray(bands[:-1] / BLOCK, np.float32)
