"""Clips of speech for the tests, without a synthesizer: vowels of one pitch between closed lips."""

import numpy as np

from animator.learn.clips.clips import FRAME_SAMPLES, Clip, to_power
from animator.learn.corpus.teacher import Segment, teach, tip

RATE = 24_000
SOUNDS = {"a": 700.0, "m": 250.0, "i": 300.0, "": 0.0}


def spoken(text: str, seconds: float, pitch: float) -> tuple[np.ndarray, list[Segment]]:
    """A sound at 24 kHz for symbols of `SOUNDS` separated by spaces, each ``seconds`` long."""
    symbols = text.split(" ")
    segments = [Segment(symbol, i * seconds, (i + 1) * seconds) for i, symbol in enumerate(symbols)]
    count = int(seconds * RATE)
    time = np.arange(count * len(symbols)) / RATE
    loud = np.repeat([0.0 if not s else 0.2 if s == "m" else 1.0 for s in symbols], count)
    formant = np.repeat([SOUNDS[s] for s in symbols], count)
    voice = sum(np.sin(2 * np.pi * pitch * k * time) / (1 + ((pitch * k - formant) / 300) ** 2) for k in range(1, 12))
    return (0.1 * loud * voice).astype(np.float32), segments


def clip(source: str, voice: str, held: bool, pitch: float) -> Clip:
    sound, segments = spoken(" m a i m a  a m i a m a ", 0.16, pitch)
    mouth = teach(segments, sound, RATE)
    raised = tip(segments, len(mouth)).astype(np.float16)
    return Clip(source, voice, held, to_power(sound[: len(mouth) * FRAME_SAMPLES]), mouth.astype(np.float16), raised)
