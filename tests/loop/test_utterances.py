"""Laughter, sighs and breaths, which no voice can read, are heard where a reply has them."""

import asyncio

import numpy as np
import pytest

from companion.call.virtual_time import run
from companion.protocol import events
from companion.speech import laughter, utterances
from companion.speech.text.sentences import Sentence, Sentences
from companion.stages import fakes
from companion.stages.protocols import SPEAK_RATE, Speech
from companion.stages.tts.pitch import melody
from tests.loop.conversation import Conversation, engine


class Vowel(fakes.ToneTTS):
    """Says everything as a vowel of 200 Hz."""

    async def speak(self, text, emotion="neutral"):
        self.spoken.append((text, emotion))
        t = np.arange(SPEAK_RATE // 2) / SPEAK_RATE
        sound = sum(np.sin(2 * np.pi * 200 * k * t) / (1 + (k - 4) ** 2) for k in range(1, 20))
        yield Speech((0.3 * sound / np.abs(sound).max()).astype(np.float32))


@pytest.mark.parametrize(
    ("spoken", "laughed"),
    [
        ("Haha, that is good.", ["Haha,"]), ("That is good, ha ha!", ["ha ha!"]), ("Hehe.", ["Hehe."]),
        ("Jajaja, qué bueno.", ["Jajaja,"]), ("ははは、いいね", ["ははは、"]), ("哈哈，好。", ["哈哈，"]),
        ("हा हा!", ["हा हा!"]),
        ("Aha, I see.", []), ("Ha!", []), ("He, he said.", []), ("She had a hat.", []), ("The Sahara", []),
        ("Ja, ja, genau.", []), ("Okay.", []),
    ],
)  # fmt: skip
def test_written_laughter_is_found_and_words_are_none(spoken: str, laughed: list[str]):
    found = laughter.parts(spoken)
    assert [text for text, is_laughed in found if is_laughed] == laughed
    assert "".join(text for text, _ in found).replace(" ", "") == spoken.replace(" ", "")


def test_laughter_is_short_calls_higher_than_the_voice_that_fall_and_fade():
    (said,) = heard(Vowel(), "Ha!")
    for seed in range(5):
        laugh = laughter.laugh(said.audio, "hahaha", np.random.default_rng(seed))
        hertz, loudness = melody(laugh)
        voiced = np.flatnonzero(np.diff(np.concatenate([[0], loudness > 0.3 * loudness.max(), [0]]).astype(int)) == 1)
        assert 3 <= len(voiced) <= 6
        assert 3.5 < (len(voiced) - 1) / (0.005 * (voiced[-1] - voiced[0])) < 7.0, "calls a second"
        first, last = (np.median(hertz[at : at + 15][hertz[at : at + 15] > 0]) for at in voiced[[0, -1]])
        assert 200 < last < first < 400
        assert np.abs(laugh).max() <= 0.6 and loudness[voiced[-1] : voiced[-1] + 15].max() < loudness.max()


def test_a_voice_that_says_nothing_laughs_all_the_same():
    assert np.isfinite(laughter.laugh(np.zeros(0, np.float32), "", np.random.default_rng(0))).all()


def heard(tts, text: str) -> list[Speech]:
    async def script():
        return [piece async for piece in utterances.said(tts, Sentence(text, text))]

    return asyncio.run(script())


def test_it_is_laughed_among_the_words_which_keep_their_times():
    tts = fakes.ToneTTS()
    pieces = heard(tts, "Well, haha, that is good.")
    words = [word.text for piece in pieces for word in piece.words]
    assert words == ["Well,", "haha,", "that", "is", "good."]
    assert [text for text, _ in tts.spoken] == ["Well,", laughter.SAMPLE, "that is good."]


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("[laughs] You are funny. Go on.", ["laugh", ""]), ("You are funny. [laughs] Go on.", ["", "laugh"]),
        ("*sighs softly* It was long.", ["sigh"]), ("(chuckles) Yes.", ["laugh"]), ("*with a laugh* No.", ["laugh"]),
        ("That was funny! [laughs]", ["", "laugh"]), ("*laughs*", ["laugh"]), ("[happy] Yes. [smiles] No.", ["", ""]),
        ("She laughs a lot.", [""]), ("*takes a deep breath* So.", ["breath"]),
    ],
)  # fmt: skip
def test_a_stage_direction_is_heard_before_what_follows(written: str, sounds: list[str]):
    stream = Sentences()
    assert [sentence.sound for sentence in [*stream.feed(written), *stream.flush()]] == sounds


def test_a_sigh_is_heard_before_its_sentence():
    plain, sighed = (
        np.concatenate([piece.audio for piece in asyncio.run(_said(Sentence("So.", "So.", sound=sound)))])
        for sound in ("", "sigh")
    )
    before = sighed[: len(sighed) - len(plain)]
    assert 0.5 * SPEAK_RATE < len(before) < 0.9 * SPEAK_RATE
    assert 0.003 < np.sqrt(np.mean(before**2)) < 0.05


async def _said(sentence: Sentence) -> list[Speech]:
    return [piece async for piece in utterances.said(fakes.ToneTTS(), sentence)]


def test_a_laugh_that_ends_a_reply_is_heard_and_not_written():
    async def script():
        made = engine(llm=fakes.ScriptedLLM(["That was funny! [laughs]"]))
        async with Conversation(made) as talk:
            talk.ask("Well?")
            await talk.until(events.ResponseDone)
        return talk

    talk = run(script())
    (content,) = talk.all(events.ResponseDone)[0].response["output"][0]["content"]
    assert content["transcript"].strip() == "That was funny!"
    assert [text for text, _ in talk.engine.tts.spoken][-2:] == ["That was funny!", laughter.SAMPLE]
    assert len(np.trim_zeros(np.round(talk.sound(), 3))) > 1.2 * SPEAK_RATE
