"""Speech recognition with the real Whisper, on speech of the real voice."""

import asyncio

import numpy as np
import pytest
from wer import word_error_rate

from companion.errors import StageError
from companion.stages.asr import FasterWhisper, _loops

pytestmark = pytest.mark.model

SENTENCES = (
    "What is your favorite season, and why do you like it?",
    "Please tell me something about the paintings of Leonardo.",
    "Yes.",
)


@pytest.mark.parametrize("sentence", SENTENCES)
async def test_what_was_said_is_understood(whisper, say, sentence):
    heard = await whisper.transcribe(await say(sentence))
    assert word_error_rate(sentence, heard.text) <= 0.1
    assert heard.language == "en"


@pytest.mark.parametrize("word", ["Yes.", "No, thank you.", "Stop."])
async def test_short_answers_are_not_lost(whisper, say, word):
    speech = await say(word)
    hiss = np.random.default_rng(1).standard_normal(len(speech)).astype(np.float32) * np.float32(0.0005)
    heard = await whisper.transcribe(speech + hiss)
    assert (word_error_rate(word, heard.text), heard.language) == (0.0, "en")


async def test_speech_in_a_noisy_room_is_understood(whisper, say):
    speech = await say(SENTENCES[0])
    noise = np.random.default_rng(2).standard_normal(len(speech)).astype(np.float32) * np.float32(0.01)
    assert word_error_rate(SENTENCES[0], (await whisper.transcribe(speech + noise)).text) <= 0.25


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0),
        np.zeros(800),
        np.zeros(48_000),
        np.random.default_rng(3).standard_normal(32_000) * 0.05,
        0.3 * np.sin(np.arange(32_000) * 0.15),
        np.full(16_000, np.nan),
    ],
    ids=["empty", "tiny", "silence", "noise", "tone", "not numbers"],
)
async def test_nothing_is_imagined_where_nobody_speaks(whisper, sound):
    assert (await whisper.transcribe(sound.astype(np.float32))).text == ""


async def test_an_utterance_longer_than_whispers_window(whisper, say):
    sentences = [
        "The old harbour was quiet in the early morning.",
        "Two boats came back with fish, and the gulls followed them.",
        "A woman sold bread and coffee from a small green cart.",
        "Later the market opened, and the narrow streets were full of people.",
        "Nobody noticed the small dog that slept under the table of the baker.",
        "In the afternoon it began to rain, so everybody went home early.",
        "My grandmother lit a candle and told us a story about a clever fox.",
        "When the night came, only the lamp of the lighthouse was still burning.",
    ]
    text = " ".join(sentences)
    speech = await say(text)
    assert len(speech) > 25 * 16_000
    assert word_error_rate(text, (await whisper.transcribe(speech)).text) <= 0.25


async def test_an_abandoned_call_does_not_disturb_the_next(whisper, say):
    first, second = await say(SENTENCES[1]), await say(SENTENCES[0])
    abandoned = asyncio.create_task(whisper.transcribe(first))
    await asyncio.sleep(0.01)
    abandoned.cancel()
    heard = await whisper.transcribe(second)
    assert abandoned.cancelled()
    assert word_error_rate(SENTENCES[0], heard.text) <= 0.1


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(StageError, match="embedded-base") as caught:
        FasterWhisper(model=str(tmp_path))
    assert caught.value.code == "asr_model"


def test_a_language_that_whisper_does_not_know():
    with pytest.raises(StageError, match="klingon"):
        FasterWhisper(language="klingon")


async def test_a_language_that_is_told_is_the_one_that_is_heard(whisper, say):
    german = whisper.in_language("de")
    assert (await german.transcribe(await say("Good morning, how are you?"))).language == "de"
    assert (await whisper.transcribe(np.zeros(16_000, np.float32))).language == "en"
    assert {"en", "de", "tr"} <= whisper.abilities.languages


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("I think 1 1 1 1 1 1 1 1", True),
        ("Mae'r amser, mae'r amser, mae'r amser, mae'r amser, mae'r amser,", True),
        ("no " * 14, True),
        ("No, no, no, no, no, I did not say that.", False),
        ("Ha ha ha ha ha ha, that is good.", False),
        ("one, two, three, four, five, six", False),
        ("I said that I said that I would come, and I said that twice.", False),
        ("My number is 1 1 2, 1 1 2, call it.", False),
    ],
)
def test_what_nobody_says_so_often_is_a_loop(text: str, loops: bool):
    assert _loops(text) is loops
