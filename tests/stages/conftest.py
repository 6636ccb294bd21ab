import numpy as np
import pytest
from scipy.signal import resample_poly

from companion.stages.protocols import Samples


@pytest.fixture(scope="session")
def whisper():
    from companion.stages.asr import FasterWhisper

    return FasterWhisper(threads=1)


@pytest.fixture(scope="session")
def hibari():
    from companion.stages.tts import Hibari

    return Hibari()


@pytest.fixture
def say(hibari):
    """Text -> what a microphone would hear of it, at 16 kHz."""

    async def say(text: str) -> Samples:
        sound = np.concatenate([piece.audio async for piece in hibari.speak(text)])
        return resample_poly(sound, 2, 3).astype(np.float32)

    return say
