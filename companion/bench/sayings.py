"""What the simulated users of the benchmarks say, and quantiles of measurements."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from animator.media.files import read_audio
from companion.call.caller import Saying
from companion.stages.protocols import SPEAK_RATE, TTS, VAD, Samples

QUESTIONS = (
    "Hello, how are you today?",
    "What do you like to do on a rainy day?",
    "I had a long day at work and I am quite tired.",
    "Do you have a favorite color?",
    "Yesterday I went to the park with my sister, and we saw a big brown dog.",
    "Can you tell me something about the stars?",
    "My friend is moving to another city next month.",
    "What should I cook for dinner tonight?",
    "I started to learn the piano a few weeks ago.",
    "Why is the sky blue?",
    "I cannot sleep very well these days.",
    "Thank you, that was nice to hear.",
)
INTERRUPTION = "Wait, please stop. I want to ask you something else."


class Spread(TypedDict):
    """Quantiles; None if there are no values, or if the quantile is infinite."""

    p50: float | None
    p95: float | None


def spread_of(values: Sequence[float]) -> Spread:
    """The 0.5 and 0.95 quantiles of ``values``, as `quantile`."""
    return {"p50": quantile(values, 0.5), "p95": quantile(values, 0.95)}


def text_of(value: float | None) -> str:
    """A figure as tables show it."""
    return "-" if value is None else f"{value:.0f}"


def quantile(values: Sequence[float], share: float) -> float | None:
    """The quantile ``share``, in [0, 1], of ``values``, to one decimal place; None if there are no values, or if it is
    infinite."""
    if not values:
        return None
    found = float(np.quantile(values, share, method="linear" if np.isfinite(values).all() else "higher"))
    return round(found, 1) if np.isfinite(found) else None


async def sayings(
    tts: TTS | None, vad: Callable[[], VAD], threshold: float, recorded: Sequence[Path] = (), stop: Path | None = None
) -> tuple[list[Saying], Saying]:
    """The questions and the interruption of a simulated user.

    Args:
        tts: synthesizes `QUESTIONS` if there are no ``recorded`` ones, and `INTERRUPTION` if there is no ``stop``;
            None if both are given.
        vad: makes the VAD that finds where speech begins and ends.
        threshold: its probability above which a window is speech.

    Raises:
        TalkError: there is no speech in one of them.
        MediaError: a recording cannot be read.
        StageError: the synthesis failed.
    """
    audio = [read_audio(path, SPEAK_RATE) for path in recorded] or [await _synthesize(tts, text) for text in QUESTIONS]
    halt = read_audio(stop, SPEAK_RATE) if stop else await _synthesize(tts, INTERRUPTION)
    return [Saying(sound, vad(), threshold) for sound in audio], Saying(halt, vad(), threshold, "The interruption")


async def _synthesize(tts: TTS | None, text: str) -> Samples:
    assert tts is not None
    return np.concatenate([piece.audio async for piece in tts.speak(text)])
