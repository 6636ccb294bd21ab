"""The melody of a sentence: what a voice, a feeling and a question do to the pitch that a network chose. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from companion.emotions import Manner

LOWEST_PITCH = 40.0  # Hz, above which a frame has a pitch
RISE_S = 0.40  # s at the end of a question in which it rises
RISE_SEMITONES = 4.5  # semitones by which it ends above where the rise began
MOST_RISE, LEAST_RISE = (
    9.0,
    3.0,
)  # semitones above the middle of the sentence that it does not pass, but for so much of a rise
AUDIBLE_RANGE = 4.0  # natural logarithms (35 dB) below the loudest frame: what is softer carries no melody
QUESTION_WORDS = frozenset(
    {"who", "whom", "whose", "what", "when", "where", "which", "why", "how", "what's", "how's", "who's"}
)


class Timbre(NamedTuple):
    """What makes another speaker of one. ``pitch`` in semitones, ``width`` of its range, ``size``: formants by this
    factor, below 1 for a longer throat; ``speed`` and ``gain`` relative to the voice's own."""

    pitch: float = 0.0
    width: float = 1.0
    size: float = 1.0
    speed: float = 1.0
    gain: float = 1.0


def rises(words: tuple[str, ...]) -> bool:
    """Whether a sentence asks for yes or no, which one hears at its end; "what" and its kin say so by themselves."""
    if not words or not words[-1].rstrip("\"'”’)").endswith("?"):
        return False
    first = [word.lower().strip("\"'“‘(,.?!") for word in words[:3]]
    return not any(word in QUESTION_WORDS for word in (first if len(words) > 3 else first[:1])) or len(words) == 1


def bent(
    f0: NDArray[np.float32], timbre: Timbre, manner: Manner, asked: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """(n,) Hz, 0 where there is no voice -> the same with the pitch of ``timbre`` in ``manner``.

    ``asked``: (n,) for a question that rises, the frames at its end that are heard well enough to carry the rise.
    """
    voiced = f0 > LOWEST_PITCH
    if not voiced.any():
        return f0
    semitones = 12 * np.log2(np.maximum(f0, LOWEST_PITCH))
    middle = float(np.median(semitones[voiced]))
    contour = (semitones - middle) * (timbre.width * manner.width)
    if asked is not None:
        contour += _rise(contour, voiced & asked)
    moved = middle + timbre.pitch + manner.pitch + contour
    return np.where(voiced, 2 ** (moved / 12), f0).astype(np.float32)


def heard_end(loudness: NDArray[np.float32], frame_s: float) -> NDArray[np.bool_]:
    """(n,) natural logarithms of magnitudes -> the frames of the last `RISE_S` of what is heard."""
    loud = loudness > loudness.max() - AUDIBLE_RANGE
    last = int(np.flatnonzero(loud)[-1])
    return loud & (np.arange(len(loud)) > last - round(RISE_S / frame_s))


def _rise(contour: NDArray[np.floating], carrying: NDArray[np.bool_]) -> NDArray[np.floating]:
    """What is added so that the voice goes up over the frames that carry it, whatever it did by itself."""
    at = np.flatnonzero(carrying)
    if len(at) == 0:
        return np.zeros_like(contour)
    begin, last = int(at[0]), int(at[-1])
    start = float(np.median(contour[at[: max(1, len(at) // 4)]]))
    end = float(np.median(contour[at[-max(1, len(at) // 5) :]]))
    wanted = min(start + RISE_SEMITONES, max(MOST_RISE, start + LEAST_RISE))
    ramp = np.clip((np.arange(len(contour)) - begin) / max(1, last - begin), 0, 1)
    return ramp * max(0.0, wanted - end)


def resized(spectrum: NDArray[np.float32], size: float) -> NDArray[np.float32]:
    """(bins, n), frequency from 0 up -> the same with all frequencies times ``size``."""
    place = np.clip(np.arange(len(spectrum)) / size, 0, len(spectrum) - 1.001)
    low = place.astype(int)
    share = (place - low)[:, None].astype(np.float32)
    return (spectrum[low] * (1 - share) + spectrum[low + 1] * share).astype(np.float32)
