"""The voices of the default: what a feeling, a question and another speaker do to the pitch, and how words are said."""

import numpy as np
import pytest
from scipy.signal import resample_poly
from wer import word_error_rate

from companion.emotions import Manner
from companion.errors import StageError
from companion.stages.protocols import SPEAK_RATE, Samples
from companion.stages.tts.english import English, kokoro
from companion.stages.tts.intonation import Timbre, bent, heard_end, hums, resized, rises
from companion.stages.tts.piper import encoded
from companion.stages.tts.pitch import melody, moved
from companion.stages.tts.synthesis import manner

TEXT = "The museum opens at nine in the morning, and the garden is free for everybody."
MELODY = np.concatenate([np.zeros(5), 200 * 2 ** (np.sin(np.arange(80) / 8) / 4), np.zeros(5)]).astype(np.float32)


def semitones(f0: np.ndarray) -> tuple[float, float]:
    """The middle and the standard deviation of what is voiced."""
    pitch = 12 * np.log2(f0[f0 > 40])
    return float(np.median(pitch)), float(pitch.std())


def test_the_pitch_is_left_alone_by_a_plain_voice():
    assert np.allclose(bent(MELODY, Timbre(), Manner()), MELODY, rtol=1e-4)
    silent = np.zeros(9, np.float32)
    assert np.array_equal(bent(silent, Timbre(pitch=3), Manner()), silent)


def test_sadness_is_lower_and_flatter_and_joy_higher_and_wider():
    plain, sad, happy = (semitones(bent(MELODY, Timbre(), m)) for m in (Manner(), manner("sad"), manner("happy")))
    assert sad[0] == pytest.approx(plain[0] - 2.0, abs=0.1)
    assert sad[1] == pytest.approx(plain[1] * 0.6, rel=0.02)
    assert happy[0] == pytest.approx(plain[0] + 1.5, abs=0.1)
    assert happy[1] == pytest.approx(plain[1] * 1.35, rel=0.02)
    assert manner("sad").speed < 1 < manner("happy").speed


@pytest.mark.parametrize(
    ("said", "up"),
    [
        ("Really?", True), ("Really.", False), ("Is it far?", True), ("Where is it?", False), ("You like it?", True),
        ("And how are you?", False), ("Do you know what?", True), ("What?", True), ("Who said so?", False),
        ("Are you all right?", True), ("Fine!", False),
    ],
)  # fmt: skip
def test_questions_for_yes_or_no_rise(said: str, up: bool):
    assert rises(tuple(said.split())) is up


def test_a_question_goes_up_over_its_last_sounds_even_where_it_fell():
    falling = np.linspace(220, 150, 90).astype(np.float32)
    loudness = np.concatenate([np.full(80, 2.0), np.full(10, -6.0)]).astype(np.float32)
    asked = heard_end(loudness, 0.0125)
    assert np.flatnonzero(asked)[[0, -1]].tolist() == [48, 79]
    risen = bent(falling, Timbre(), Manner(), asked)
    assert 12 * np.log2(risen[79] / risen[48]) > 3.0
    assert np.allclose(risen[:48], falling[:48], rtol=1e-3)


def test_formants_move_with_the_size_of_the_throat():
    spectrum = np.zeros((100, 1), np.float32)
    spectrum[50] = 1.0
    assert int(resized(spectrum, 0.8)[:, 0].argmax()) == 40


def test_every_symbol_has_numbers_that_say_it():
    symbols = "həlˈO, wˈɜɹld."
    ids, owners = encoded(symbols)
    assert len(ids) == len(owners)
    assert sorted(set(owners.tolist())) == [n for n in range(len(symbols) + 2) if n != symbols.index("ɜ") + 2]


def test_a_hum_steps_up_to_agree_and_falls_to_think():
    flat = np.concatenate([np.zeros(4), np.full(40, 200.0), np.zeros(4)]).astype(np.float32)
    agrees, thinks = (bent(flat, Timbre(), Manner(), hum=symbols) for symbols in ("mhˈm.", "hm."))
    assert 12 * np.log2(agrees[40] / agrees[20]) > 2.0 > 12 * np.log2(agrees[20] / agrees[5])
    assert 12 * np.log2(thinks[40] / thinks[5]) < -2.0
    assert hums("mhˈm.") and hums("hmː,") and not hums("hˈɪm.") and not hums("hə.")


