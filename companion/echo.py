"""The face's own voice in the microphone: found by its delay, subtracted, and what is left of it told from a user.

An adaptive filter predicts the echo from what was played (partitioned-block frequency-domain Kalman filter: Enzner and
Vary 2006, Kuech et al. 2014) and takes it away. It is told where to look by a correlation, and learns the last second
several times over, so that the first reply of a conversation is covered, too. What it cannot predict (a loudspeaker at
its limits, a long room) is estimated from how much was left so far, band by band.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from companion.stages import Samples

BLOCK = 512  # samples, one window of the VAD
PARTS = 16  # blocks of echo that are predicted: 0.5 s of delay and room together
RECENT = 32  # blocks kept to find the delay in and to learn from
AGAIN = 8  # blocks between two attempts to find the delay
JUDGED = 6  # blocks by which an echo is told from a user
PASSES = 4  # how often they are learned
SPEECH = 0.35  # probability from which a sound may be a voice
HANG = 6  # blocks between two sounds of one user
USER = 0.4  # share of the bands in which a user is heard
LIKE = 0.45  # correlation above which two sounds are the same: an echo in a room has 0.5 to 1, two voices under 0.3
ALIKE = 0.3  # the same for a whole second
KEEP = 0.998  # of what is known of the room, a block: people move
ROOM = 0.6  # how much weaker each further block of the echo is expected to be
QUIET = 1e-5  # mean square under which nothing is played
BANDS = np.unique(np.round(np.geomspace(4, 224, 17)).astype(int))  # bins of 31 Hz: from 125 Hz to 7 kHz
SLOPE: Samples = np.hanning(BLOCK).astype(np.float32)
LOUDEST = 1.0  # power of an echo, as a share of what is played
MARGIN = 4.0  # power by which a user exceeds what is left of an echo
FADE = 0.85  # of the power of what is played, a block: what its echo in a room may still have
ROOM_NOISE = 1e-4  # power of a band, most that a room is believed to have: about -42 dBFS
SLOWLY = 0.995  # a block: how fast peaks and the noise of the room are forgotten
CLEAR = 0.03  # of the peak, from which on an echo shows what is left of it
RISE, FALL, DRIFT = 1.4, 0.9, 1.01  # a block: what is left is believed to be more, less; more while a user may speak


def likeness(heard: Samples, played: Samples) -> tuple[float, int]:
    """The largest normalised correlation of ``heard`` (n,) with any stretch of ``played`` (m,), in [0, 1], and the
    sample of ``played`` at which that stretch begins.

    Both at one rate; 0 when ``played`` is the shorter one or either is silent. Differences are compared instead of
    samples, which evens out the spectrum of speech, so that two voices of one pitch do not look alike.
    """
    a, b = np.diff(heard), np.diff(played)
    if len(b) < len(a) or not len(a):
        return 0.0, 0
    products: NDArray[np.float32] = fftconvolve(b, a[::-1], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(b.astype(np.float64) ** 2)])
    power = energy[len(a) :] - energy[: -len(a)]
    floor = 1e-6 * len(a)
    if float(np.sum(a.astype(np.float64) ** 2)) < floor:
        return 0.0, 0
    norms = np.sqrt(np.maximum(power, floor) * float(np.sum(a.astype(np.float64) ** 2)))
    found = np.abs(products) / norms
    return float(found.max()), int(found.argmax())


def is_echo(heard: Samples, played: Samples) -> bool:
    """Whether ``heard`` is mostly ``played``."""
    return likeness(heard, played)[0] > LIKE


class _Filter:
    """Predicts the echo of what is played. ``first``: the block of its delay; ``gain``: its power there."""

    def __init__(self, first: int, gain: float) -> None:
        bins = BLOCK + 1
        distance = np.maximum(0, np.arange(PARTS) - first)
        prior = np.where(np.arange(PARTS) >= first - 1, gain * ROOM**distance, 0.0) + 1e-3 * gain
        self._prior = np.repeat(prior[:, None], bins, 1).astype(np.float32)
        self._doubt = self._prior.copy()  # variance of each weight
        self._weights = np.zeros((PARTS, bins), np.complex64)
        self._noise = np.zeros(bins, np.float32)
        self.forget()

    def forget(self) -> None:
        """Nothing was played before what comes now."""
        self._window = np.zeros(2 * BLOCK, np.float32)
        self._spectra = np.zeros((PARTS, BLOCK + 1), np.complex64)
        self._turn = 0

    def doubt(self) -> None:
        """Be ready to learn again."""
        self._doubt = np.maximum(self._doubt, 0.3 * self._prior)

    def show(self, played: Samples) -> None:
        """(BLOCK,): what was played, without what was heard of it."""
        self._window = np.concatenate([self._window[BLOCK:], played])
        self._spectra = np.roll(self._spectra, 1, 0)
        self._spectra[0] = _spectrum(self._window)

    def __call__(self, heard: Samples, played: Samples) -> Samples:
        """(BLOCK,) each -> what is heard and not predicted."""
        self.show(played)
        rest = heard - _sound((self._spectra * self._weights).sum(0))[BLOCK:]
        self._learn(_spectrum(np.concatenate([np.zeros(BLOCK, np.float32), rest])))
        return rest

    def _learn(self, error: NDArray[np.complex64]) -> None:
        power = _power(self._spectra)
        self._noise = 0.5 * self._noise + 0.5 * _power(error)
        gain = self._doubt / (0.5 * (self._doubt * power).sum(0) + self._noise + 1e-9)  # half of a window is zeros
        self._weights += gain * np.conj(self._spectra) * error
        for _ in range(PARTS // 4):  # the second half of each response is wrapped round; cleared in turn
            impulse = _sound(self._weights[self._turn])
            impulse[BLOCK:] = 0.0
            self._weights[self._turn] = _spectrum(impulse)
            self._turn = (self._turn + 1) % PARTS
        self._doubt *= KEEP**2 * (1.0 - 0.5 * gain * power)
        self._doubt += (1.0 - KEEP**2) * _power(self._weights)


class Echo:
    """One microphone beside one loudspeaker: call it with what is heard and what is played, block by block."""

    def __init__(self) -> None:
        self._heard = np.zeros(RECENT * BLOCK, np.float32)
        self._rest = np.zeros(RECENT * BLOCK, np.float32)  # what was heard, without the echo
        self._played = np.zeros((RECENT + PARTS) * BLOCK, np.float32)
        self._filter: _Filter | None = None
        self._left = np.ones(len(BANDS) - 1)  # what is left of an echo, as a share of what is played, by band
        self._power = np.zeros(len(BANDS) - 1)  # of what is left, now
        self._behind = np.zeros(len(BANDS) - 1)  # of what is played, and its room
        self._peak = np.zeros(len(BANDS) - 1)  # of what is played, in the last seconds
        self._floor = np.full(len(BANDS) - 1, ROOM_NOISE)  # of the noise in the room
        self._present = 0  # blocks for which a user is still taken to be there
        self._since = AGAIN  # blocks since the delay was looked for

    def __call__(self, heard: Samples, played: Samples) -> Samples:
        """(BLOCK,) each at 16 kHz -> what is heard without the echo."""
        self._heard = np.concatenate([self._heard[BLOCK:], heard])
        self._played = np.concatenate([self._played[BLOCK:], played])
        self._since += 1
        rest = heard
        if not self._audible():
            self._present = 0
            if self._filter:
                self._filter.forget()
        else:
            rest = self._filter(heard, played) if self._filter else heard
            self._measure(rest, played)
        self._rest = np.concatenate([self._rest[BLOCK:], rest])
        return rest if np.sum(rest**2) < np.sum(heard**2) else heard

    def of_user(self, probability: float, speaking: bool) -> float:
        """The probability that the last block is speech -> that it is the user's, who is ``speaking`` already."""
        if probability < SPEECH or not self._audible():
            return probability
        if not speaking and (self._filter is None or self._present) and self._resembles():
            return 0.0
        return probability if self._present else 0.0

    def _resembles(self) -> bool:
        """Whether what is left is still what is played; then the echo is learned anew."""
        if likeness(self._rest[-JUDGED * BLOCK :], self._played)[0] < LIKE:
            return False
        self._left = np.clip(self._power / (self._behind + 1e-9), self._left, np.maximum(self._left, LOUDEST))
        if self._since >= AGAIN:
            self._since = 0
            self._find()
        return True

    def _audible(self) -> bool:
        recent = self._played[RECENT * BLOCK - 2 * BLOCK :]
        return float(np.max(np.mean(recent.reshape(-1, BLOCK) ** 2, 1))) > QUIET

    def _find(self) -> None:
        """Look for the delay in the last second, and learn the echo from it."""
        alike, at = likeness(self._heard, self._played)
        if alike < ALIKE:
            return
        delay = PARTS * BLOCK - at
        share = float(np.sum(self._heard**2) / (np.sum(self._played[at : at + len(self._heard)] ** 2) + 1e-9))
        self._filter = _Filter(max(0, delay // BLOCK), 0.4 * alike**2 * share)
        for _ in range(PASSES):
            self._filter.forget()
            self._filter.doubt()
            self._rehearse(self._filter)

    def _rehearse(self, learner: _Filter) -> None:
        blocks = self._played.reshape(-1, BLOCK)
        for played in blocks[:PARTS]:
            learner.show(played)
        for number, heard in enumerate(self._heard.reshape(-1, BLOCK)):
            rest = learner(heard, blocks[PARTS + number])
            self._rest[number * BLOCK : (number + 1) * BLOCK] = rest

    def _measure(self, rest: Samples, played: Samples) -> None:
        """In how many bands there is more than may be left of the echo."""
        self._power = 0.5 * self._power + 0.5 * _bands(rest)
        now = _bands(played)
        self._behind = np.maximum(now, FADE * self._behind)
        self._peak = np.maximum(now, SLOWLY * self._peak)
        self._floor = np.minimum(self._power, np.minimum(ROOM_NOISE, self._floor / SLOWLY))
        ratio = np.minimum(self._power / (self._behind + 1e-9), LOUDEST)
        user = float(np.mean(self._power > MARGIN * (self._left * self._behind + self._floor)))
        self._present = HANG if user >= USER else max(0, self._present - 1)
        rise = DRIFT if self._present else RISE
        left = np.where(ratio > self._left, np.minimum(ratio, rise * self._left), np.maximum(ratio, FALL * self._left))
        self._left = np.where(self._behind > CLEAR * self._peak, left, self._left)


def _spectrum(sound: Samples) -> NDArray[np.complex64]:
    return np.asarray(np.fft.rfft(sound), np.complex64)


def _sound(spectrum: NDArray[np.complex64]) -> Samples:
    return np.asarray(np.fft.irfft(spectrum), np.float32)


def _power(spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
    return spectrum.real**2 + spectrum.imag**2


def _bands(sound: Samples) -> NDArray[np.float32]:
    """(BLOCK,) -> power by band, the same for every loudness of a band."""
    bands: NDArray[np.float32] = np.add.reduceat(_power(_spectrum(sound * SLOPE)), BANDS, dtype=np.float32)
    return bands[:-1] / np.float32(BLOCK)
