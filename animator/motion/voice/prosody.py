"""Prosody that moves head, brows and eyes: loudness, accents, and the starts and ends of phrases."""

from dataclasses import dataclass

from animator.media.mel import Features

_VOICE_BANDS = slice(3, 44)  # 130 Hz to 3.9 kHz
_NOISE_MARGIN = 0.09  # features (7 dB) over the noise floor
_LEAST_LEVEL = 0.24  # features (-61 dB): quieter is never a voice
_ACCENT_GAP = 7  # frames between accents at least
_PAUSE_FRAMES = 6  # frames without voice that end a phrase
_PHRASE_FRAMES = 18  # frames of voice that make a phrase


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame of the voice. ``accent`` is 0, or the strength of a stressed syllable that peaks here, up to 1;
    ``lift`` the same of its melody."""

    talking: bool
    loudness: float  # 0 in silence, about 0.5 in mean speech, 1 at the loudest
    accent: float
    started: bool
    ended: bool
    lift: float = 0.0


SILENCE = Heard(False, 0.0, 0.0, False, False)


class Prosody:
    """Follows the energy of a voice; its level and the noise around it are found by itself."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the voice, keep nothing."""
        self._noise, self._mean, self._spread = 0.2, 0.55, 0.08
        self._last, self._before = 0.0, 0.0
        self._since_accent, self._voiced, self._quiet = _ACCENT_GAP, 0, _PAUSE_FRAMES

    def __call__(self, features: Features) -> Heard:
        """(hops, MELS) of one frame, see `animator.media.mel.LogMel`."""
        level = float(features[:, _VOICE_BANDS].mean())
        self._noise += (level - self._noise) * (0.25 if level < self._noise else 0.003)
        voice = level > max(_LEAST_LEVEL, self._noise + _NOISE_MARGIN)
        started, ended = self._count(voice)
        if voice:
            self._mean += (level - self._mean) * 0.04
            self._spread += (abs(level - self._mean) - self._spread) * 0.04
        accent = self._accent_before(level)
        loudness = min(1.0, max(0.0, 0.5 + (level - self._mean) / (4 * self._spread + 0.1))) if voice else 0.0
        return Heard(self._quiet < _PAUSE_FRAMES and self._voiced > 0, loudness, accent, started, ended)

    def _count(self, voice: bool) -> tuple[bool, bool]:
        """Whether a phrase started or ended with this frame."""
        if voice:
            started = self._quiet >= _PAUSE_FRAMES
            self._voiced = 1 if started else self._voiced + 1
            self._quiet = 0
            return started, False
        self._quiet += 1
        return False, self._quiet == _PAUSE_FRAMES and self._voiced >= _PHRASE_FRAMES

    def _accent_before(self, level: float) -> float:
        """The strength of the accent if the frame before was a peak of loudness."""
        peak = self._last >= self._before and self._last > level
        rise = (self._last - self._mean) / (self._spread + 0.03)
        self._before, self._last = self._last, level
        self._since_accent += 1
        if not peak or rise < 0.6 or self._since_accent < _ACCENT_GAP or not self._voiced:
            return 0.0
        self._since_accent = 0
        return min(1.0, 0.3 + 0.4 * (rise - 0.6))
