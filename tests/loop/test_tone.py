"""How a voice sounds, beside how it has sounded so far, and what becomes of it."""

from dataclasses import replace

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.config import Talk
from companion.dialogue.personas.feelings import Feeling, voiced
from companion.dialogue.personas.personas import Felt, Prompts
from companion.hearing.transcription.tone import Tone
from companion.protocol import events
from companion.stages import fakes
from companion.stages.protocols import HEAR_RATE, Samples
from tests.loop.conversation import PERSONA, RATE, Conversation, engine


def _voice(semitones: float = 0.0, decibels: float = 0.0, seconds: float = 2.0, rate: int = HEAR_RATE) -> Samples:
    """A buzz whose pitch goes up and down by two semitones around 140 Hz, with overtones, in syllables."""
    t = np.arange(int(seconds * rate)) / rate
    pitch = 140 * 2 ** ((semitones + 2 * np.sin(2 * np.pi * 0.7 * t)) / 12)
    phase = np.cumsum(pitch) / rate
    buzz = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 12))
    return (0.05 * 10 ** (decibels / 20) * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


@pytest.mark.parametrize(
    ("sound", "sign"),
    [
        (_voice(), 0),
        (_voice(5.0), 1),
        (_voice(3.0, 6.0), 1),
        (_voice(-5.0), -1),
        (_voice(seconds=0.5, semitones=7.0), 0),
        (np.random.default_rng(0).standard_normal(2 * HEAR_RATE).astype(np.float32), 0),
        (np.zeros(2 * HEAR_RATE, np.float32), 0),
        (np.zeros(10, np.float32), 0),
    ],
)
def test_a_voice_is_compared_with_itself(sound: Samples, sign: int):
    tone = Tone()
    assert [tone.hear(_voice(offset)) for offset in (0.0, 0.5, -0.5)] == [0.0, 0.0, 0.0]
    assert np.sign(tone.hear(sound)) == sign


def test_nobody_is_judged_by_the_first_sentence():
    assert Tone().hear(_voice(9.0, 10.0)) == 0.0


def test_another_pitch_becomes_the_usual_one():
    tone = Tone()
    for _ in range(3):
        tone.hear(_voice())
    heard = [tone.hear(_voice(6.0)) for _ in range(20)]
    assert heard[0] > 0 and heard[-1] == 0.0


def test_the_voice_bears_out_what_the_words_say_or_does_not():
    happy = Feeling("happy", 0.5)
    assert voiced(happy, 0.8).strength > 0.5 > voiced(happy, -0.8).strength
    assert voiced(happy, 0.0) == happy
    assert voiced(Feeling("sad", 0.9), -1.0).strength == 1.0
    assert voiced(Feeling(), -1.0).emotion == "tender" and voiced(Feeling(), -1.0).strength < 0.5


def test_a_model_that_can_is_told_of_a_voice_out_of_its_usual():
    model = fakes.ScriptedLLM(["I see."])
    made = engine(llm=model, talk=Talk(persona="anna", feeling_tags=True))
    felt = Felt(lively="(Livelier.)", low="(Lower.)")
    made = replace(made, prompts=Prompts({"anna": PERSONA}, "Be short.", felt=felt))

    async def script() -> None:
        async with Conversation(made) as talk:
            for number, semitones in enumerate((0.0, 0.0, 0.0, 6.0), 1):
                await talk.play(4 * _voice(semitones, rate=RATE))
                await talk.silence(0.8)
                await talk.until(events.ResponseDone, number)

    run(script())
    assert [asked[-1].content.endswith("(Livelier.)") for asked in model.asked] == [False, False, False, True]
