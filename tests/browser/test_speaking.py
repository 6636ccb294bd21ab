"""A visitor speaks: Chromium's fake microphone plays a recording."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import wavfile
from scipy.signal import resample_poly
from selenium import webdriver

from companion.stages.protocols import SPEAK_RATE
from companion.stages.tts import Hibari
from tests.browser.chromium import complaints
from tests.browser.page import Page
from tests.browser.served import Companion

pytestmark = pytest.mark.browser

RATE = 48_000
MOST_OFFSET = 45.0  # ms


def voice(seconds: float) -> NDArray[np.float32]:
    """Something that noise suppression takes for a voice: gliding harmonics in syllables."""
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(230 + 40 * np.sin(2 * np.pi * 1.3 * t)) / RATE
    sound = sum(np.sin(k * phase) / k * np.exp(-(((k * 230 - 600) / 900) ** 2)) for k in range(1, 15))
    return (0.4 * sound * np.abs(np.sin(2 * np.pi * 2.2 * t))).astype(np.float32)


def recording(path: Path, *parts: NDArray[np.float32] | float) -> Path:
    """A WAV of sounds, and of silences given in seconds."""
    sounds = [np.zeros(int(p * RATE), np.float32) if isinstance(p, float) else p for p in parts]
    wavfile.write(path, RATE, (np.clip(np.concatenate(sounds), -1, 1) * 32767).astype(np.int16))
    return path


def question(text: str) -> NDArray[np.float32]:
    """``text`` in the embedded voice."""

    async def speak() -> list[NDArray[np.float32]]:
        return [speech.audio async for speech in Hibari().speak(text)]

    sound = np.concatenate(asyncio.run(speak()))
    return (0.7 * resample_poly(sound, RATE, SPEAK_RATE) / np.abs(sound).max()).astype(np.float32)


def test_a_spoken_question_is_answered_and_speaking_again_interrupts(
    chromium: Callable[..., webdriver.Chrome], fakes: Companion, tmp_path: Path
) -> None:
    microphone = recording(tmp_path / "microphone.wav", 1.0, voice(1.5), 2.5)
    page = Page(chromium(microphone), fakes.url)
    page["talk"].click()
    page.wait(lambda: page.stats()["listening"], "the microphone")
    page.until_state("listening")
    page.until_state("speaking")
    page.wait(lambda: page.stats()["heard"]["ms"] > 200, "the answer to be heard")
    assert page.said("user")[0]
    assert page.said("assistant")[0]
    assert page.stats()["audio_peak"] > 0.05
    assert abs(page.stats()["av_offset_ms"]) <= MOST_OFFSET
    page.wait(lambda: page.events("output_audio_buffer.cleared"), "the interruption")
    cleared = page.events("output_audio_buffer.cleared")[0]["response_id"]
    statuses = {e["response"]["id"]: e["response"]["status"] for e in page.events("response.done")}
    assert statuses[cleared] == "cancelled"
    page.wait(lambda: page.events("conversation.item.truncated"), "the history to be cut")
    page.wait(lambda: len(page.said("assistant")) > 1, "the answer to the second question")
    page["talk"].click()
    page.wait(lambda: not page.stats()["listening"], "the microphone to be off")
    assert complaints(page.browser) == []


@pytest.mark.model
def test_the_embedded_models_answer_a_question_in_the_page(
    chromium: Callable[..., webdriver.Chrome], tmp_path: Path
) -> None:
    microphone = recording(tmp_path / "question.wav", 1.5, question("What do you like to talk about?"), 60.0)
    companion = Companion("default", tmp_path / "log.txt", patience_s=240.0)
    try:
        page = Page(chromium(microphone), companion.url, patience=120.0)
        seen = page.picture()
        page["talk"].click()
        page.until_state("speaking")
        page.wait(lambda: page.stats()["audio_peak"] > 0.05, "the voice")
        page.wait(lambda: page.stats()["state"] != "speaking", "the end of the answer")
        assert "talk about" in page.said("user")[0].lower()
        assert len(page.said("assistant")[0].split()) > 2
        assert page.picture() != seen
        assert abs(page.stats()["av_offset_ms"]) <= MOST_OFFSET
        assert page.events("error") == []
        assert complaints(page.browser) == []
    finally:
        companion.stop()