def test_sound_gets_another_melody_and_keeps_its_length_and_loudness():
    """A voice of 120 Hz, and hiss."""
    t = np.arange(SPEAK_RATE) / SPEAK_RATE
    voice = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 12)) * 0.15
    hiss = 0.02 * np.random.default_rng(1).standard_normal(SPEAK_RATE // 2)
    audio = np.concatenate([voice, hiss]).astype(np.float32)
    for ratio in (0.8, 1.3):
        other = moved(audio, lambda hertz, _, ratio=ratio: hertz * ratio)
        hertz, _ = melody(other)
        assert np.median(hertz[20:180]) == pytest.approx(120 * ratio, rel=0.02)
        assert not np.any(hertz[220:])
        assert len(other) == len(audio)
        assert np.std(other) == pytest.approx(np.std(audio), rel=0.2)
    assert moved(audio, lambda hertz, _: hertz) is audio
    assert moved(audio[:0], lambda hertz, _: hertz).size == 0


async def sound(tts, text: str, emotion: str = "neutral") -> Samples:
    return np.concatenate([piece.audio async for piece in tts.speak(text, emotion)])


@pytest.mark.model
@pytest.mark.parametrize("voice", ["hazel", "robin", "grant", "joe"])
async def test_every_voice_can_be_understood(hibari, whisper, voice: str):
    said = await sound(hibari.with_voice(voice), TEXT)
    heard = await whisper.transcribe(resample_poly(said, 2, 3).astype(np.float32))
    assert word_error_rate(TEXT, heard.text) <= 0.2
    assert -24 < 20 * np.log10(np.sqrt(np.mean(said**2))) < -15, "they are about as loud"


@pytest.mark.model
async def test_the_voices_are_of_different_pitch(hibari):
    pyworld = pytest.importorskip("pyworld")

    async def semitones(voice: str) -> float:
        said = (await sound(hibari.with_voice(voice), TEXT)).astype(np.float64)
        f0, _ = pyworld.harvest(said, SPEAK_RATE, f0_floor=60, f0_ceil=500)
        return 12 * float(np.log2(np.median(f0[f0 > 0])))

    pitch = {voice: await semitones(voice) for voice in ("heart", "hazel", "robin", "grant")}
    assert pitch["robin"] > pitch["heart"] + 2 > pitch["hazel"] + 4 > pitch["grant"] + 5
    takes = [await semitones("joe") for _ in range(9)]  # each differs: 6.5 +- 3.2 below heart over eight takes
    assert np.mean(takes) < pitch["heart"] - 2


def _turn(audio: Samples) -> float:
    """How many semitones the last fifth of the last 0.4 s of voice is above the first."""
    hertz, loudness = melody(audio)
    at = np.flatnonzero((hertz > 0) & (loudness > 0.04 * loudness.max()))
    ends = 12 * np.log2(hertz[at[at > at[-1] - 80]])
    return float(np.median(ends[-len(ends) // 5 :]) - np.median(ends[: len(ends) // 5]))


@pytest.mark.model
@pytest.mark.parametrize("voice", ["heart", "hazel", "joe"])
async def test_a_question_is_heard_to_rise_where_a_statement_falls(hibari, voice: str):
    """In the sound: a creaking voice has no pitch, whatever it was told."""
    tts = hibari.with_voice(voice)
    said = ("you are all right", "it is far", "you slept well", "you went there alone", "you would like some tea")
    asked = [_turn(await sound(tts, f"{text.capitalize()}?")) for text in said]
    stated = [_turn(await sound(tts, f"{text.capitalize()}.")) for text in said]
    assert np.median(asked) > 1.5
    assert np.median(asked) > np.median(stated) + 3.0


@pytest.mark.model
async def test_a_voice_leads_back_to_the_others(hibari):
    joe = hibari.with_voice("joe")
    assert joe.abilities.voice == "joe"
    assert joe.with_voice("grant").abilities.voice == "grant"
    assert joe.with_voice("joe") is joe
    said = [piece async for piece in joe.speak("It is good to see you.")]
    words = [word for piece in said for word in piece.words]
    assert [word.text for word in words] == ["It", "is", "good", "to", "see", "you."]
    assert all(a.end <= b.start + 0.02 for a, b in zip(words, words[1:], strict=False))
    assert words[-1].end <= len(said[-1].audio) / SPEAK_RATE


@pytest.mark.model
def test_names_are_said_as_their_bearers_do_and_as_a_persona_wants():
    english = English()
    assert english.utterances("Siobhan")[0].symbols == "ʃɪvˈɔn"
    assert english.utterances("Nguyen.")[0].symbols == "wˈɪn."
    assert english.utterances("Shh, be quiet.")[0].symbols.startswith("ʃ")
    own = english.pronouncing({"Vasari": "/vəˈsɑːri/", "Tolu": "toe loo"})
    assert own.utterances("Vasari")[0].symbols == kokoro("vəˈsɑːri") == "vəˈsɑɹi"
    assert own.utterances("Tolu")[0].symbols != english.utterances("Tolu")[0].symbols
    with pytest.raises(StageError, match="no sound"):
        english.pronouncing({"x": "//"})
