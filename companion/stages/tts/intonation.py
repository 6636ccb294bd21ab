"""Prosody: how the speaker, the emotion and a question change the pitch contour of a network. Pure functions."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from companion.emotions import Manner

LOWEST_PITCH = 40.0  # Hz; frames above it are voiced
RISE_S = 0.40  # s at the end of a question in which the pitch rises
RISE_SEMITONES = 4.5  # semitones from the start of the rise to its end
MOST_RISE, LEAST_RISE = (
    9.0,
    3.0,
)  # semitones: the ceiling above the median pitch of the sentence, and the rise that is made even beyond it
AUDIBLE_RANGE = 4.0  # nepers (35 dB) below the loudest frame; the pitch of softer frames is not heard
AGREEING, THINKING = 3.5, 3.5  # semitones by which "mm-hm" rises and "hmm" falls
QUESTION_WORDS = frozenset(
    {"who", "whom", "whose", "what", "when", "where", "which", "why", "how", "what's", "how's", "who's"}
)


class Timbre(NamedTuple):
    """How a derived speaker ``sounds``, in a few words, and differs from the original. ``pitch``: shift in semitones;
    ``width``: factor of the pitch range; ``size``: factor of the formant frequencies, below 1 for a longer vocal tract;
    ``speed`` and ``gain``: factors."""

    sounds: str = ""
    pitch: float = 0.0
    width: float = 1.0
    size: float = 1.0
    speed: float = 1.0
    gain: float = 1.0


def hums(symbols: str) -> bool:
    """Whether all that is said is an "mm", "hm" or "mm-hm", which a network reads on one tone, and too short."""
    spoken = [symbol for symbol in symbols if symbol.isalpha()]
    return "m" in spoken and set(spoken) <= set("hmʔˈˌː")


def hummed(voiced: NDArray[np.bool_], symbols: str) -> NDArray[np.floating]:
    """(n,) semitones to add to a hum: "mm-hm" steps up, which agrees, and "hmm" falls, which thinks."""
    at = np.flatnonzero(voiced)
    x = np.clip((np.arange(len(voiced)) - at[0]) / max(1, at[-1] - at[0]), 0, 1)
    agrees = "m" in symbols.partition("h")[0]
    return np.where(x < 0.5, -1.5 * x, AGREEING * np.sin(np.pi * (x - 0.2) / 1.2)) if agrees else 1.0 - THINKING * x


def rises(words: tuple[str, ...]) -> bool:
    """Whether a sentence is a yes/no question, whose pitch rises at the end; one with "what" and the like does not."""
    if not words or not words[-1].rstrip("\"'”’)").endswith("?"):
        return False
    first = [word.lower().strip("\"'“‘(,.?!") for word in words[:3]]
    return not any(word in QUESTION_WORDS for word in (first if len(words) > 3 else first[:1])) or len(words) == 1


def bent(
    f0: NDArray[np.float32],
    timbre: Timbre,
    manner: Manner,
    asked: NDArray[np.bool_] | None = None,
    hum: str = "",
) -> NDArray[np.float32]:
    """Pitch contour (n,) float32 in Hz, 0 if unvoiced -> the same (n,) for the speaker ``timbre`` in ``manner``.

    ``asked``: (n,) bool, for a question that rises: the audible frames at its end, which carry the rise. ``hum``: the
    symbols of an utterance that `hums`.
    """
    voiced = f0 > LOWEST_PITCH
    if not voiced.any():
        return f0
    semitones = 12 * np.log2(np.maximum(f0, LOWEST_PITCH))
    middle = float(np.median(semitones[voiced]))
    contour = (semitones - middle) * (timbre.width * manner.width)
    if asked is not None:
        contour += _rise(contour, voiced & asked)
    if hum:
        contour += hummed(voiced, hum)
    moved = middle + timbre.pitch + manner.pitch + contour
    return np.where(voiced, 2 ** (moved / 12), f0).astype(np.float32)


def heard_end(loudness: NDArray[np.float32], frame_s: float) -> NDArray[np.bool_]:
    """(n,) float32 log magnitudes (nepers) -> (n,) bool: the audible frames of the last `RISE_S`. ``frame_s``: s."""
    loud = loudness > loudness.max() - AUDIBLE_RANGE
    last = int(np.flatnonzero(loud)[-1])
    return loud & (np.arange(len(loud)) > last - round(RISE_S / frame_s))


def _rise(contour: NDArray[np.floating], carrying: NDArray[np.bool_]) -> NDArray[np.floating]:
    """(n,) semitones to add so that the pitch rises over the ``carrying`` frames, however it moved before."""
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
    """Spectrum (bins, n) float32, bin 0 at 0 Hz -> the same shape with all frequencies multiplied by ``size``."""
    place = np.clip(np.arange(len(spectrum)) / size, 0, len(spectrum) - 1.001)
    low = place.astype(int)
    share = (place - low)[:, None].astype(np.float32)
    return (spectrum[low] * (1 - share) + spectrum[low + 1] * share).astype(np.float32)
