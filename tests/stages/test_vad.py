"""Voice activity with the real Silero: speech is heard, noise is not."""

import numpy as np
import pytest

from companion.stages.protocols import VAD_WINDOW
from companion.stages.vad import Silero

pytestmark = pytest.mark.model


def listen(vad: Silero, sound: np.ndarray) -> list[float]:
    whole = len(sound) // VAD_WINDOW * VAD_WINDOW
    return [vad(sound[i : i + VAD_WINDOW]) for i in range(0, whole, VAD_WINDOW)]


async def test_speech_is_heard(say):
    heard = listen(Silero(), await say("I would like to know what you think about the sea."))
    assert np.mean(np.array(heard) > 0.5) > 0.6


@pytest.mark.parametrize("loudness", [0.0, 0.001, 0.01, 0.1])
def test_silence_and_noise_are_not_speech(loudness):
    noise = np.random.default_rng(1).standard_normal(16_000 * 3).astype(np.float32) * np.float32(loudness)
    assert max(listen(Silero(), noise)) < 0.5


async def test_two_microphones_do_not_disturb_each_other(say):
    speech = await say("One microphone listens to this sentence.")
    alone = listen(Silero(), speech)
    first, second = Silero(), Silero()
    together = [
        (first(speech[i : i + VAD_WINDOW]), second(np.zeros(VAD_WINDOW, np.float32)))
        for i in range(0, VAD_WINDOW * 40, VAD_WINDOW)
    ]
    assert [mine for mine, _ in together] == alone[:40]
    assert max(other for _, other in together) < 0.5


async def test_reset_forgets_the_microphone(say):
    speech = await say("Again and again.")
    vad = Silero()
    first = listen(vad, speech)
    vad.reset()
    assert listen(vad, speech) == first


def test_another_length_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match="512"):
        Silero()(np.zeros(160, np.float32))
