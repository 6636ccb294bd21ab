"""The loudness of a recorded voice, so that motion follows the voice and not the gain of the recorder."""

import numpy as np

from animator.units import SAMPLES_PER_FRAME, Samples

SPEECH_DB = -17.0  # RMS of the louder frames of a voice; recordings of people lie within 2 dB of it
TOLERANCE_DB = 3.0  # from which on a voice is quieter or louder than others
QUIETEST_DB = -60.0  # less is nobody's voice
LEAST_RANGE_DB = 8.0  # that a voice rises and falls at least; noise does not
SOUNDING_SHARE = 0.05  # of the loudest frame, under which a frame is a pause


def gain_to_speech(sound: Samples) -> float:
    """The factor that makes (n,) samples in [-1, 1] at `RATE` as loud as speech usually is; 1 for a voice that already
    is, and for sound that is no voice."""
    frames = sound[: len(sound) // SAMPLES_PER_FRAME * SAMPLES_PER_FRAME].reshape(-1, SAMPLES_PER_FRAME)
    if not len(frames):
        return 1.0
    powers = np.sqrt(np.mean(frames.astype(np.float64) ** 2, 1)) + 1e-9
    voiced = 20 * np.log10(powers[powers >= SOUNDING_SHARE * powers.max()])
    level, varies = np.percentile(voiced, 75), np.ptp(np.percentile(voiced, (10, 90)))
    usual = abs(level - SPEECH_DB) <= TOLERANCE_DB
    return 1.0 if usual or level < QUIETEST_DB or varies < LEAST_RANGE_DB else float(10 ** ((SPEECH_DB - level) / 20))
