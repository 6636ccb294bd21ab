"""Answers to a lesson, said by the embedded voice and heard by the embedded recogniser."""

import asyncio

import numpy as np
import pytest
from scipy.signal import resample_poly

from companion import resources
from companion.dialogue.lessons import lesson
from companion.dialogue.lessons.lesson import Lesson
from companion.dialogue.lessons.tutor import Tutor
from companion.stages.asr import FasterWhisper
from companion.stages.streams import collected
from companion.stages.tts import Hibari

pytestmark = pytest.mark.model

SAID = (
    ("One quarter.", "A quarter.", "I think one quarter.", "One fourth.", "One out of four."),
    (
        "Three quarters.",
        "Three fourths.",
        "Seventy-five percent.",
        "Three out of four.",
        "I think it's three quarters.",
    ),
    ("One third.", "A third.", "One third is more.", "The third."),
    ("A half.", "One half.", "Two fourths.", "Fifty percent."),
    ("Three fifths.", "Three over five.", "Sixty percent.", "It is three fifths."),
)
NEITHER = (
    "Okay.",
    "Thank you.",
    "I need to go.",
    "My dog died.",
    "Can we talk about dinosaurs?",
    "I don't know.",
    "Hello!",
    "I'm tired.",
    "I don't want to.",
    "What do you mean?",
    "Why is the sky blue?",
    "Can you say that again?",
    "I feel sad.",
    "Let's talk about something else.",
    "I have two brothers.",
    "Tell me a story.",
    "Stop.",
    "Give me a hint.",
    "I am nine years old.",
    "Do you like pizza?",
)


@pytest.fixture(scope="module")
def through():
    """Says a text and hears it as a lesson's tutor expects it."""
    voice, whisper = Hibari(), FasterWhisper()

    async def hear(text: str, tutor: Tutor) -> str:
        pieces = await collected(voice.speak(text))
        sound = np.pad(np.concatenate([piece.audio for piece in pieces]), 7200)
        asr = whisper.expecting(tutor.heard, tutor.counts)
        return (await asr.transcribe(resample_poly(sound, 2, 3).astype(np.float32))).text

    return lambda text, tutor: asyncio.run(hear(text, tutor))


def asked(item: int) -> tuple[Tutor, list]:
    """A tutor who has just asked the question at that place, and what he tells from then on."""
    folder, told = resources.folder("prompts"), []
    tutoring = lesson.tutoring(folder)
    taught = Lesson.read(folder / "lessons" / "fractions.md", tutoring)
    tutor = Tutor(taught, tutoring["en"], told.append)
    tutor.hear("I want to learn about fractions.")
    for before in taught.items[:item]:
        tutor.hear(before.answers[0])
    told.clear()
    return tutor, told


def test_right_answers_that_are_spoken_are_accepted(through):
    refused = []
    for item, texts in enumerate(SAID):
        for text in texts:
            tutor, told = asked(item)
            tutor.hear(heard := through(text, tutor))
            if not told or not told[0].right:
                refused.append((text, heard))
    assert len(refused) <= 2, refused


def test_what_is_no_answer_is_not_judged_when_it_is_spoken(through):
    judged = []
    for text in NEITHER:
        tutor, told = asked(0)
        tutor.hear(heard := through(text, tutor))
        if told:
            judged.append((text, heard))
    assert not judged
